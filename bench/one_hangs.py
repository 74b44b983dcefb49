"""One channel's stand-in hangs: how much later are the other three for it? `python -m bench.one_hangs`

The demo's school and announcement (about 380 messages), embedded, one run for each channel that can hang beside one
where none does. Each figure is seconds from acceptance until that channel has nothing left to send.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from broker import intake
from broker.actor import SYSTEM
from broker.announcement import Announcement, Draft, Part, People, Step
from broker.delivery import State
from broker.rosters import imports
from cli.demo import settings_for
from cli.serving import running
from config.assembly import House
from ledger.reads.status import tallies
from sandbox.client import start_sandbox
from sandbox.sample_school import write_sample_school
from sources import rosters

CHANNELS = ("sms", "email", "rss", "twitter")
HANGS = {
    "none": (),
    "sms": ("twilio:hang-before-accept:ms=25000",),
    "email": ("smtp:hang:stage=rcpt,ms=25000",),
    "twitter": ("x:hang-before-accept:ms=25000",),
}
PATIENCE = timedelta(seconds=20)
BUSY = (State.QUEUED, State.SENDING)


def main() -> None:
    """Play every run, print a row for each, and one JSON object at the end."""
    found = {hung: play(faults, besides=hung) for hung, faults in HANGS.items()}
    calm = found["none"]
    print(f"{'hangs':>8}  " + "  ".join(f"{channel:>8}" for channel in CHANNELS))
    for hung, seconds in found.items():
        cells = (f"{seconds[c]:8.2f}" if c in seconds else f"{'-':>8}" for c in CHANNELS)
        print(f"{hung:>8}  " + "  ".join(cells))
    later = max(
        seconds[channel] - calm[channel]
        for hung, seconds in found.items()
        if hung != "none"
        for channel in seconds
    )
    print(json.dumps({"seconds": found, "most_later_s": round(later, 2)}))


def play(faults: tuple[str, ...], *, besides: str) -> Mapping[str, float]:
    """One run: when each channel but the one that hangs had nothing left to send."""
    with TemporaryDirectory(prefix="carillon-bench-") as made:
        folder = Path(made)
        with (
            start_sandbox(folder / "truth.jsonl", faults) as sandbox,
            running(settings_for(folder, sandbox)) as (house, _),
        ):
            return ended(house, announced(house, folder), besides)


def announced(house: House, folder: Path) -> Announcement:
    """The demo's school, and something said to part of it by all four."""
    school = write_sample_school(folder / "school")
    roster = rosters.read(school.folder, region="GB", today=datetime.now(UTC).date())
    imports.import_roster(house.ports, roster, actor=SYSTEM)
    draft = Draft(
        department="music",
        audience="Choir + Year 7",
        people=People.GUARDIANS,
        ways=(Step(CHANNELS),),
        parts={Part.TITLE: "Rehearsal", Part.SHORT: "The rehearsal is on Thursday at 15:30 in the hall."},
    )
    return intake.accept(house.ports, draft, actor=SYSTEM).announcement


def ended(house: House, said: Announcement, besides: str) -> Mapping[str, float]:
    """Seconds until each watched channel was through; one that is not within `PATIENCE` is given that."""
    began, seconds = time.monotonic(), dict[str, float]()
    watched = [channel for channel in CHANNELS if channel != besides]
    while len(seconds) < len(watched) and time.monotonic() - began < PATIENCE.total_seconds():
        with house.ledger.reading() as hand:
            counted = tallies(hand, said.id)
        for channel in watched:
            states = counted.get(channel, {})
            if channel not in seconds and states and not any(states.get(state) for state in BUSY):
                seconds[channel] = round(time.monotonic() - began, 2)
        time.sleep(0.05)
    return {channel: seconds.get(channel, PATIENCE.total_seconds()) for channel in watched}


if __name__ == "__main__":
    main()
