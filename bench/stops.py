"""`python -m bench.stops [--size N] [--rounds N] [--json]`: how many texts that say STOP are taken in a second.

Families text at once over kept connections to the web process as `carillon web` runs it. *Taken* is answered with 204,
which is after its commit. *In force* is confirmed: from then on nothing goes there. Both on PostgreSQL, each round with
other numbers, every second of them on file.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass

from sqlalchemy import func, select

from bench.ground import ACTOR, Ground, ground
from bench.player import Player
from broker import confirm
from ledger import tables as t

AIM = 1_000  # a second
PUBLIC_URL = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Round:
    """Texts a second, and CPU milliseconds of each: web and database for taking, both ends for bringing into force."""

    taken: float
    in_force: float
    web_ms: float
    database_ms: float
    force_ms: float


def main() -> int:
    """Measure, say, end; exit 1 where fewer are absorbed than is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.stops", description=__doc__)
    parser.add_argument("--size", type=int, default=4_000, help="texts a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    told = parser.parse_args()
    with ground([told.size * told.rounds // 2]) as here:
        rounds = measure(here, told.size, told.rounds)
    medians = {name: statistics.median(getattr(one, name) for one in rounds) for name in Round.__slots__}
    for one in rounds:
        print(
            f"taken {one.taken:,.0f}/s, in force {one.in_force:,.0f}/s; CPU web {one.web_ms:.2f} ms,"
            f" database {one.database_ms:.2f} ms each, in force {one.force_ms:.2f} ms"
        )
    if told.json:
        print(json.dumps({**medians, "rounds": [asdict(one) for one in rounds]}))
    return 0 if min(medians["taken"], medians["in_force"]) >= AIM else 1


def measure(here: Ground, size: int, rounds: int) -> list[Round]:
    """So many rounds, one after the other."""
    school = here.main
    url = str(school.house.ledger.engine.url.render_as_string(hide_password=False))
    settings = here.settings(url)
    box = here.sandbox
    found = []
    with Player("web", **settings) as web:
        served = web.play()["url"]
        known = {
            "url": served,
            "public_url": PUBLIC_URL,
            "account_sid": box.account_sid,
            "auth_token": box.auth_token,
        }
        with Player("stops", **known) as families:
            families.play(first=10_000_000, size=200)
            confirm.drain_inbox(school.house.ports, actor=ACTOR)
            for n in range(rounds):
                used, stored = web.play()["used"], here.database_seconds()
                told = families.play(first=n * size, size=size)
                if told["answers"] != {"204": size}:
                    raise AssertionError(f"not all were taken: {told['answers']}")
                web_cpu, database_cpu = web.play()["used"] - used, here.database_seconds() - stored
                began, cpu = time.monotonic(), time.process_time() + here.database_seconds()
                confirm.drain_inbox(school.house.ports, actor=ACTOR)
                drained = time.monotonic() - began
                drained_cpu = time.process_time() + here.database_seconds() - cpu
                with school.house.ledger.reading() as hand:
                    kept = hand.connection.execute(
                        select(func.count()).select_from(t.suppression)
                    ).scalar_one()
                if kept != (n + 1) * size + 200:
                    raise AssertionError(f"{kept} opt-outs are kept")
                found.append(
                    Round(
                        size / told["took"],
                        size / drained,
                        web_cpu / size * 1000,
                        database_cpu / size * 1000,
                        drained_cpu / size * 1000,
                    )
                )
    return found


if __name__ == "__main__":
    sys.exit(main())
