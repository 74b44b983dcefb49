"""A gateway dies in mid-send of 10,000 texts: how long until the rest is handed over? `python -m bench.failover`

PostgreSQL and Redis as compose has them, one worker, two gateways of one account, each a stand-in of its own on
loopback. Seconds from the moment at which the first gateway is hurt until nothing is queued or being sent any more;
then it is cured, everything is settled, and each number must have had one text, whichever gateway it came by.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from bench.ground import Ground, School, ground, group_of
from bench.running import Running
from ledger import tables as t
from sandbox.client import RunningSandbox, start_sandbox

SIZE = 10_000
HURT: Mapping[str, str] = {
    "hang": "twilio:hang-before-accept:ms=600000",
    "500 after accept": "twilio:500-after-accept",
    "reset": "twilio:reset-before-accept",
    "slow by 15 s": "twilio:slow:ms=15000",
    "refused": "",  # the stand-in is ended, and started again to be cured
}
THERE = ("sent", "delivered")  # a look-up may find that it has arrived
WITHIN = timedelta(seconds=90)
SETTLED_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True)
class Fared:
    """How one kind of death went."""

    hurt: str
    seconds: float  # until nothing was queued or being sent
    uncertain: int  # then
    settled: float  # seconds from the cure until nothing was in doubt
    first: int
    second: int  # texts that each accepted
    wrong: int  # numbers without exactly one


def main() -> None:
    """Hurt the first gateway in each way, and say how it went."""
    told = _parser().parse_args()
    kinds = told.only or list(HURT)
    with ground([told.size]) as made:
        found = [run(made, kind, told.size) for kind in kinds]
    print(
        f"{'first gateway':>18} {'handed over':>12} {'in doubt':>9} {'settled':>9} {'first':>7} {'second':>7}"
        f" {'wrong':>6}"
    )
    for one in found:
        print(
            f"{one.hurt:>18} {one.seconds:10.1f} s {one.uncertain:9} {one.settled:7.1f} s"
            f" {one.first:7} {one.second:7} {one.wrong:6}"
        )
    print(json.dumps({"size": told.size, "most_s": max(one.seconds for one in found)}))


def run(made: Ground, kind: str, size: int) -> Fared:
    """One school, one announcement, one death at about a fifth of it."""
    with ExitStack() as held:
        sandboxes = [
            held.enter_context(start_sandbox(made.folder / f"{kind.replace(' ', '-')}-{n}.jsonl"))
            for n in (1, 2)
        ]
        first = sandboxes[0]
        first.control.order("twilio:latency:ms=50")
        settings = _settings(made, sandboxes)
        school = made.school_of(settings, [size])
        held.callback(school.house.close)
        held.enter_context(Running(settings, "worker"))
        said = school.say(group_of(size), "sms")
        _until(lambda: first.control.counts()["accepted"] >= size // 5, WITHIN)
        hurt_at = time.monotonic()
        first.control.order(HURT[kind]) if HURT[kind] else first.kill()
        _until(lambda: _busy(school, said.id) == 0, WITHIN)
        seconds = time.monotonic() - hurt_at
        uncertain = school.states(said).get("uncertain", 0)
        cured_at = time.monotonic()
        first.control.clear() if HURT[kind] else first.restart()
        _until(lambda: sum(school.states(said).get(state, 0) for state in THERE) == size, SETTLED_WITHIN)
        settled = time.monotonic() - cured_at
        texts = [Counter(entry["to"] for entry in one.truth("sms")) for one in sandboxes]
        got = texts[0] + texts[1]
        wrong = sum(n != 1 for n in got.values()) + size - len(got)
        return Fared(kind, seconds, uncertain, settled, texts[0].total(), texts[1].total(), wrong)


def _settings(made: Ground, sandboxes: Sequence[RunningSandbox]) -> dict[str, Any]:
    settings = made.settings(made.postgres.fresh())
    texts = [
        {
            "account_sid": one.account_sid,
            "auth_token": one.auth_token,
            "sender": "+447400123456",
            "api_base_url": one.twilio_url,
            "grace": 3,
        }
        for one in sandboxes
    ]
    plain = {"channel": "sms", "gateways": "twilio,second", **texts[0]}
    settings["accounts"] = {"texts": {**plain, "second": {"kind": "twilio", **texts[1]}}}
    return settings


def _busy(school: School, announcement: int) -> int:
    query = select(func.count()).where(
        t.delivery.c.announcement_id == announcement, t.delivery.c.state.in_(("queued", "sending"))
    )
    planned = select(t.announcement.c.fanned_out_at).where(t.announcement.c.id == announcement)
    with school.house.ledger.reading() as hand:
        if hand.connection.execute(planned).scalar_one() is None:
            return 1
        return int(hand.connection.execute(query).scalar_one())


def _until(there: Callable[[], bool], within: timedelta) -> None:
    until = time.monotonic() + within.total_seconds()
    while not there():
        if time.monotonic() > until:
            return
        time.sleep(0.05)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.failover", description=__doc__)
    parser.add_argument("--size", type=int, default=SIZE, help="how many texts")
    parser.add_argument("--only", nargs="+", choices=HURT, help="hurt it in these ways alone")
    return parser


if __name__ == "__main__":
    main()
