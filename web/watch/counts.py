"""Counts that cost what an announcement is large, taken so seldom that watching a bulk send does not slow it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from broker.delivery import FAILED
from broker.duty import DutyState
from ledger.hand import Hand
from ledger.reads import duties
from ledger.reads.health import Health, health
from ledger.reads.watch import Reason, Shown, reasons

SHARE = 100  # counting takes at most a hundredth of the time
LONGEST = timedelta(seconds=15)  # or a little more, for nobody should wait for ever
HEALTH_EVERY = timedelta(seconds=2.5)
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
        self._lock = threading.Lock()
        self._health: tuple[float, Health] | None = None

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
        return self._count(hand, shown, told)

    def health(self, hand: Hand, *, exact: bool = False) -> tuple[Health, bool]:
        """How the house stands, or stood a moment ago (it counts all that waits); and whether that is behind."""
        now, known = time.monotonic(), self._health
        if known is not None and not exact and now - known[0] < HEALTH_EVERY.total_seconds():
            return known[1], True
        self._health = (now, health(hand))
        return self._health[1], False

    def _count(self, hand: Hand, shown: Shown, told: Any) -> Counted:
        began = time.monotonic()
        failed = any(FAILED & states.keys() for states in shown.channels.values())
        why = reasons(hand, shown.announcement.id) if failed else ()
        said = shown.announcement
        people, seen = duties.count_with_seen(hand, said)
        for_anybody = not any(people.values()) and duties.is_for_anybody(hand, said)
        counted = Counted(people, why, for_anybody=for_anybody, seen=seen)
        ended = time.monotonic()
        wait = min((ended - began) * SHARE, LONGEST.total_seconds())
        known = _Known(counted, told, ended + wait, ended + max(wait, FRESH.total_seconds()))
        with self._lock:
            self._known[shown.announcement.id] = known
            self._known.move_to_end(shown.announcement.id)
            while len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)
        return counted


def _fingerprint(shown: Shown) -> Any:
    return shown.stage, shown.announcement.fanned_out_at, shown.channels
