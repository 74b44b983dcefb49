"""The law of ladders: whether a duty stays where it is or climbs to the next way, and why. Pure; `now` is a fact."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from broker.delivery import State

SHEET = "sheet"  # the last step of every ladder, by the word that people type


class Need(StrEnum):
    """What keeps the next way closed: a message that left, one that arrived, or somebody who said so."""

    REACHED = "reached"
    DELIVERED = "delivered"
    SEEN = "seen"


class Climbed(StrEnum):
    """Why a duty went on to the next way (docs/decisions/0036-ladders.md)."""

    NOT_APPLICABLE = "not_applicable"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    NOT_REACHED = "not_reached"
    NOT_DELIVERED = "not_delivered"
    NOT_SEEN = "not_seen"
    DEADLINE_NEARER = "deadline_nearer"


IN_WORDS = {
    Climbed.NOT_APPLICABLE: "the way before has no number, address or account to use",
    Climbed.FAILED: "the way before failed",
    Climbed.UNCERTAIN: "nobody knows whether the way before arrived",
    Climbed.NOT_REACHED: "the way before had not reached anybody in time",
    Climbed.NOT_DELIVERED: "nothing was known to have arrived in time",
    Climbed.NOT_SEEN: "nobody had said in time that it was seen",
    Climbed.DEADLINE_NEARER: "its time came before it was known whether the way before arrived",
}
_LATE = {
    Need.REACHED: Climbed.NOT_REACHED,
    Need.DELIVERED: Climbed.NOT_DELIVERED,
    Need.SEEN: Climbed.NOT_SEEN,
}


@dataclass(frozen=True, slots=True)
class Opening:
    """When a later step opens: once the earlier ones have failed, and at the latest `at` unless `unless` holds.

    `at`: an instant, or how long after the announcement is due; None for only once they have failed.
    """

    at: datetime | timedelta | None = None
    unless: Need = Need.REACHED

    def by(self, due_at: datetime) -> datetime | None:
        """The instant."""
        return due_at + self.at if isinstance(self.at, timedelta) else self.at


@dataclass(frozen=True, slots=True)
class Ladder:
    """The later steps of an announcement: an opening for each step after the first, the slip sheet last.

    `seen`: its messages carry the link by which somebody says that it was seen.
    """

    openings: tuple[Opening, ...]
    seen: bool = False

    @property
    def sheet(self) -> int:
        """The step that is the slip sheet; the first way is 0."""
        return len(self.openings)

    @property
    def asks(self) -> bool:
        """Whether somebody is asked to say that it was seen."""
        return self.seen or any(opening.unless is Need.SEEN for opening in self.openings)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger knows of one duty on a ladder. `step` is its rung. Broadcasts count for nothing.

    The rest as in `broker.duty.DutyFacts`, over all steps so far: `under_way` is queued or sending, `looking`
    uncertain with a look-up due, `doubtful` uncertain without one. `covered`: a delivery of this very step tells of it.
    `opened_at`: when its rung opened, None on the first. `again_at`: when it was last said again, which gives each
    further way its time anew.
    """

    duty: int
    step: int
    acknowledged: bool = False
    covered: bool = False
    reached: bool = False
    delivered: bool = False
    under_way: bool = False
    looking: bool = False
    doubtful: bool = False
    opened_at: datetime | None = None
    again_at: datetime | None = None

    def has(self, need: Need) -> bool:
        """Whether what an opening asks about has happened; who has seen it has been reached."""
        met = {Need.REACHED: self.reached or self.delivered, Need.DELIVERED: self.delivered}
        return self.acknowledged or met.get(need, False)


@dataclass(frozen=True, slots=True)
class Stay:
    """It stays. `resting`: until something happens to it; else it waits, at the latest `until`."""

    resting: bool
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Climb:
    """It goes to the next step."""

    step: int
    why: Climbed


def next_move(
    standing: Standing,
    opens: Sequence[tuple[datetime | None, Need]],
    now: datetime,
    *,
    look_ups_first: bool,
    least: timedelta = timedelta(0),
) -> Stay | Climb:
    """Where a duty goes from its rung. `opens`: for each later step when at the latest, and unless what.

    A way that opened when the next one's time had passed already, for nothing ran in between, has its `least` first.
    The caller has seen to it that the announcement is planned, and not over: expiry ends all.
    """
    if standing.acknowledged or standing.step >= len(opens):
        return Stay(resting=True)
    at, unless = opens[standing.step]
    if at is not None and standing.opened_at is not None and standing.opened_at >= at:
        at = standing.opened_at + least
    if standing.has(unless):
        return Stay(resting=True)
    hopeful = standing.reached or standing.delivered or standing.under_way
    if not hopeful and not (standing.looking and look_ups_first):
        return Climb(standing.step + 1, _spent(standing))
    if at is not None and now >= at:
        return Climb(standing.step + 1, _LATE[unless] if hopeful else Climbed.DEADLINE_NEARER)
    return Stay(resting=False, until=at)


def times(
    ladder: Ladder, due_at: datetime, begun_at: datetime, least: timedelta
) -> Sequence[tuple[datetime | None, Need]]:
    """When each later step opens at the latest. What began late gives each of its ways `least` all the same."""
    return [
        (None if at is None else max(at, begun_at + place * least), opening.unless)
        for place, opening in enumerate(ladder.openings, start=1)
        for at in (opening.by(due_at),)
    ]


def said_later(ladder: Ladder, begins_at: datetime, least: timedelta, expires_at: datetime) -> Ladder:
    """The ladder of what is said once more, and later: a time that is too near by now comes so much later.

    Where that were past the expiry, its way opens only when those before it have failed.
    """
    openings = []
    for place, opening in enumerate(ladder.openings, start=1):
        at = opening.at
        if isinstance(at, datetime):
            at = max(at, begins_at + 2 * least * place)
            at = at if at < expires_at else None
        openings.append(replace(opening, at=at))
    return Ladder(tuple(openings), ladder.seen)


def too_soon(
    ladder: Ladder, due_at: datetime, begins_at: datetime, least: timedelta
) -> tuple[int, datetime] | None:
    """The first opening that leaves the way before it no time, and when it could be at the earliest; None for none.

    `begins_at`: when the rules let the first way begin.
    """
    earliest = begins_at + least
    for place, opening in enumerate(ladder.openings, start=1):
        at = opening.by(due_at)
        if at is not None and at < earliest:
            return place, earliest
        earliest = (earliest if at is None else at) + least
    return None


def too_late(ladder: Ladder, due_at: datetime, expires_at: datetime) -> int | None:
    """The first opening that would come at the expiry or after it; None for none."""
    for place, opening in enumerate(ladder.openings, start=1):
        at = opening.by(due_at)
        if at is not None and at >= expires_at:
            return place
    return None


class Outcome(StrEnum):
    """What a step came to for somebody, in words for a page. What cannot be used is no failure."""

    CLOSED = "not opened"
    NOT_APPLICABLE = "not applicable"
    WAITING = "under way"
    SENT = "sent"
    DELIVERED = "delivered"
    UNCERTAIN = "uncertain"
    FAILED = "failed"
    ON_SHEET = "on the slip sheet"


def outcome(states: Collection[State], *, opened: bool) -> Outcome:
    """What a way came to, by the states of its deliveries that tell of somebody: the best of them."""
    if not opened:
        return Outcome.CLOSED
    if not states:
        return Outcome.NOT_APPLICABLE
    for state, came_to in _BEST_FIRST:
        if state in states:
            return came_to
    return Outcome.FAILED


_BEST_FIRST = (
    (State.DELIVERED, Outcome.DELIVERED),
    (State.SENT, Outcome.SENT),
    (State.SENDING, Outcome.WAITING),
    (State.QUEUED, Outcome.WAITING),
    (State.UNCERTAIN, Outcome.UNCERTAIN),
)


def seen_by_enough(said: Collection[int], asked: Collection[int], *, all_guardians: bool) -> bool:
    """Whether a duty is acknowledged: by anybody, or by each guardian whom a way reaches.

    Where no guardian is asked (staff, a pupil told alone) one suffices.
    """
    if not said:
        return False
    return not all_guardians or set(asked) <= set(said)


def _spent(standing: Standing) -> Climbed:
    if standing.looking or standing.doubtful:
        return Climbed.UNCERTAIN
    return Climbed.FAILED if standing.covered else Climbed.NOT_APPLICABLE
