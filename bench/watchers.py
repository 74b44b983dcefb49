"""What watching costs: how soon the page shows what the ledger has, and a bulk send with watchers and without.

`python -m bench.watchers [--json]`. The same send, turn by turn with nobody and with everybody there; the ratios are
what counts. Time counts what the watchers themselves use of this machine too; CPU is worker, database and web alone.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from bench.ground import Ground, School, ground
from bench.player import Player

WATCHERS = 300
SIZE = 8_000
ROUNDS = 5
LOOKS = 15


def main() -> None:
    """Measure and tell."""
    with ground([SIZE, 10]) as here:
        school = here.main
        settings = here.settings(str(school.house.ledger.engine.url.render_as_string(hide_password=False)))
        with Player("web", **settings) as web:
            served = web.play(links=WATCHERS // 10)
            with Player("watchers", url=served["url"], links=served["links"]) as crowd:
                told = {"latency": _latency(school, crowd), **_cost(here, school, settings, web, crowd)}
    if "--json" in sys.argv:
        print(json.dumps(told))
        return
    for name, value in told.items():
        print(f"{name:>22}: {value}")


def _latency(school: School, crowd: Player) -> dict[str, float]:
    """Seconds from the commit of an announcement until the last of all watchers has it."""
    crowd.play(watch=[""] * WATCHERS)
    took = []
    for n in range(LOOKS):
        time.sleep(0.7 + 0.13 * (n % 5))  # so that it falls anywhere between two looks
        announcement = school.accepted("sms", 10)
        committed = time.monotonic()
        shown = crowd.play(wait_for=f'id="a-{announcement.public_id}"')["at"]
        took.append(max(shown) - committed)
        school.plan(announcement)
    crowd.play(leave=True)
    return {"median": round(statistics.median(took), 3), "most": round(max(took), 3)}


@dataclass
class _Turns:
    """What the turns of one kind cost: seconds, and CPU seconds of each part."""

    seconds: list[float] = field(default_factory=list)
    worker: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    web: list[float] = field(default_factory=list)
    events: int = 0

    @property
    def cpu(self) -> list[float]:
        return [sum(turn) for turn in zip(self.worker, self.database, self.web, strict=True)]

    def told(self) -> dict[str, float]:
        medians = {name: statistics.median(getattr(self, name)) for name in ("worker", "database", "web")}
        per_second = round(SIZE / statistics.median(self.seconds))
        return {"per_s": per_second, **{f"{name}_cpu_s": round(cpu, 2) for name, cpu in medians.items()}}


def _cost(
    here: Ground, school: School, settings: dict[str, Any], web: Player, crowd: Player
) -> dict[str, Any]:
    alone, watched = _Turns(), _Turns()
    with Player("carillon", **settings) as worker:
        worker.play(account="texts")  # what is due already, and everything warm
        for n in range(2 * ROUNDS):
            turns = watched if n % 2 else alone
            announcement = school.planned("sms", SIZE)
            if turns is watched:
                crowd.play(watch=["", f"?of={announcement.public_id}&show=all"] * (WATCHERS // 2))
            stored, used = here.database_seconds(), web.play()["used"]
            sent = worker.play(account="texts")
            turns.seconds.append(sent["seconds"])
            turns.worker.append(sent["cpu"])
            turns.web.append(web.play()["used"] - used)
            turns.database.append(here.database_seconds() - stored)
            turns.events += crowd.play(leave=True)["events"]
            if school.states(announcement) != {"sent": SIZE}:
                raise AssertionError("not everything was sent")
    return {
        "alone": alone.told(),
        "watched": watched.told(),
        "time_ratio": _ratio(alone.seconds, watched.seconds),
        "cpu_ratio": _ratio(alone.cpu, watched.cpu),
        "time_ratios": [round(w / a, 3) for a, w in zip(alone.seconds, watched.seconds, strict=True)],
        "events": watched.events,
    }


def _ratio(alone: list[float], watched: list[float]) -> float:
    return round(statistics.median(w / a for a, w in zip(alone, watched, strict=True)), 3)


if __name__ == "__main__":
    main()
