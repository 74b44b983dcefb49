"""Counts that cost what an announcement is large, taken so seldom that watching a bulk send does not slow it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from broker.delivery import FAILED
from broker.duty import DutyState
from ledger.hand import Hand
from ledger.reads import duties
from ledger.reads.watch import Reason, Shown, reasons

T = TypeVar("T")

SHARE = 100  # counting takes at most a hundredth of the time
LONGEST = timedelta(seconds=15)  # or a little more, for nobody should wait for ever
AT_ONCE = 5_000  # deliveries whose people are counted while somebody waits for a page
FRESH = timedelta(seconds=10)  # an acknowledgement moves no delivery: looked for this often
MOST_KEPT = 500


@dataclass(frozen=True, slots=True)
class Counted:
    """How the duties of an announcement stand, and why deliveries failed. `behind`: it has moved on since.

    `for_anybody`: everybody may read it and nobody is addressed, so nobody is counted. `seen`: of how many people
    somebody said that it was seen.
    """

    duties: Mapping[DutyState, int]
    reasons: Sequence[Reason]
    behind: bool = False
    for_anybody: bool = False
    seen: int = 0


@dataclass(frozen=True, slots=True)
class _Known:
    counted: Counted
    of: Any  # what it was counted of
    not_before: float  # monotonic: counted again no sooner
    until: float


class Counts:
    """One for a process; threads share it."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, _Known] = OrderedDict()
        self._people: OrderedDict[int, _Known] = OrderedDict()  # counted together, and without reasons
        self._lock = threading.Lock()
        self._kept: dict[Hashable, tuple[float, Any]] = {}

    def of(self, hand: Hand, shown: Shown, *, exact: bool = False) -> Counted:
        """The counts of an announcement. Without `exact` they may be behind what it is now, and then say so."""
        now, told = time.monotonic(), _fingerprint(shown)
        with self._lock:
            known = self._known.get(shown.announcement.id)
        if known is not None:
            same = known.of == told
            if same and now < known.until:
                return known.counted
            if not exact and now < known.not_before:
                return known.counted if same else replace(known.counted, behind=True)
        return self._count(hand, shown)

    def several(
        self, hand: Hand, rows: Sequence[Shown], *, waits: bool = False
    ) -> Mapping[int, Counted | None]:
        """The counts of several, by their ids inside the ledger; those that are not known yet in one question.

        `waits`: nobody waits for this, so large ones are counted too, each in its turn; else they have none.
        """
        found: dict[int, Counted | None] = {}
        missing: list[Shown] = []
        room, now = AT_ONCE, time.monotonic()
        for row in rows:
            number, told = row.announcement.id, _fingerprint(row)
            known = self._people.get(number) or self._known.get(number)
            size = sum(sum(states.values()) for states in row.channels.values())
            if known is not None and known.of == told and now < known.until:
                found[number] = known.counted
            elif waits and known is not None and now < known.not_before:
                found[number] = replace(known.counted, behind=known.of != told)
            elif size <= room:
                room -= size
                missing.append(row)
            elif waits:
                found[number] = self.of(hand, row)
            else:
                found[number] = replace(known.counted, behind=True) if known else None
        return {**found, **self._count_all(hand, missing)}

    def kept(self, about: Hashable, lasts: timedelta, read: Callable[[], T]) -> T:
        """What was read of something, no longer ago than this; else it is read now."""
        now, known = time.monotonic(), self._kept.get(about)
        if known is not None and now - known[0] < lasts.total_seconds():
            value: T = known[1]
            return value
        value = read()
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[about] = (now, value)
        return value

    def _count_all(self, hand: Hand, rows: Sequence[Shown]) -> Mapping[int, Counted]:
        """Without the reasons, for which nobody asks of several: so what one is known by is not replaced."""
        if not rows:
            return {}
        began = time.monotonic()
        counted = duties.count_of(hand, [row.announcement for row in rows])
        found = {}
        for row in rows:
            people, seen = counted[row.announcement.id]
            nobody = not any(people.values()) and duties.is_for_anybody(hand, row.announcement)
            found[row.announcement.id] = Counted(people, (), for_anybody=nobody, seen=seen)
        for row in rows:
            self._keep(self._people, row, found[row.announcement.id], began)
        return found

    def _count(self, hand: Hand, shown: Shown) -> Counted:
        began = time.monotonic()
        failed = any(FAILED & states.keys() for states in shown.channels.values())
        why = reasons(hand, shown.announcement.id) if failed else ()
        said = shown.announcement
        people, seen = duties.count_with_seen(hand, said)
        for_anybody = not any(people.values()) and duties.is_for_anybody(hand, said)
        counted = Counted(people, why, for_anybody=for_anybody, seen=seen)
        self._keep(self._known, shown, counted, began)
        return counted

    def _keep(self, kept: OrderedDict[int, _Known], shown: Shown, counted: Counted, began: float) -> None:
        ended = time.monotonic()
        wait = min((ended - began) * SHARE, LONGEST.total_seconds())
        fresh = ended + max(wait, FRESH.total_seconds())
        with self._lock:
            kept[shown.announcement.id] = _Known(counted, _fingerprint(shown), ended + wait, fresh)
            kept.move_to_end(shown.announcement.id)
            while len(kept) > MOST_KEPT:
                kept.popitem(last=False)


def _fingerprint(shown: Shown) -> Any:
    return shown.stage, shown.announcement.fanned_out_at, shown.channels
