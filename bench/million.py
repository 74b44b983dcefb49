"""One run of a million deliveries on PostgreSQL: does the last tenth cost what the second did, and does memory stay?

On a ledger with history, by one worker process. It says how far it is, and gives up after `PATIENCE`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped] # its stubs lag behind it

from bench.crowd import fill
from bench.ground import Ground, School, group_of
from bench.player import Player
from broker.address import AddressKind
from config.assembly import assemble
from config.settings import Settings

SIZE = 1_000_000
PATIENCE = 1800.0  # seconds
LOOK_EVERY, SAY_EVERY = 1.0, 15.0
MOST_SLOWER, MOST_GROWN_MB = 1.2, 50.0


@dataclass(frozen=True, slots=True)
class Moment:
    """What was there and used at one moment; interpolated between two looks."""

    seconds: float
    sent: float
    cpu: float  # seconds, worker and database
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Run:
    """A run, cut into tenths of its deliveries."""

    size: int
    history: int
    planning_us: float
    moments: Sequence[Moment]

    def at(self, sent: float) -> Moment:
        """When so many had been sent."""
        after = next(n for n, moment in enumerate(self.moments) if moment.sent >= sent)
        late, early = self.moments[after], self.moments[max(0, after - 1)]
        share = (sent - early.sent) / (late.sent - early.sent) if late.sent > early.sent else 1.0

        def between(one: float, other: float) -> float:
            return one + share * (other - one)

        return Moment(
            between(early.seconds, late.seconds),
            sent,
            between(early.cpu, late.cpu),
            between(early.rss_mb, late.rss_mb),
        )

    def tenth(self, number: int) -> tuple[float, float]:
        """Microseconds and CPU microseconds a delivery of the first to tenth tenth."""
        begin, end = (self.at(self.size * n / 10) for n in (number - 1, number))
        share = self.size / 10 / 1e6
        return (end.seconds - begin.seconds) / share, (end.cpu - begin.cpu) / share

    @property
    def slower(self) -> float:
        """The CPU of a delivery in the last tenth beside the second: what a busy machine blurs least."""
        return self.tenth(10)[1] / self.tenth(2)[1]

    @property
    def grown_mb(self) -> float:
        """The most memory of the worker after the first tenth, above what it had then."""
        begin = self.at(self.size / 10)
        return max(moment.rss_mb for moment in self.moments if moment.sent >= begin.sent) - begin.rss_mb

    @property
    def holds(self) -> bool:
        """Neither dearer nor bigger than allowed."""
        return self.slower <= MOST_SLOWER and self.grown_mb <= MOST_GROWN_MB

    def __str__(self) -> str:
        (second, second_cpu), (last, last_cpu) = self.tenth(2), self.tenth(10)
        whole = self.moments[-1].seconds - self.moments[0].seconds
        rate = self.size / whole
        return (
            f"{self.size:,} texts after {self.history:,} earlier ones in {whole:,.0f} s ({rate:,.0f} a second): second"
            f" tenth {second:.0f} µs each (CPU {second_cpu:.0f}), last tenth {last:.0f} µs (CPU {last_cpu:.0f}), so"
            f" {last / second:.2f} times (CPU {self.slower:.2f}, at most {MOST_SLOWER:g}); the worker grew by"
            f" {self.grown_mb:.0f} MB (at most {MOST_GROWN_MB:g}); planning took {self.planning_us:.1f} µs each"
        )


def run(ground: Ground, size: int, say: Callable[[str], None]) -> Run:
    """Plan and send; `say` is told how far it is."""
    history = size // 20
    settings = ground.settings(ground.postgres.fresh())
    school = School(assemble(Settings.of(**settings), serves=True, upgrade=True))
    try:
        everybody = fill(school.house.ledger, size, (AddressKind.MOBILE,))
        school.gather(history)
        school.plan(school.say(group_of(history), "sms"))
        with Player("carillon", limit=PATIENCE, **settings) as worker:
            worker.play(account="texts")
            say(f"{history:,} earlier texts are sent; planning {size:,}")
            announcement = school.say(everybody, "sms")
            began = time.monotonic()
            if school.plan(announcement) != size:
                raise AssertionError("not everything was planned")
            planning = (time.monotonic() - began) / size * 1e6
            say(f"planned at {planning:.1f} µs each; sending")
            moments = _send(ground, worker, size, say)
        if (states := school.states(announcement)) != {"sent": size}:
            raise AssertionError(f"not everything was sent: {states}")
    finally:
        school.house.close()
    return Run(size, history, planning, moments)


def _send(ground: Ground, worker: Player, size: int, say: Callable[[str], None]) -> Sequence[Moment]:
    process, counts = psutil.Process(worker.pid), ground.sandbox.control.counts
    before, began = counts()["accepted"], time.monotonic()
    moments: list[Moment] = []

    def look() -> Moment:
        used, stored = sum(process.cpu_times()[:2]), ground.database_seconds()
        sent = counts()["accepted"] - before
        return Moment(time.monotonic() - began, sent, used + stored, process.memory_info().rss / 2**20)

    worker.begin(account="texts")
    said = 0.0
    while not moments or moments[-1].sent < size:
        moments.append(look())
        now = moments[-1]
        if now.seconds > PATIENCE:
            raise TimeoutError(f"{now.sent:,.0f} of {size:,} were sent in {PATIENCE:,.0f} s")
        if now.seconds - said > SAY_EVERY:
            said = now.seconds
            say(f"{now.sent:,.0f} sent, {now.sent / now.seconds:,.0f} a second, worker {now.rss_mb:.0f} MB")
        time.sleep(LOOK_EVERY)
    worker.end()
    return moments
