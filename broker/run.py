"""One run of the dispatcher by one gateway: claim ahead, commit the start, talk, write back.

Stages run side by side, so that the channel's connections never wait for the database:

    claim (a thread)  →  two rooms: start (a thread)  →  the channel's own senders  →  write back (a thread)

No transaction is open and no connection held while the channel talks. What is started and not yet written back
is bounded by the rooms, a window each: that is all that a process killed at any moment can leave uncertain. What a
window came to is written back in the transaction that starts the next one in its room, where there is one: a commit
less for every twenty mails.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace

from broker import accounts
from broker.brake import InHand, subjects_of
from broker.channel import Item, Key, NotStarted, Outcome, Traits
from broker.claim import Claimed, claim
from broker.errors import RulesUnreadable, Uncertain
from broker.failover import Failover, Watch, Way
from broker.judging import PolicyFailed
from broker.outcomes import Tried, result_of
from broker.ports import Ports
from broker.ready import Ready, at_their_turns
from broker.render import Renderer
from broker.rooms import Cutter, Rooms, Window
from broker.talk import talk
from broker.tempo import Process, Tempo
from broker.turns import Turns, until_turns
from broker.values import Lane, Picked, Result, Started, Starts
from broker.write_back import write_back_and_start

log = logging.getLogger(__name__)


class Run:
    """One gateway's part of a `deliver`; `several`: where the account has more of them, and this one is watched."""

    def __init__(
        self,
        ports: Ports,
        way: Way,
        lane: Lane,
        *,
        process: Process,
        tempo: Tempo,
        over: Callable[[], bool],
        several: tuple[Failover, Watch] | None,
    ) -> None:
        account, channel = way.account, way.channel
        self.ports, self.account, self.channel, self.lane = ports, account, channel, lane
        self.gateway = way.name
        self.failover: Failover | None = several[0] if several else None
        self.watch: Watch | None = several[1] if several else None
        if self.watch is not None and self.watch.trial:
            tempo = replace(tempo, chunk=tempo.breaker.trials)
        self.brake, self.actor, self.tempo = process.brake, process.actor, tempo
        self.budget_over = over
        self.traits: Traits = channel.traits
        # Where nothing can be looked up, few may be started at a time; where it can, a whole chunk.
        self.window = tempo.chunk if self.traits.can_reconcile else min(self.traits.window, tempo.chunk)
        self.renderer = Renderer(ports, channel)
        self.claimed: Cutter[Ready] = Cutter(self.window)
        self.started: asyncio.Queue[list[tuple[Item, float]] | None] = asyncio.Queue()
        # What settles itself leaves no list for a person that must be short: there each lane has a room of its own, and
        # urgent texts wait for no window of routine ones.
        whose = f"{account.name} {account.gateway}"
        self.room = process.rooms.of(whose, lane if self.traits.settles_itself else None)
        self.tried: dict[int, tuple[Tried, Window]] = {}  # started, and no outcome yet
        self.taken: set[int] = set()  # of those, handed to the channel
        self.count = 0
        self.turns = Turns(account.per_second)
        self.broken_off = False

    def over(self) -> bool:
        """Whether nothing more is to be started."""
        return self.broken_off or self.budget_over() or (self.watch is not None and self.watch.turned)

    def may_claim(self) -> bool:
        """Whether more is to be claimed by this gateway."""
        return not self.over() and (self.watch is None or self.watch.may_claim)

    def may_start(self, key: Key) -> bool:
        """What the brake says; what it lets through is watched, where there is another gateway."""
        if self.watch is None:
            return self.brake.may_start(key)
        if self.watch.turned or not self.brake.may_start(key):
            return False
        self.watch.began(key.attempt)
        return True

    async def through(self) -> int:
        """All stages, until there is nothing more to do."""
        stages = [asyncio.create_task(self._claim_ahead()), asyncio.create_task(self._keep_rooms())]
        try:
            async for key, outcome in talk(self.channel, self._items(), self.may_start):
                self._heard(key, outcome)
        except Exception as error:  # noqa: BLE001 - a channel must not raise here: what it took may have left
            log.error("channel %s broke off: %s", self.channel.name, type(error).__name__)
        finally:
            await self._wind_up(stages)
        return self.count

    # --- claim ---------------------------------------------------------------------------------------------------

    async def _claim_ahead(self) -> None:
        try:
            while self.may_claim():
                if not self.brake.fresh() or self.turns.are_behind(self.tempo.late):
                    await asyncio.sleep(self.tempo.brake_wait.total_seconds())
                    continue
                began = self.brake.clock()
                got = await self._claim(began)
                if got is None:
                    continue
                if got.turns.count and not got.looked_at:
                    return
                if not got.turns.count:
                    await asyncio.sleep(until_turns(got.turns.wait, self.tempo.horizon).total_seconds())
                    continue
                ready = await asyncio.to_thread(self._prepare, got, began)
                if ready:
                    self.turns.reserved(len(ready))
                    await self.claimed.put(ready)
                if self.watch is not None and self.watch.trial:
                    return
        finally:
            if self.watch is not None:
                self.watch.claimed.set()
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
                late=self.turns.worst(),
            )
        except PolicyFailed as fault:
            # Claimed again at once it might fail again, and again; the next turn holds what waits.
            self.broken_off = True
            await self._pause("policy_failed", str(fault))
            return None
        except RulesUnreadable:
            # Nothing more leaves; the sweep raises the alarm, and hints again when they are mended.
            self.broken_off = True
            return None
        self.brake.take((one.delivery, self._depends(one, began, got)) for one in got.taken)
        return got

    def _depends(self, one: Picked, began: float, got: Claimed) -> InHand:
        ours_until = began + (self.tempo.lease - self.tempo.margin).total_seconds()
        case = got.cases.get(one.announcement)
        return InHand(
            began, ours_until, one.fence, one.case.expires_at, subjects_of(one, self.account.id), case
        )

    def _prepare(self, got: Claimed, began: float) -> list[Ready]:
        """Render what was claimed; a wording that cannot be rendered holds its announcement on this channel."""
        ready, broken = at_their_turns(self.renderer, got, began)
        if broken:
            self.renderer.hold(broken, self.account, actor=self.actor)
            self.brake.let_go(one.delivery for one in broken)
        return ready

    # --- start and write back ------------------------------------------------------------------------------------

    async def _keep_rooms(self) -> None:
        """Work in as many rooms as there are; when one breaks, the other ends, and nothing claimed is waited with."""
        rooms = [asyncio.create_task(self._work_in_a_room()) for _ in range(Rooms.WINDOWS)]
        try:
            await asyncio.gather(*rooms)
        finally:
            self.broken_off = True
            await asyncio.gather(*rooms, return_exceptions=True)
            await self.started.put(None)
            while (cut := await self.claimed.next()) is not None:
                # A room broke; else the end of the lease gives them back.
                with contextlib.suppress(Exception):
                    await self._give_back(cut)

    async def _work_in_a_room(self) -> None:
        while (cut := await self.claimed.next()) is not None:
            if not await self._room_for_one():
                await self._give_back(cut)
                continue
            try:
                await self._while_there_is_more(cut)
            finally:
                self.room.leave()

    async def _while_there_is_more(self, cut: Sequence[Ready]) -> None:
        """One window after the other in a room we are in, until none is at hand or somebody else wants in."""
        window = await self._start(cut, None)
        while window is not None:
            await window.ended.wait()
            following = self.claimed.at_hand() if self._may_stay(window) else None
            if following is None:
                await self._write(window)
                return
            window = await self._start(following, window)

    async def _room_for_one(self) -> bool:
        """Wait until one more window may be started; False when nothing more is to be."""
        while not self.over():
            if await self.room.enter(within=self.tempo.brake_wait):
                return True
        return False

    def _may_stay(self, window: Window) -> bool:
        # An account that was rejected is paused before anything else starts on it.
        return not (self.over() or self.room.wanted or window.account_rejected)

    async def _start(self, cut: Sequence[Ready], before: Window | None) -> Window | None:
        """Write back the window before, start the next; None when nothing of it was still ours."""
        try:
            attempts = await asyncio.to_thread(self._commit, cut, before)
        except Exception:
            # Its commit may have been lost on the way back: nobody has been handed it, so it did not leave.
            self.broken_off = True
            with contextlib.suppress(Exception):  # the ledger may be away still; the lease ends by itself
                await self._give_back(cut)
            raise
        finally:
            if before is not None:
                self.brake.let_go(before.deliveries())
        window = Window()
        items: list[tuple[Item, float]] = []
        for one in cut:
            attempt = attempts.get(one.picked.delivery)
            if attempt is None:  # the lease ran out under us: somebody else has it
                self.brake.let_go([one.picked.delivery])
                self.turns.dropped()
                continue
            token = self.ports.signer.sign("attempt", str(attempt))
            key = Key(one.picked.delivery, attempt, one.picked.fence, token)
            self.tried[attempt] = Tried(one.picked, key, one.rendered.commitment, one.rendered.cost), window
            items.append((Item(key, one.rendered.message, one.rendered.to), one.turn))
        if not items:
            return None
        window.left = len(items)
        self.count += len(items)
        if self.broken_off:  # while it was committed: nobody will take them
            for item, _ in items:
                self._heard(item.key, NotStarted())
        else:
            await self.started.put(items)
        return window

    def _commit(self, cut: Sequence[Ready], before: Window | None) -> Mapping[int, int]:
        """Write the window before back and start these, either of which may be none."""
        each = [
            Started(
                one.picked.delivery,
                one.picked.fence,
                one.rendered.message.digest,
                one.rendered.cost,
                one.picked.department_id,
            )
            for one in cut
        ]
        return write_back_and_start(
            self.ports,
            self.account,
            self._results(before) if before else (),
            before.done if before else (),
            Starts(self.gateway, self.tempo.margin, each),
            now=self.brake.database_now(),
            actor=self.actor,
            ahead=self.lane is Lane.URGENT,
            beside=self.failover.note(self.watch) if self.failover and self.watch and before else None,
        )

    async def _write(self, window: Window) -> None:
        try:
            await asyncio.to_thread(self._commit, (), window)
        finally:
            self.brake.let_go(window.deliveries())
        if window.account_rejected and self.watch is None:
            await self._pause("account_rejected", window.account_rejected)

    def _results(self, window: Window) -> list[Result]:
        now = self.brake.database_now()
        return [
            result_of(
                tried,
                outcome,
                retry=self.channel.retry,
                traits=self.traits,
                now=now,
                spread=random.random(),
                elsewhere=self.watch is not None,
            )
            for tried, outcome in window.done
        ]

    async def _give_back(self, cut: Sequence[Ready]) -> None:
        pairs = [(one.picked.delivery, one.picked.fence) for one in cut]
        await asyncio.to_thread(self.ports.ledger.transact, lambda tx: tx.deliveries.release(pairs))
        self.brake.let_go(delivery for delivery, _ in pairs)

    async def _pause(self, kind: str, why: str) -> None:
        name = self.account.name
        await asyncio.to_thread(accounts.pause, self.ports, name, why, actor=self.actor, alarm=kind)

    # --- talk ----------------------------------------------------------------------------------------------------

    async def _items(self) -> AsyncIterator[Item]:
        """What the channel pulls: each item at its turn, in the order of the starts."""
        while (items := await self.started.get()) is not None:
            for item, turn in items:
                await self.turns.use(turn)
                self.taken.add(item.key.attempt)
                yield item

    def _heard(self, key: Key, outcome: Outcome) -> None:
        known = self.tried.pop(key.attempt, None)
        if known is None:
            return
        self.taken.discard(key.attempt)
        if self.watch is not None:
            self.watch.heard(key.attempt, outcome)
        tried, window = known
        window.heard(tried, outcome)

    async def _wind_up(self, stages: Sequence[asyncio.Task[None]]) -> None:
        """Account for everything: what the channel took and never answered may have left, the rest did not.

        The stages are never cancelled, for a claim in a thread would commit all the same: they see that it is
        over, and are waited for.
        """
        self.broken_off = True
        broke_off = Uncertain("the channel broke off before it answered", code="unforeseen")
        for attempt, (tried, _) in list(self.tried.items()):
            self._heard(tried.key, broke_off if attempt in self.taken else NotStarted())
        for fault in await asyncio.gather(*stages, return_exceptions=True):
            if isinstance(fault, Exception):
                raise fault
