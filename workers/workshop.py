"""The workshop: what one worker process works with, and the three kinds of work it does.

The embedded worker and the Redis worker are the same workshop behind different doors. Hints come in through tasks; the
ticker sweeps every second whatever becomes of the queue; the brake is read five times a second.
"""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable, Hashable, Mapping
from datetime import timedelta
from uuid import UUID

from broker import dispatch, fanout, reconcile, retract, sweep, webhooks
from broker.actor import Actor, ActorKind
from broker.brake import Brake
from broker.diary import reminding, scheduler
from broker.ladders import climbing
from broker.licences import oversight
from broker.ports import Ports
from broker.sweep import Report
from broker.values import FanOutHint, Hint, Lane
from config.logs import told
from workers.every import Every
from workers.loop import Loop
from workers.one_at_a_time import OneAtATime
from workers.turns import Turns

log = logging.getLogger(__name__)

SWEEP_EVERY = timedelta(seconds=1)
OVERSEE_EVERY = timedelta(seconds=15)  # what is looked at then has a pace of its own
BRAKE_EVERY = timedelta(milliseconds=200)  # the law is 250 ms; the refresh itself takes some of it


def threads_for(accounts: int) -> int:
    """Task threads that suffice: one for each account and lane, for a process runs one delivering of each, and four."""
    return 2 * accounts + 4


class Workshop:
    """One process's means of work. `start()` it, give it hints, `stop()` it warmly: what is in hand is finished."""

    def __init__(
        self,
        ports: Ports,
        *,
        name: str,
        budget: timedelta,
        stalled_after: timedelta = timedelta(minutes=15),
        looks_every: timedelta = SWEEP_EVERY,
    ) -> None:
        self.name = name
        self._ports = ports
        self._budget = budget
        self._actor = Actor(ActorKind.SYSTEM, name)
        self._brake = Brake(ports.ledger)
        self._process = dispatch.Process(self._brake, self._actor)
        self._loop = Loop()
        self._in_hand = OneAtATime()
        self._stopping = threading.Event()
        self._failing: Mapping[str, str] = {}  # chores of the sweep, and what they raise
        self._turns = Turns(after=stalled_after)
        # Hundreds of look-ups at a slow provider are one turn, and each of them has a time limit of its own.
        self._long_turns = Turns(after=8 * stalled_after)
        self._braking = Every("brake", BRAKE_EVERY, self._brake.refresh, turns=self._turns)
        self._ticking = Every("sweep", SWEEP_EVERY, self.sweep, turns=self._turns)
        self._looking = Every("what is due", looks_every, self.hint, turns=self._turns)
        self._asking = Every("look-ups", SWEEP_EVERY, self.look_up, turns=self._long_turns)
        self._taking_back = Every("retractions", SWEEP_EVERY, self.take_back, turns=self._long_turns)
        self._overseeing = Every("oversight", OVERSEE_EVERY, self.oversee, turns=self._long_turns)
        self._telling = Every("webhooks", SWEEP_EVERY, self.tell_programs, turns=self._long_turns)
        self._scheduling = Every("schedules", SWEEP_EVERY, self.announce_due, turns=self._long_turns)
        self._climbing = Every("ladders", SWEEP_EVERY, self.climb, turns=self._long_turns)
        self._threads = set[threading.Thread]()

    def start(self, *, alone: bool) -> None:
        """Begin to brake and to sweep. `alone`: no other process works, so what is in hand was in dead hands."""
        gc.collect()
        gc.freeze()  # what is loaded stays: a collection need not walk through it again with every few hundred texts
        if alone:
            sweep.start_alone(self._ports, actor=self._actor)
        self._braking.start()
        self._ticking.start()
        self._looking.start()
        self._asking.start()
        self._taking_back.start()
        self._overseeing.start()
        self._telling.start()
        self._scheduling.start()
        self._climbing.start()

    def stalled(self) -> str:
        """What of this process's work will never end, in words for a log; "" while all goes on."""
        return self._turns.stalled() or self._long_turns.stalled()

    def wind_down(self) -> None:
        """Take no new work from now on; returns at once."""
        self._stopping.set()

    def stop(self) -> None:
        """Take no new work, finish what is in hand, then let go; safe to call twice."""
        self.wind_down()
        self._ticking.stop()
        self._looking.stop()
        self._asking.stop()
        self._taking_back.stop()
        self._overseeing.stop()
        self._telling.stop()
        self._scheduling.stop()
        self._climbing.stop()
        for thread in tuple(self._threads):
            thread.join()
        self._in_hand.wait()
        self._braking.stop()  # last of all: without a fresh brake nothing in hand may start
        self._loop.close()

    def fan_out(self, announcement: UUID) -> None:
        """Plan one announcement, if there is one to plan."""
        self._do(("fan_out", announcement), lambda: self._fan_out(announcement))

    def deliver(self, account: str, lane: Lane) -> None:
        """Send what is due on one account, for as long as there is any."""
        self._do(("deliver", account, lane.value), lambda: self._deliver(account, lane))

    def sweep(self) -> None:
        """Find what is due, expired, lost or to be sealed. One sweeper at a time: the ledger sees to that."""
        if not self._stopping.is_set():
            self._tell(sweep.run(self._ports, actor=self._actor))

    def hint(self) -> None:
        """Find what is due and no hint told of."""
        if not self._stopping.is_set():
            sweep.hint(self._ports)

    def _tell(self, report: Report) -> None:
        """A chore that fails is told once, not every second of a night in which the database is away."""
        for chore, fault in report.failed.items() - self._failing.items():
            log.error("sweep: %s failed and is tried again: %s", chore, fault)
        for chore in self._failing.keys() - report.failed.keys():
            log.warning("sweep: %s works again", chore)
        self._failing = report.failed

    def look_up(self) -> None:
        """Ask providers about what is uncertain and due; on a turn of its own, for they may take their time."""
        if not self._stopping.is_set():
            reconcile.look_up_due(self._ports, actor=self._actor)

    def take_back(self) -> None:
        """Delete what the public should see no more; on a turn of its own, for the same reason."""
        if not self._stopping.is_set():
            retract.take_back_due(self._ports, actor=self._actor)

    def oversee(self) -> None:
        """Look at licences, accounts and what stands on them; on a turn of its own, for the same reason."""
        if not self._stopping.is_set():
            oversight.oversee(self._ports, actor=self._actor)

    def announce_due(self) -> None:
        """Announce what schedules and reminders have due; on a turn of its own, for there may be many."""
        if not self._stopping.is_set():
            scheduler.make_due(self._ports, actor=self._actor, stopping=self._stopping.is_set)
            reminding.make_due(self._ports, actor=self._actor, stopping=self._stopping.is_set)

    def climb(self) -> None:
        """Open the next way for whom the one before did not reach; on a turn of its own, for there may be many."""
        if not self._stopping.is_set():
            climbing.climb(self._ports, actor=self._actor)

    def tell_programs(self) -> None:
        """Tell programs elsewhere what became of deliveries; on a turn of its own, for they may take their time."""
        if not self._stopping.is_set():
            webhooks.tell_due(self._ports)

    def by_hand(self, hint: Hint) -> None:
        """Do the work of a hint that the queue could not take, on a thread of our own."""
        thread = threading.Thread(target=self._by_hand, args=(hint,), name="carillon-by-hand", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _by_hand(self, hint: Hint) -> None:
        try:
            if isinstance(hint, FanOutHint):
                self.fan_out(hint.announcement)
            else:
                self.deliver(hint.account, hint.lane)
        finally:
            self._threads.discard(threading.current_thread())

    def _fan_out(self, announcement: UUID) -> None:
        with self._turns.of(f"planning {announcement}"):
            fanout.plan(self._ports, announcement, actor=self._actor)

    def _deliver(self, account: str, lane: Lane) -> None:
        started = 1
        while started and not self._stopping.is_set():
            turn = dispatch.deliver(
                self._ports,
                account,
                lane,
                process=self._process,
                budget=self._budget,
                stopping=self._stopping.is_set,
            )
            with self._turns.of(f"sending by {account} ({lane.value})"):
                started = self._loop.run(turn)

    def _do(self, key: tuple[Hashable, ...], work: Callable[[], object]) -> None:
        try:
            self._in_hand.run(key, lambda: None if self._stopping.is_set() else work())
        except Exception as error:  # noqa: BLE001 - the ledger holds what was to be done; the sweep hints at it again
            log.error("%s failed: %s", " ".join(map(str, key)), told(error))
