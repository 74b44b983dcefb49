"""A worker that does one thing at a time, so that it can stop, die or be late between any two of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum

from broker.actor import SYSTEM
from broker.brake import Brake, InHand, subjects_of
from broker.channel import Key, NotStarted, Outcome
from broker.claim import claim
from broker.errors import DeliveryFailure
from broker.outcomes import Tried, result_of
from broker.render import Renderer
from broker.testing.provider import PretendProvider
from broker.values import Lane, Picked, Started
from broker.write_back import write_back
from tests.support.broker_world import World

SECOND, LEASE, MARGIN = timedelta(seconds=1), timedelta(seconds=90), timedelta(seconds=30)


class Point(StrEnum):
    """What a worker has done last; it may die there."""

    NOTHING = "nothing"
    CLAIMED = "claimed"
    STARTED = "started"
    TALKED = "talked"
    WRITTEN = "written"


class OneWorker:
    """Claims up to three deliveries of one account, and goes on with `step` when it is told to."""

    def __init__(self, world: World, account: str, provider: PretendProvider, lane: Lane) -> None:
        with world.ledger.begin() as tx:
            row = tx.accounts.named(account)
        assert row is not None
        self.point = Point.NOTHING
        self.taken: list[Picked] = []
        self._world, self._row, self._provider, self._lane = world, row, provider, lane
        self._channel = world.channels.open(account)
        self._renderer = Renderer(world.ports, self._channel)
        self._brake = Brake(world.ledger, lambda: time.monotonic() + world.passed.total_seconds())
        self._attempts: dict[int, int] = {}
        self._outcomes: list[tuple[Tried, Outcome]] = []

    @property
    def done(self) -> bool:
        """Whether nothing is left for it to do."""
        return self.point is Point.WRITTEN or (self.point is not Point.NOTHING and not self.taken)

    def step(self) -> None:
        """The next thing that a worker does."""
        following: dict[Point, tuple[Callable[[], None], Point]] = {
            Point.NOTHING: (self._claim, Point.CLAIMED),
            Point.CLAIMED: (self._start, Point.STARTED),
            Point.STARTED: (self._talk, Point.TALKED),
            Point.TALKED: (self._write, Point.WRITTEN),
        }
        work, self.point = following[self.point]
        work()

    def _claim(self) -> None:
        self._brake.refresh()
        began = self._brake.clock()
        got = claim(
            self._world.ports, self._row, self._channel, self._lane,
            most=3, within=SECOND, lease=LEASE, actor=SYSTEM,
        )  # fmt: skip
        self.taken = list(got.taken)
        until = began + (LEASE - MARGIN).total_seconds()
        self._brake.take(
            (
                one.delivery,
                InHand(began, until, one.fence, one.case.expires_at, subjects_of(one, self._row.id)),
            )
            for one in self.taken
        )

    def _start(self) -> None:
        starts = []
        for one in self.taken:
            rendered = self._renderer.render(one)
            assert rendered is not None
            starts.append(Started(one.delivery, one.fence, rendered.message.digest))
        with self._world.ledger.begin() as tx:
            begun = tx.deliveries.start(self._row, self._channel.name, starts, margin=MARGIN)
            self._attempts = dict(begun)

    def _talk(self) -> None:
        self._brake.refresh()
        for one in self.taken:
            if one.delivery not in self._attempts:
                continue
            attempt = self._attempts[one.delivery]
            token = self._world.ports.signer.sign("attempt", str(attempt))
            key = Key(one.delivery, attempt, one.fence, token)
            self._outcomes.append((Tried(one, key), self._try(one, key)))

    def _try(self, one: Picked, key: Key) -> Outcome:
        rendered = self._renderer.render(one)
        assert rendered is not None
        if not self._brake.may_start(key):
            return NotStarted()
        try:
            self._provider.token = key.token
            return self._provider.receive(rendered.message, rendered.to)
        except DeliveryFailure as failure:
            return failure

    def _write(self) -> None:
        traits, retry, now = self._channel.traits, self._channel.retry, self._brake.database_now()
        results = [
            result_of(tried, outcome, retry=retry, traits=traits, now=now, spread=0.5)
            for tried, outcome in self._outcomes
        ]
        write_back(self._world.ports, self._row, results, self._outcomes, actor=SYSTEM)
