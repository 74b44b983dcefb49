"""The brake: asked just before each call, it says whether this one may still start (design §4, §6.5).

One query a worker, four times a second, reads the stop-list. A stop forbids what was in hand when it was first
seen; whatever is claimed after that has been judged with the fact itself. A brake that cannot read says no.

A stop stands for a fact that has changed. What changes by time alone (hours that close, a licence that lapses) needs
none: with each read the announcements in hand are judged again by the same rules, as of now.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from broker.channel import Key
from broker.judging import allowed_still
from broker.ports import Ledger
from broker.rules.case import AnnouncementCase
from broker.values import Picked, Stop, StopKind

EVERY = timedelta(milliseconds=250)
# Of the monotonic clock: after this long without a good read, nothing starts.
STALE = timedelta(milliseconds=750)


class Clock(Protocol):
    """Monotonic seconds."""

    def __call__(self) -> float:
        """Seconds since some moment that never moves."""


@dataclass(frozen=True, slots=True)
class InHand:
    """What one delivery in hand depends on: any stop on any of these forbids it.

    It is ours under `fence` until `ours_until`: whoever begins later could still be talking when the lease ends, and
    when recovery has given the delivery to somebody else.
    """

    claim_began: float  # monotonic, before the claim's transaction began
    ours_until: float  # monotonic, the lease's end less the longest call
    fence: int
    expires_at: datetime
    subjects: Collection[tuple[StopKind, int]]
    case: AnnouncementCase | None = None  # its announcement's, as the claim judged it


def subjects_of(one: Picked, account: int) -> Collection[tuple[StopKind, int]]:
    """Everything whose stop forbids this delivery by this account."""
    subjects = [
        (StopKind.ANNOUNCEMENT, one.announcement),
        (StopKind.ACCOUNT, account),
        (StopKind.DEPARTMENT, one.department_id),
        (StopKind.EVERYTHING, 0),
        *((StopKind.PERSON, cover.person) for cover in one.case.covers),
    ]
    if one.address_id is not None:
        subjects.append((StopKind.ADDRESS, one.address_id))
    return subjects


@dataclass(slots=True)
class Brake:
    """One per worker process; `refresh` is called by its own thread, `may_start` by the senders."""

    ledger: Ledger
    clock: Clock = time.monotonic
    _hand: dict[int, InHand] = field(default_factory=dict)
    _first_seen: dict[int, tuple[Stop, float]] = field(default_factory=dict)
    _read_at: float = float("-inf")
    _database_at_read: datetime | None = None
    _forbidden: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, deliveries: Iterable[tuple[int, InHand]]) -> None:
        """Put deliveries in hand, after their claim committed."""
        with self._lock:
            for delivery, depends in deliveries:
                self._hand[delivery] = depends
                self._forbidden.discard(delivery)
                if any(self._forbids(stop, seen, depends) for stop, seen in self._first_seen.values()):
                    self._forbidden.add(delivery)

    def let_go(self, deliveries: Iterable[int]) -> None:
        """They are no longer in hand."""
        with self._lock:
            for delivery in deliveries:
                self._hand.pop(delivery, None)
                self._forbidden.discard(delivery)

    def refresh(self) -> None:
        """Read the stop-list; an error leaves the last read standing, and it goes stale by itself."""
        asked = self.clock()
        with self.ledger.look() as tx:  # on SQLite a writer's lock would make the brake stale, and stop all
            database_now, stops = tx.stops.recent()
        over = self._over(database_now)
        with self._lock:
            self._forbidden.update(
                delivery for delivery, depends in self._hand.items() if id(depends.case) in over
            )
            self._read_at, self._database_at_read = asked, database_now
            young = {stop.id for stop in stops}
            for stop in stops:
                if stop.id in self._first_seen:
                    continue
                seen = self._first_seen[stop.id] = (stop, self.clock())
                self._forbidden.update(
                    delivery for delivery, depends in self._hand.items() if self._forbids(*seen, depends)
                )
            for old in self._first_seen.keys() - young:
                del self._first_seen[old]

    def _over(self, now: datetime) -> Mapping[int, AnnouncementCase]:
        """Which of the cases in hand the rules allow no more, by the clock alone; by their identity, and kept alive."""
        with self._lock:
            cases = {id(each.case): each.case for each in self._hand.values() if each.case is not None}
        return {one: case for one, case in cases.items() if not allowed_still(case, now)}

    def fresh(self) -> bool:
        """Whether the last good read is young enough to act on."""
        return self.clock() - self._read_at <= STALE.total_seconds()

    def database_now(self) -> datetime:
        """The database's time, as near as the last read tells; the process's own before the first read."""
        if self._database_at_read is None:
            return datetime.now(UTC)
        return self._database_at_read + timedelta(seconds=self.clock() - self._read_at)

    def may_start(self, key: Key) -> bool:
        """Whether this try may begin at this moment. Unknown deliveries may not."""
        now = self.clock()
        since = now - self._read_at
        depends = self._hand.get(key.delivery)
        if depends is None or self._database_at_read is None or since > STALE.total_seconds():
            return False
        if key.delivery in self._forbidden or key.fence != depends.fence or now >= depends.ours_until:
            return False
        return self._database_at_read + timedelta(seconds=since) < depends.expires_at

    @staticmethod
    def _forbids(stop: Stop, first_seen: float, depends: InHand) -> bool:
        # A stop seen before the claim began was committed before it: the claim judged with the fact itself.
        return first_seen >= depends.claim_began and (stop.kind, stop.subject) in depends.subjects


def keep_fresh(brake: Brake, stopped: threading.Event, on_error: Callable[[Exception], None]) -> None:
    """The loop of the brake's thread: refresh, wait, until `stopped` is set. Errors are told and outlived."""
    while not stopped.is_set():
        try:
            brake.refresh()
        except Exception as error:  # noqa: BLE001 - whatever the database does, the brake must go on trying
            on_error(error)
        stopped.wait(EVERY.total_seconds())
