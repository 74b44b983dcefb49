"""Failover: a gateway that fails hands over to the next within seconds; what it may have stays with it.

Each gateway has runs of its own. When one turns bad nothing more starts by it, what was claimed for it is given back,
and the next run goes by another gateway at once, while the last calls of the first are still waited for. What those
come to is written as ever: proven not sent, it is queued and goes by whoever is chosen then; in doubt, it is uncertain
with the gateway that its attempt names, and only a look-up there frees it (`broker.reconcile`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from broker import accounts
from broker.actor import Actor
from broker.channel import Channel, NotStarted, Outcome
from broker.errors import AccountRejected, RateLimited, SetupError
from broker.gateways import (
    WELL,
    Breaker,
    Choice,
    Facts,
    Health,
    Stand,
    away_for,
    choose,
    is_error,
    learned,
    tried,
)
from broker.ports import Ports, Transaction
from broker.values import AccountRow, Lane

log = logging.getLogger(__name__)
EVERY = timedelta(milliseconds=250)  # as often as the brake: so soon does a run see what others learned
FIRST_CLAIM = timedelta(seconds=1)  # a trial has it, or the next gateway would take all there is to try with
NOTHING = Facts()


@dataclass(frozen=True, slots=True)
class Way:
    """One gateway of an account, open: `account` is the account with this gateway's name and pace."""

    name: str
    channel: Channel
    account: AccountRow


def ways_of(ports: Ports, account: AccountRow) -> Mapping[str, Way]:
    """The gateways of an account that can be opened, in order; an alarm tells of those that cannot.

    An account with one gateway, the usual, has it under no name: its pace and its rooms are the account's own.
    """
    try:
        placed = ports.channels.gateways(account.name)
        if len(placed) == 1:
            only = placed[0].name
            return {only: Way(only, ports.channels.open(account.name), account)}
    except SetupError as fault:
        shut = fault
        ports.ledger.transact(lambda tx: accounts.cannot_open(tx, account, shut))
        return {}
    ways: dict[str, Way] = {}
    for one in placed:
        try:
            channel = ports.channels.through(account.name, one.name)
        except SetupError as fault:  # the others go on
            closed = fault
            ports.ledger.transact(lambda tx, why=closed: accounts.cannot_open(tx, account, why))  # type: ignore[misc]
            continue
        row = replace(account, gateway=one.name, per_second=one.per_second or account.per_second)
        ways[one.name] = Way(one.name, channel, row)
    return ways


def note(
    tx: Transaction, way: Way, facts: Facts, *, order: Sequence[str], breaker: Breaker, actor: Actor
) -> None:
    """Fold what was learned of a gateway into its health; when that changes how it stands, all are told."""
    known = dict(tx.gateways.of(way.account.id, locked=True))
    before = known.get(way.name, WELL)
    after = learned(breaker, before, facts, tx.now)
    if after == before:
        return
    tx.gateways.keep(way.account.id, way.name, after)
    if after.stand is before.stand:
        return
    accounts.tell(tx, way.account.name, way.name, after, actor=actor)
    known[way.name] = after
    if after.stand is Stand.OUT and all(known.get(name, WELL).stand is Stand.OUT for name in order):
        accounts.pause_in(tx, way.account, after.why, actor=actor, alarm="account_rejected")


@dataclass(slots=True)
class Watch:
    """What one run sees of its gateway: what is in flight and since when, and what nobody has been told of yet."""

    choice: Choice
    breaker: Breaker
    database_now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic
    may_claim: bool = True  # False: another gateway is used from now on; what is started here goes on
    turned: bool = False  # nothing starts by it any more
    claimed: asyncio.Event = field(default_factory=asyncio.Event)  # it has what it will claim
    _flying: dict[int, float] = field(default_factory=dict)
    _slow: set[int] = field(default_factory=set)
    _local: Health = WELL
    _untold: Facts = NOTHING
    _unfolded: Facts = NOTHING
    _told: bool = False

    def __post_init__(self) -> None:
        self._local = self.choice.health
        self._untold = self._unfolded = self._nothing()

    @property
    def trial(self) -> bool:
        """Whether this is a trial: a few messages, and then it ends."""
        return self.choice.trial

    def began(self, attempt: int) -> None:
        """Its call begins now."""
        self._flying[attempt] = self.clock()

    def heard(self, attempt: int, outcome: Outcome) -> None:
        """What its call came to."""
        began = self._flying.pop(attempt, None)
        if attempt in self._slow:  # held against it already
            self._slow.discard(attempt)
        elif (away := away_for(self.breaker, outcome)) is not None:
            self._learn(Facts(away=away, why=getattr(outcome, "why", "")))
        elif began is None or isinstance(outcome, NotStarted | RateLimited):
            pass
        elif isinstance(outcome, AccountRejected):
            self._learn(Facts(rejected=outcome.why))
        elif is_error(outcome):
            self._learn(Facts(errors=1, why=getattr(outcome, "why", "")))
        elif self.clock() - began > self.breaker.slow_after.total_seconds():
            self._learn(self._a_slow_one())
        else:
            self._learn(Facts(good=1))

    def look(self) -> None:
        """Whoever is in flight for too long is slow, without waiting for its end."""
        now = self.clock()
        for attempt, began in list(self._flying.items()):
            if attempt not in self._slow and now - began > self.breaker.slow_after.total_seconds():
                self._slow.add(attempt)
                self._learn(self._a_slow_one())

    def see(self, choice: Choice | None, mine: Health) -> None:
        """What would be chosen now, and how its own gateway stands, as the ledger knows it."""
        if self.trial or choice == self.choice:
            return
        self.may_claim = False
        opened_since = mine.stand is not Stand.CLOSED and self.choice.health.stand is Stand.CLOSED
        self.turned = self.turned or opened_since or mine.stand is Stand.OUT

    def take(self, *, ended: bool = False) -> Facts | None:
        """What the ledger must be told now, once; at its end a trial tells even that it tried nothing."""
        facts, self._untold = self._untold, self._nothing()
        if (
            facts.trial
            and not (facts.good or facts.bad or facts.rejected or facts.away)
            and not (ended and not self._told)
        ):
            return None
        if not facts.matters:
            return None
        self._told = True
        return facts

    def _nothing(self) -> Facts:
        opening = None if self.choice.health.stand is Stand.CLOSED else self.choice.health.since
        return Facts(opening=opening, trial=self.choice.trial)

    def _a_slow_one(self) -> Facts:
        return Facts(slow=1, why=f"no answer within {self.breaker.slow_after.total_seconds():g} seconds")

    def _learn(self, one: Facts) -> None:
        if one.bad and self._first_in_a_while():
            # What went well before says nothing of now: a thousand quick answers would outweigh all that can hang.
            self._untold, self._unfolded = replace(self._untold, good=0), replace(self._unfolded, good=0)
        self._untold = _together(self._untold, one)
        self._unfolded = _together(self._unfolded, one)
        if not (one.bad or one.rejected or one.away):
            return
        before = self._local
        self._local = learned(self.breaker, before, self._unfolded, self.database_now())
        self._unfolded = self._nothing()
        if self._local.stand is not Stand.CLOSED and self._local.since != before.since:
            self.turned, self.may_claim = True, False

    def _first_in_a_while(self) -> bool:
        begun = self._local.counted_from
        return self._local.stand is Stand.CLOSED and (
            begun is None or self.database_now() - begun > self.breaker.within
        )


def _together(some: Facts, more: Facts) -> Facts:
    return replace(
        some,
        good=some.good + more.good,
        errors=some.errors + more.errors,
        slow=some.slow + more.slow,
        why=more.why or some.why,
        rejected=some.rejected or more.rejected,
        away=some.away or more.away,
    )


class Failover:
    """One call of `deliver` for an account with several gateways: a run at a time, and the ends of those before it."""

    def __init__(
        self,
        ports: Ports,
        ways: Mapping[str, Way],
        lane: Lane,
        *,
        breaker: Breaker,
        database_now: Callable[[], datetime],
        actor: Actor,
        over: Callable[[], bool],
        start: Callable[[Failover, Way, Watch], Coroutine[Any, Any, int]],
    ) -> None:
        self._ports, self._ways, self._lane = ports, ways, lane
        self._breaker, self._now, self._actor = breaker, database_now, actor
        self._over, self._start = over, start
        self._account = next(iter(ways.values())).account.id
        self._runs: dict[asyncio.Task[int], Watch] = {}
        self._fault: BaseException | None = None
        self._count = 0

    async def through(self) -> int:
        """Run by one gateway after the other until nothing more is to be done; how many deliveries were started."""
        try:
            while await self._one_more():
                pass
        finally:
            while self._runs:
                await self._wait(self._runs)
        if self._fault is not None:
            raise self._fault
        return self._count

    def note(self, watch: Watch, *, ended: bool = False) -> Callable[[Transaction], None] | None:
        """What a transaction is to write of a gateway's health, None for nothing."""
        facts = watch.take(ended=ended)
        if facts is None:
            return None
        way, order = self._ways[watch.choice.gateway], tuple(self._ways)
        return partial(note, way=way, facts=facts, order=order, breaker=self._breaker, actor=self._actor)

    async def _one_more(self) -> bool:
        """A run by whichever gateway is chosen now; whether there may be more to do after it."""
        choice = await asyncio.to_thread(self._choose)
        if choice is None or self._over() or self._fault is not None:
            return False
        watch = Watch(choice, self._breaker, self._now)
        run = asyncio.create_task(self._start(self, self._ways[choice.gateway], watch))
        self._runs[run] = watch
        if watch.trial:  # the others do not wait for its end
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(watch.claimed.wait(), FIRST_CLAIM.total_seconds())
            return True
        while not run.done() and watch.may_claim:
            await self._wait([run])
        if not watch.may_claim:
            return True
        # Nothing is due. While the last calls of an earlier one hang, what they come to may be, and what is new.
        if self._runs:
            await self._wait(self._runs)
        return bool(self._runs)

    async def _wait(self, runs: Iterable[asyncio.Task[int]]) -> None:
        """For a moment, or until one of these ends; then see what there is to see of all."""
        await asyncio.wait(list(runs), timeout=EVERY.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
        for run, watch in list(self._runs.items()):
            watch.look()
            if ended := run.done():
                del self._runs[run]
                self._end(run)
            if ended or watch.turned:
                await asyncio.to_thread(self._tell, watch, ended=ended)
        if self._runs:
            await asyncio.to_thread(self._see)

    def _end(self, run: asyncio.Task[int]) -> None:
        if (fault := run.exception()) is not None:
            self._fault = self._fault or fault
        else:
            self._count += run.result()

    def _tell(self, watch: Watch, *, ended: bool) -> None:
        if (work := self.note(watch, ended=ended)) is not None:
            self._quietly(lambda: self._ports.ledger.transact(work))

    def _see(self) -> None:
        def look() -> None:
            with self._ports.ledger.look() as tx:
                known, now = tx.gateways.of(self._account), tx.now
            choice = choose(tuple(self._ways), known, self._lane, now, breaker=self._breaker)
            for watch in self._runs.values():
                watch.see(choice, known.get(watch.choice.gateway, WELL))

        self._quietly(look)

    def _choose(self) -> Choice | None:
        """The gateway to go by now; a trial is begun with it."""
        order = tuple(self._ways)
        with self._ports.ledger.look() as seen:
            known = seen.gateways.of(self._account)
            choice = choose(order, known, self._lane, seen.now, breaker=self._breaker)
        if choice is None or not choice.trial:
            return choice

        def begin(tx: Transaction) -> Choice | None:
            known = tx.gateways.of(self._account, locked=True)
            mine = choose(order, known, self._lane, tx.now, breaker=self._breaker)
            if mine is not None and mine.trial:
                mine = replace(mine, health=tried(self._breaker, mine.health, tx.now))
                tx.gateways.keep(self._account, mine.gateway, mine.health)
            return mine

        return self._ports.ledger.transact(begin)

    def _quietly(self, work: Callable[[], object]) -> None:
        """A ledger that is away keeps nothing from being sent that the brake lets through."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - health is advice: it is learned again
            log.warning("the health of gateways waits for the ledger: %s", type(error).__name__)
