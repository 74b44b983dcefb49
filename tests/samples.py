"""Real files that nobody here wrote, imported as a school would: `python -m tests.samples FOLDER` (make samples).

Each roster goes twice into a fresh SQLite ledger: the first import brings everybody, the second changes nothing. What
it brings is counted once more from the files themselves, by nothing but the standard library's csv. Each calendar is
read or refused cleanly, within a second.
Exit 0 when all of it held, 1 when some did not, 2 when there was nothing to try.
"""

from __future__ import annotations

import csv
import io
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NoReturn

from broker.actor import SYSTEM
from broker.channel import Channel, Traits
from broker.errors import BrokerError, Problem, RuleBroken, UnknownChannel
from broker.ports import Ports
from broker.ports.outside import GatewayAt
from broker.rosters.difference import ImportDifference
from broker.rosters.imports import import_roster
from broker.rosters.roster import Roster
from broker.testing.hints import PretendHints
from config.signer import HmacSigner
from ledger.connect import open_ledger
from ledger.migrate import upgrade
from ledger.setup import School, install
from sources.calendars import events_of_ics, spans_of_ics
from sources.rosters import read

ROSTERS = "oneroster"  # the folder of samples that are rosters; tests of their own try the others
CALENDARS = "calendars"
CALENDAR_SECONDS = 1.0  # of this process's own time
GONE = {"tobedeleted", "inactive"}
REGION = "US"  # where the samples' telephone numbers are from


class NoChannels:
    """An import opens none."""

    def names(self) -> Sequence[str]:
        return ()

    def traits(self, channel: str) -> Traits:
        _no_channel(channel)

    def open(self, account: str) -> Channel:
        _no_channel(account)

    def gateways(self, account: str) -> Sequence[GatewayAt]:
        _no_channel(account)

    def through(self, account: str, gateway: str) -> Channel:
        _no_channel(account)


def _no_channel(name: str) -> NoReturn:
    raise UnknownChannel(Problem("unknown_channel", name, "there is no channel here"))


def main(folder: Path) -> int:
    """Try every sample under `folder`, telling how each fared."""
    if not folder.is_dir():
        print(f"{folder} is not a folder: give the one that holds the samples, DIR=…", file=sys.stderr)
        return 2
    fared = [try_roster(path) for path in sorted((folder / ROSTERS).glob("*")) if path.name != "README.md"]
    calendars = [try_calendar(path) for path in sorted((folder / CALENDARS).glob("*.ics"))]
    others = Counter(path.relative_to(folder).parts[0] for path in folder.glob("*/**/*") if path.is_file())
    for known in (ROSTERS, CALENDARS):
        del others[known]
    for name, count in sorted(others.items()):
        print(f"passed over: {count} in {name}/, which are neither rosters nor calendars")
    print(f"{sum(fared)} of {len(fared)} rosters imported, {sum(others.values())} other samples passed over")
    print(f"{sum(calendars)} of {len(calendars)} calendars read, or refused cleanly and at once")
    if not fared:
        print(f"there is no {ROSTERS}/ folder with rosters here", file=sys.stderr)
        return 2
    return 0 if all(fared) and all(calendars) else 1


def try_calendar(path: Path) -> bool:
    """Read one calendar, as events around its own years and as terms."""
    data = path.read_bytes()
    slowest = 0.0
    for read_it in (
        lambda: [
            events_of_ics(data, zone="Europe/London", begins=date(year, 1, 1), ends=date(year + 1, 1, 1))
            for year in (2004, 2014, 2024)
        ],
        lambda: spans_of_ics(data),
    ):
        began = time.process_time()
        try:
            read_it()
        except RuleBroken:
            pass
        except Exception as fault:  # noqa: BLE001 - which is what is looked for
            print(f"{path.name}: FAILED: {type(fault).__name__}: {fault}")
            return False
        slowest = max(slowest, time.process_time() - began)
    if slowest > CALENDAR_SECONDS:
        print(f"{path.name}: FAILED: it took {slowest:.1f} s")
    return slowest <= CALENDAR_SECONDS


def try_roster(path: Path) -> bool:
    """Import one roster twice into a ledger of its own."""
    try:
        roster = read(path, region=REGION, today=datetime.now(UTC).date())
        first, second = import_twice(roster)
    except BrokerError as fault:
        print(f"{path.name}: refused: {fault}")
        return False
    counted = count(path)
    brought_in = {
        "people": first.people.new,
        "groups of classes": sum(group.source_id.startswith("class:") for group in roster.groups),
        "memberships of classes": sum(held.group.startswith("class:") for held in roster.memberships),
        "terms": first.terms.new,
    }
    wrong = [
        f"{name}: {brought_in[name]}, in the files {n}"
        for name, n in counted.items()
        if brought_in[name] != n
    ]
    unchanged = not second.any and second.people.unchanged == first.people.new
    brought = ", ".join(f"{counts.new} {name}" for name, counts in first.counts().items())
    told = Counter(problem.code for problem in first.problems)
    problems = ", ".join(f"{count} {code}" for code, count in sorted(told.items())) or "none"
    print(f"{path.name}: {roster.source}: {brought}; problems: {problems}")
    print(f"  {'FAILED: ' + '; '.join(wrong) if wrong else 'as many as in the files'}")
    print(f"  {'again: nothing changed' if unchanged else 'FAILED: the second import changes something'}")
    return unchanged and not wrong


def count(path: Path) -> Mapping[str, int]:
    """How many of each a OneRoster zip holds: active, and of enrolments those whose both ends are there."""
    with zipfile.ZipFile(path) as packed:
        users, classes, enrolments, sessions = (
            [row for row in _rows(packed, name) if row["status"].casefold() not in GONE]
            for name in ("users.csv", "classes.csv", "enrollments.csv", "academicSessions.csv")
        )
    here = {row["sourcedId"] for row in users if row["enabledUser"].casefold() != "false"}
    taught = {row["sourcedId"] for row in classes}
    joined = {
        (row["classSourcedId"], row["userSourcedId"])
        for row in enrolments
        if row["classSourcedId"] in taught and row["userSourcedId"] in here
    }
    dated = [row for row in sessions if row["startDate"] <= row["endDate"]]
    return {
        "people": len(here),
        "groups of classes": len(taught),
        "memberships of classes": len(joined),
        "terms": len(dated),
    }


def _rows(packed: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    if name not in packed.namelist():
        return []
    with packed.open(name) as file:
        return list(csv.DictReader(io.TextIOWrapper(file, encoding="utf-8-sig", newline="")))


def import_twice(roster: Roster) -> tuple[ImportDifference, ImportDifference]:
    """What each of two imports into a fresh ledger changed."""
    signer = HmacSigner(b"samples" * 5)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/ledger.db"
        upgrade(url)
        ledger = open_ledger(url, signer)
        try:
            install(ledger, School("samples", "Samples", "Europe/London", "en-GB", REGION), {}, ())
            ports = Ports(ledger, PretendHints(), signer, NoChannels())
            return import_roster(ports, roster, actor=SYSTEM), import_roster(ports, roster, actor=SYSTEM)
        finally:
            ledger.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.samples FOLDER")
    sys.exit(main(Path(sys.argv[1])))
