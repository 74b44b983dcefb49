"""Events: rehearsals, concerts and whatever else has a place and a time, as a source tells them.

An event is known by its source, its uid and its *original* wall time: one of a series that is moved keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from broker.ports.outside import Signer
from broker.privacy.known import known_hash

LONGEST = 200  # characters of a title and a place
ALONE = datetime(2000, 1, 1)  # noqa: DTZ001 - a wall time has no zone


@dataclass(frozen=True, slots=True)
class EventProblem:
    """What of a calendar could not be read: where it stands, which rule, in words that repeat nothing of it."""

    where: str  # "events.ics:31", as an editor counts lines; or "event 4"
    code: str
    message: str
    hint: str = ""
    uid: str = ""  # of the event, where so much of it could be read


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """One time of one event, in the school's zone: `original` and `wall` are naive, `starts_at` and `ends_at` UTC.

    `original` is ALONE for what is no series, so that it may move to any day and be known again.
    """

    uid: str
    original: datetime
    wall: datetime
    starts_at: datetime
    ends_at: datetime
    title: str
    place: str = ""
    cancelled: bool = False
    group: str = ""  # whom it is for, where the source tells


def struck_words(signer: Signer, said: str) -> bytes:
    """What a title or a place is known again by, when a calendar tells it after somebody was struck out of it."""
    return known_hash(signer, "event words", said[:LONGEST])


@dataclass(frozen=True, slots=True)
class ToldCalendar:
    """Every event of a source between two days, each time of a series by itself; and what could not be read."""

    events: tuple[ToldEvent, ...]
    problems: tuple[EventProblem, ...] = ()
