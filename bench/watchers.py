"""What watching costs: how soon the page shows what the ledger has, and a bulk send with watchers and without.

`python -m bench.watchers [--json]`. The same send, turn by turn with nobody and with everybody there; the ratio is what
counts. All on one machine: those who watch take their CPU from the same cores.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

from bench.ground import Ground, School, ground
from bench.player import Player

WATCHERS = 100
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


def _cost(
    here: Ground, school: School, settings: dict[str, Any], web: Player, crowd: Player
) -> dict[str, Any]:
    alone: list[float] = []
    watched: list[float] = []
    web_cpu: list[float] = []
    events = 0
    database: dict[bool, list[float]] = {False: [], True: []}
    with Player("carillon", **settings) as worker:
        worker.play(account="texts")  # what is due already, and everything warm
        for n in range(2 * ROUNDS):
            many = bool(n % 2)
            announcement = school.planned("sms", SIZE)
            if many:
                of = f"?of={announcement.public_id}&show=all"
                crowd.play(watch=["", of] * (WATCHERS // 2))
            before, stored = web.play()["used"], here.database_seconds()
            sent = worker.play(account="texts")
            database[many].append(here.database_seconds() - stored)
            if many:
                web_cpu.append((web.play()["used"] - before) / sent["seconds"])
                events += crowd.play(leave=True)["events"]
            (watched if many else alone).append(sent["seconds"])
            if school.states(announcement) != {"sent": SIZE}:
                raise AssertionError("not everything was sent")
    ratios = [with_all / without for without, with_all in zip(alone, watched, strict=True)]
    return {
        "alone_per_s": round(SIZE / statistics.median(alone)),
        "watched_per_s": round(SIZE / statistics.median(watched)),
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "web_cpu": round(statistics.median(web_cpu), 3),
        "database_cpu_s": {str(k): round(statistics.median(v), 2) for k, v in database.items()},
        "events": events,
    }


if __name__ == "__main__":
    main()
