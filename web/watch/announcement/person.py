"""One person an announcement is about: by which ways they were told, what came of each, what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from broker.address import AddressKind
from broker.announcement import Announcement
from broker.ladders import climbing
from broker.ladders.ladder import Climb, Ladder, Need
from ledger.connect import Transaction
from ledger.ladders.ladders import Ladders
from ledger.reads.duties import is_over
from ledger.reads.ladders import Climber, climber
from ledger.reads.reached import Told, reached
from ledger.reads.tries import Times, times_of


@dataclass(frozen=True, slots=True)
class Next:
    """The next way: which step, when at the latest (None: once those before have failed), and unless what.

    `now`: it opens as soon as somebody looks.
    """

    step: int
    at: datetime | None
    unless: Need
    now: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """One duty in full. `climber` and `next` are of an announcement with ways in order alone."""

    told: Told = field(repr=False)
    times: Mapping[int, Times]
    climber: Climber | None = None
    next: Next | None = None


def person(
    tx: Transaction, announcement: Announcement, duty: int, kinds: Mapping[str, AddressKind]
) -> Person | None:
    """One person's duty; None where the announcement has no such duty."""
    # A way alone has no order to tell of; who said that they had seen it is told as anybody.
    ladder = Ladders(tx.hand).of(announcement.id) if len(announcement.ways) > 1 else None
    if ladder is None:
        found = reached(tx.hand, announcement, after=duty - 1, limit=1, kinds=kinds)
        told = found[0] if found and found[0].duty == duty else None
        return None if told is None else Person(told, _times(tx, told))
    stands = climber(tx.hand, announcement, duty, kinds=kinds)
    if stands is None:
        return None
    coming = _next(tx, announcement, ladder, stands)
    return Person(stands.told, _times(tx, stands.told), stands, coming)


def _times(tx: Transaction, told: Told) -> Mapping[int, Times]:
    return times_of(tx.hand, [way.delivery for way in told.ways])


def _next(tx: Transaction, announcement: Announcement, ladder: Ladder, stands: Climber) -> Next | None:
    """What the climb itself would do: nothing of it is reckoned twice."""
    if is_over(tx.hand, announcement):
        return None
    moves, _ = climbing.foreseen(tx, announcement, ladder, after=stands.duty - 1, limit=1)
    move = moves.get(stands.duty)
    if isinstance(move, Climb):
        return Next(move.step, None, ladder.openings[move.step - 1].unless, now=True)
    if move is None or move.resting or stands.rung >= len(ladder.openings):
        return None
    return Next(stands.rung + 1, move.until, ladder.openings[stands.rung].unless)
