"""Whether several workers together keep an account's pace: 10, 100 and 1,000 a second, by the stand-in's truth.

No ten seconds, wherever they begin, may hold more than the quota allows and one; over a minute at least 95 in a hundred
of what is allowed must be used. Each by three worker processes.
"""

from __future__ import annotations

import json
import time
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from bench.crowd import fill
from bench.ground import Ground, School
from bench.running import Running
from broker.address import AddressKind
from config.assembly import assemble
from config.settings import Settings

QUOTAS = (10, 100, 1_000)
WORKERS = 3
WINDOW, MEASURED = timedelta(seconds=10), timedelta(seconds=60)
SETTLING, SPARE = timedelta(seconds=5), timedelta(seconds=2)
LEAST = 0.95


@dataclass(frozen=True, slots=True)
class Kept:
    """How one quota was kept."""

    quota: int
    most: int  # in any window
    mean: float  # a second, over a minute

    @property
    def allowed(self) -> int:
        """In any window."""
        return round(self.quota * WINDOW.total_seconds()) + 1

    @property
    def holds(self) -> bool:
        """Neither too fast nor too slow."""
        return self.most <= self.allowed and self.mean >= LEAST * self.quota

    def __str__(self) -> str:
        return (
            f"{self.quota:,} a second, {WORKERS} workers: at most {self.most:,} in ten seconds (of {self.allowed:,}),"
            f" {self.mean / self.quota:.1%} used over a minute{'' if self.holds else '  <- broken'}"
        )


def keep(ground: Ground) -> Sequence[Kept]:
    """One quota after the other, a little over a minute each."""
    return [_one(ground, quota) for quota in QUOTAS]


def _one(ground: Ground, quota: int) -> Kept:
    lasts = (SETTLING + MEASURED + SPARE).total_seconds()
    settings = ground.settings(
        ground.postgres.fresh(), queue_url=ground.redis.url_of(4 + QUOTAS.index(quota))
    )
    settings["accounts"]["texts"]["per_second"] = quota
    school = School(assemble(Settings.of(**settings), serves=True, upgrade=True))
    truth = ground.sandbox.truth_path.open("rb")
    truth.seek(0, 2)
    with ExitStack() as held:
        held.callback(truth.close)
        held.callback(school.house.close)
        everybody = fill(school.house.ledger, round(quota * lasts * 1.1), (AddressKind.MOBILE,))
        school.plan(school.say(everybody, "sms"))
        for _ in range(WORKERS):
            held.enter_context(Running(settings, "worker"))
        times: list[float] = []
        rest, until = b"", None
        while until is None or time.monotonic() < until:
            time.sleep(0.2)
            *lines, rest = (rest + truth.read()).split(b"\n")
            times += [datetime.fromisoformat(json.loads(line)["at"]).timestamp() for line in lines]
            if times and until is None:
                until = time.monotonic() + lasts
    return judged(quota, sorted(times))


def judged(quota: int, times: Sequence[float]) -> Kept:
    """From the moments of acceptance, in order."""
    most = max(n + 1 - bisect_left(times, at - WINDOW.total_seconds()) for n, at in enumerate(times))
    began = times[0] + SETTLING.total_seconds()
    minute = bisect_left(times, began + MEASURED.total_seconds()) - bisect_left(times, began)
    return Kept(quota, most, minute / MEASURED.total_seconds())
