"""Dispatch: claim ahead, commit the start, talk, write back; the ledger decides, the channel only talks.

Four stages run side by side, so that the channel's connections never wait for the database:

    claim (a thread)  →  start (a thread)  →  the channel's own senders  →  write back (a thread)

No transaction is open and no connection held while the channel talks. What is started and not yet written back
is bounded by two windows: that is all that a process killed at any moment can leave uncertain.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from broker import accounts, posture
from broker.actor import Actor
from broker.brake import Brake, InHand
from broker.channel import Channel, Item, Key, NotStarted, Outcome, SendsMany, Traits
from broker.claim import Claimed, PolicyFailed, claim
from broker.errors import AccountRejected, DeliveryFailure, Uncertain
from broker.outcomes import Tried, result_of
from broker.ports import AccountRow, Lane, Picked, Ports, Result, Started, StopKind
from broker.render import Rendered, Renderer
from broker.write_back import write_back

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tempo:
    """How much one worker takes at a time. The defaults are measured: see docs/performance.md."""

    chunk: int = 200  # deliveries a claim
    lease: timedelta = timedelta(seconds=90)
    margin: timedelta = timedelta(
        seconds=30
    )  # a start needs this much lease left: longer than a call may take
    horizon: timedelta = timedelta(seconds=1)  # how far ahead turns are reserved
    brake_wait: timedelta = timedelta(milliseconds=50)


class Rooms:
    """One process's room for windows that are started and not yet written back: two an account, both lanes together.

    It is what bounds the mails that a killed process leaves uncertain. One object a process, used on its loop.
    """

    WINDOWS = 2

    def __init__(self) -> None:
        self._rooms: dict[str, asyncio.Semaphore] = {}

    def of(self, account: str) -> asyncio.Semaphore:
        """The account's room."""
        return self._rooms.setdefault(account, asyncio.Semaphore(self.WINDOWS))


@dataclass(frozen=True, slots=True)
class Process:
    """What one worker process has of its own, for all its deliveries: its brake, its rooms, and its name as actor."""

    brake: Brake
    actor: Actor
    rooms: Rooms = field(default_factory=Rooms)


async def deliver(
    ports: Ports,
    account: str,
    lane: Lane,
    *,
    process: Process,
    budget: timedelta,
    stopping: Callable[[], bool] = lambda: False,
    tempo: Tempo = Tempo(),
) -> int:
    """Send what is due on one account and lane until nothing is, the budget is used or `stopping` says so.

    Runs on the process's one long-lived loop. Returns how many deliveries were started. What was claimed and
    not started is given back; what was started is always written back, however long the ledger is away.
    """
    row = await asyncio.to_thread(_account, ports, account)
    if row is None:
        return 0
    channel = await asyncio.to_thread(ports.channels.open, account)
    await asyncio.to_thread(posture.look_if_old, ports, row, channel, actor=process.actor)
    until = time.monotonic() + budget.total_seconds()

    def over() -> bool:
        return stopping() or time.monotonic() >= until

    run = _Run(ports, row, channel, lane, process=process, tempo=tempo, over=over)
    return await run.through()


def _account(ports: Ports, name: str) -> AccountRow | None:
    with ports.ledger.begin() as tx:
        return tx.accounts.named(name)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A claimed delivery with its message, waiting for its start; `turn` is its moment on the monotonic clock."""

    picked: Picked
    rendered: Rendered
    turn: float


class _Run:
    """One call of `deliver`."""

    def __init__(
        self,
        ports: Ports,
        account: AccountRow,
        channel: Channel,
        lane: Lane,
        *,
        process: Process,
        tempo: Tempo,
        over: Callable[[], bool],
    ) -> None:
        self.ports, self.account, self.channel, self.lane = ports, account, channel, lane
        self.brake, self.actor, self.tempo = process.brake, process.actor, tempo
        self.budget_over = over
        self.traits: Traits = channel.traits
        # Where nothing can be looked up, few may be started at a time; where it can, a whole chunk.
        self.window = tempo.chunk if self.traits.can_reconcile else min(self.traits.window, tempo.chunk)
        self.renderer = Renderer(ports, channel)
        self.claimed: asyncio.Queue[list[_Ready] | None] = asyncio.Queue(maxsize=1)
        self.started: asyncio.Queue[list[tuple[Item, float]] | None] = asyncio.Queue()
        self.room = process.rooms.of(account.name)
        self.tried: dict[int, Tried] = {}  # started, and no outcome yet
        self.taken: set[int] = set()  # of those, handed to the channel
        self.handed_over: set[int] = set()  # deliveries whose start is known to be committed
        self.done: list[tuple[Tried, Outcome]] = []
        self.left_in_window: dict[int, int] = {}  # window number → outcomes still missing
        self.window_of: dict[int, int] = {}
        self.writes: set[asyncio.Task[None]] = set()
        self.count = 0
        self.last_turn = 0.0
        self.broken_off = False

    def over(self) -> bool:
        """Whether nothing more is to be started."""
        return self.broken_off or self.budget_over()

    async def through(self) -> int:
        """All four stages, until there is nothing more to do."""
        stages = [asyncio.create_task(self._claim_ahead()), asyncio.create_task(self._start_ahead())]
        try:
            async for key, outcome in self._talk():
                self._heard(key, outcome)
        except Exception as error:  # noqa: BLE001 - a channel must not raise here: what it took may have left
            log.error("channel %s broke off: %s", self.channel.name, type(error).__name__)
        finally:
            await self._wind_up(stages)
        return self.count

    # --- claim ---------------------------------------------------------------------------------------------------

    async def _claim_ahead(self) -> None:
        try:
            while not self.over():
                if not self.brake.fresh():
                    await asyncio.sleep(self.tempo.brake_wait.total_seconds())
                    continue
                began = self.brake.clock()
                got = await self._claim(began)
                if got is None:
                    continue
                if got.turns.count and not got.looked_at:
                    return
                if not got.turns.count:
                    await asyncio.sleep(min(got.turns.wait, self.tempo.horizon).total_seconds() or 0.01)
                    continue
                ready = await asyncio.to_thread(self._prepare, got)
                if ready:
                    await self.claimed.put(ready)
        finally:
            await self.claimed.put(None)

    async def _claim(self, began: float) -> Claimed | None:
        """One claim; None when a rule failed and its account has just been paused."""
        try:
            got = await asyncio.to_thread(
                claim,
                self.ports,
                self.account,
                self.channel,
                self.lane,
                most=self.tempo.chunk,
                within=self.tempo.horizon,
                lease=self.tempo.lease,
                actor=self.actor,
            )
        except PolicyFailed as fault:
            await self._pause("policy_failed", str(fault))
            return None
        self.brake.take((one.delivery, self._depends(one, began)) for one in got.taken)
        return got

    def _depends(self, one: Picked, began: float) -> InHand:
        subjects = {
            (StopKind.ANNOUNCEMENT, one.announcement),
            (StopKind.ACCOUNT, self.account.id),
            *((StopKind.PERSON, cover.person) for cover in one.case.covers),
        }
        if one.address_id is not None:
            subjects.add((StopKind.ADDRESS, one.address_id))
        ours_until = began + (self.tempo.lease - self.tempo.margin).total_seconds()
        return InHand(began, ours_until, one.fence, one.case.expires_at, frozenset(subjects))

    def _prepare(self, got: Claimed) -> list[_Ready]:
        """Render what was claimed; a wording that cannot be rendered holds its announcement on this channel."""
        first = time.monotonic() + got.turns.wait.total_seconds()
        interval = got.turns.interval.total_seconds()
        ready, broken = [], []
        for place, one in enumerate(got.taken):
            rendered = self.renderer.render(one)
            if rendered is None:
                broken.append(one)
            else:
                ready.append(_Ready(one, rendered, first + place * interval if interval else 0.0))
        if broken:
            self.renderer.hold(broken, self.account, actor=self.actor)
            self.brake.let_go(one.delivery for one in broken)
        return ready

    # --- start ---------------------------------------------------------------------------------------------------

    async def _start_ahead(self) -> None:
        numbers = itertools.count(1)
        try:
            while (chunk := await self.claimed.get()) is not None:
                try:
                    await self._start_chunk(chunk, numbers)
                except Exception:
                    self.broken_off = True
                    await self._give_back_rest(chunk)
                    raise
        finally:
            await self.started.put(None)

    async def _start_chunk(self, chunk: Sequence[_Ready], numbers: Iterator[int]) -> None:
        for at in range(0, len(chunk), self.window):
            window = chunk[at : at + self.window]
            if not await self._room_for_one():
                await self._give_back(window)
                continue
            try:
                held = await self._start(next(numbers), window)
            except BaseException:
                self.room.release()
                raise
            if not held:
                self.room.release()

    async def _give_back_rest(self, chunk: Sequence[_Ready] | None) -> None:
        """After a fault: what is not started goes back, and the claiming stage is not left waiting for a reader.

        A start whose commit was lost on the way may be among it: nobody has been handed it, so it did not leave.
        """
        while chunk is not None:
            mine = [one for one in chunk if one.picked.delivery not in self.handed_over]
            with contextlib.suppress(Exception):  # the ledger may be away still; their lease ends by itself
                await self._give_back(mine)
            chunk = await self.claimed.get()

    async def _room_for_one(self) -> bool:
        """Wait until one more window may be started; False when nothing more is to be."""
        while not self.over():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.tempo.brake_wait.total_seconds()):
                    await self.room.acquire()
                    return True
        return False

    async def _start(self, number: int, window: Sequence[_Ready]) -> bool:
        """Commit the start of one window; False when nothing of it was still ours."""
        attempts = await asyncio.to_thread(self._commit_start, window)
        items: list[tuple[Item, float]] = []
        for one in window:
            attempt = attempts.get(one.picked.delivery)
            if attempt is None:  # the lease ran out under us: somebody else has it
                self.brake.let_go([one.picked.delivery])
                continue
            token = self.ports.signer.sign("attempt", str(attempt))
            key = Key(one.picked.delivery, attempt, one.picked.fence, token)
            self.tried[attempt] = Tried(one.picked, key, one.rendered.commitment)
            self.handed_over.add(one.picked.delivery)
            self.window_of[attempt] = number
            items.append((Item(key, one.rendered.message, one.rendered.to), one.turn))
        if not items:
            return False
        self.left_in_window[number] = len(items)
        self.count += len(items)
        await self.started.put(items)
        return True

    def _commit_start(self, window: Sequence[_Ready]) -> dict[int, int]:
        starts = [
            Started(one.picked.delivery, one.picked.fence, one.rendered.message.digest) for one in window
        ]

        return dict(
            self.ports.ledger.transact(
                lambda tx: tx.deliveries.start(
                    self.account, self.channel.name, starts, margin=self.tempo.margin
                )
            )
        )

    async def _give_back(self, window: Sequence[_Ready]) -> None:
        pairs = [(one.picked.delivery, one.picked.fence) for one in window]
        await asyncio.to_thread(self.ports.ledger.transact, lambda tx: tx.deliveries.release(pairs))
        self.brake.let_go(delivery for delivery, _ in pairs)

    # --- talk ----------------------------------------------------------------------------------------------------

    async def _items(self) -> AsyncIterator[Item]:
        """What the channel pulls: each item at its turn, in the order of the starts."""
        while (items := await self.started.get()) is not None:
            for item, turn in items:
                if turn:
                    await self._wait_for(turn)
                self.taken.add(item.key.attempt)
                yield item

    async def _wait_for(self, turn: float) -> None:
        """Sleep until this turn; after a stall the turns missed are not made up for in a burst."""
        interval = 1 / self.account.per_second if self.account.per_second else 0.0
        moment = max(turn, self.last_turn + interval)
        delay = moment - time.monotonic()
        if delay > 0:
            await asyncio.sleep(delay)
        self.last_turn = max(moment, time.monotonic())

    async def _talk(self) -> AsyncIterator[tuple[Key, Outcome]]:
        if isinstance(self.channel, SendsMany):
            async for pair in self.channel.send_many(self._items(), may_start=self.brake.may_start):
                yield pair
            return
        async for item in self._items():
            yield item.key, await asyncio.to_thread(self._send_one, item)

    def _send_one(self, item: Item) -> Outcome:
        if not self.brake.may_start(item.key):
            return NotStarted()
        try:
            return self.channel.send(item.message, item.to, key=item.key)
        except DeliveryFailure as failure:
            return failure
        except Exception as error:  # noqa: BLE001 - unforeseen: it may have left, so it is never tried again blindly
            return Uncertain(f"the channel failed with {type(error).__name__}", code="unforeseen")

    # --- write back ----------------------------------------------------------------------------------------------

    def _heard(self, key: Key, outcome: Outcome) -> None:
        tried = self.tried.pop(key.attempt, None)
        if tried is None:
            return
        self.taken.discard(key.attempt)
        self.done.append((tried, outcome))
        number = self.window_of.pop(key.attempt)
        self.left_in_window[number] -= 1
        if not self.left_in_window[number]:
            del self.left_in_window[number]
            self._flush(frees=1)

    def _flush(self, *, frees: int) -> None:
        batch, self.done = self.done, []
        task = asyncio.create_task(self._write(batch, frees))
        self.writes.add(task)
        task.add_done_callback(self.writes.discard)

    async def _write(self, batch: Sequence[tuple[Tried, Outcome]], frees: int) -> None:
        results = [self._result(tried, outcome) for tried, outcome in batch]
        failures = [outcome for _, outcome in batch if isinstance(outcome, DeliveryFailure)]
        try:
            await asyncio.to_thread(write_back, self.ports, self.account, results, batch, actor=self.actor)
        finally:
            self.brake.let_go(result.delivery for result in results)
            for _ in range(frees):
                self.room.release()
        refused = next((f for f in failures if isinstance(f, AccountRejected)), None)
        if refused is not None:
            await self._pause("account_rejected", refused.why)

    async def _pause(self, kind: str, why: str) -> None:
        name = self.account.name
        await asyncio.to_thread(accounts.pause, self.ports, name, why, actor=self.actor, alarm=kind)

    def _result(self, tried: Tried, outcome: Outcome) -> Result:
        return result_of(
            tried,
            outcome,
            retry=self.channel.retry,
            traits=self.traits,
            now=self.brake.database_now(),
            spread=random.random(),
        )

    async def _wind_up(self, stages: Sequence[asyncio.Task[None]]) -> None:
        """Account for everything: what the channel took and never answered may have left, the rest did not.

        The stages are never cancelled, for a claim in a thread would commit all the same: they see that it is
        over, and are waited for.
        """
        self.broken_off = True
        ended = await asyncio.gather(*stages, return_exceptions=True)
        broke_off = Uncertain("the channel broke off before it answered", code="unforeseen")
        for attempt, tried in list(self.tried.items()):
            self._heard(tried.key, broke_off if attempt in self.taken else NotStarted())
        if self.done:
            self._flush(frees=0)
        while self.writes:
            await asyncio.gather(*self.writes, return_exceptions=True)
        for fault in ended:
            if isinstance(fault, Exception):
                raise fault
