"""A timetable change as the timetable system tells it, how two of them are compared, and how far ahead is told.

Pure. Whatever a source looks like (Untis, a table, a calendar), it becomes `TimetableChange`s, which are compared by
their natural key: the day, the period and the lesson that it is about.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from itertools import count
from statistics import median
from typing import TypeVar

FURTHEST = 40  # days to look ahead for a school day: longer than any holiday
USUAL = 20  # pushes with changes that say what is usual
MANY_TIMES = 5  # the usual number: far more than that
WIPED = 10  # so many taken back at once, and nothing left of what was told
NO_LESSON = "0"  # as Untis numbers what is none of the timetable's lessons
T = TypeVar("T")
_NONE: Mapping[str, str] = {}
_NO_STARTS: Mapping[str, time] = {}
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)


class ChangeKind(StrEnum):
    """What becomes of a lesson."""

    CANCELLED = "cancelled"
    COVER = "cover"
    ROOM = "room"
    EXCHANGE = "exchange"
    MOVED_AWAY = "moved away"
    MOVED_HERE = "moved here"
    RELEASE = "release"
    SPECIAL = "special"
    SUPERVISION = "supervision"
    EXAM = "exam"
    OTHER = "other"  # a type that we do not know: what is new of it is told all the same


@dataclass(frozen=True, slots=True)
class TimetableChange:
    """One lesson that is not as planned, on one day. Why somebody is away has no place here.

    `number` is the lesson's in the timetable system; `teacher` is whom it was planned with, for the key alone.
    """

    day: date
    period: str
    classes: tuple[str, ...]
    kind: ChangeKind = ChangeKind.OTHER
    subject: str = ""
    new_subject: str = ""
    room: str = ""
    new_room: str = ""
    teacher: str = ""
    new_teacher: str = ""
    number: str = ""

    @property
    def key(self) -> str:
        """What makes it the same change as last time, whatever is changed about it: hashed, 32 characters."""
        lesson = self.subject if self.number in {"", NO_LESSON} else self.number
        return _hash([self.day.isoformat(), self.period, lesson, self.teacher])

    @property
    def said(self) -> str:
        """What a class is told of it, hashed: where this is the same, nothing has changed for that class."""
        return _hash(
            [self.kind, self.subject, self.new_subject, self.new_room or self.room, self.new_teacher]
        )

    @property
    def digest(self) -> str:
        """All that matters of it, hashed: what is said, and to which classes."""
        return _hash([self.said, sorted(self.classes)])


def keyed(changes: Iterable[TimetableChange], known: Mapping[str, str] = _NONE) -> dict[str, TimetableChange]:
    """Each by its natural key; several of one lesson are numbered behind it. `known`: key → digest of last time."""
    alike: dict[str, dict[str, TimetableChange]] = {}
    for change in changes:
        alike.setdefault(change.key, {})[change.digest] = change
    return numbered(alike, known)


def numbered(alike: Mapping[str, Mapping[str, T]], known: Mapping[str, str]) -> dict[str, T]:
    """What goes by one key (a lesson in two halves), told apart by a number behind it; of each key, digest → what.

    What is as last time (`known`: key → digest) keeps its number, or the change of one half would be told of the other.
    """
    places: dict[str, list[str]] = {}
    for key in sorted(known):
        places.setdefault(base_of(key), []).append(key)
    found: dict[str, T] = {}
    for base, each in alike.items():
        left = dict(each)
        for key in places.get(base, ()):
            if known[key] in left:
                found[key] = left.pop(known[key])
        behind = (f"{base}.{n}" if n else base for n in count())
        free = (place for place in behind if place not in found)
        for digest in sorted(left):
            found[next(free)] = left[digest]
    return found


def base_of(key: str) -> str:
    """A key without the number behind it."""
    return key.partition(".")[0]


def begins(period: str, starts: Mapping[str, time] = _NO_STARTS) -> time | None:
    """When a lesson begins: as the school says of its period, or as the source writes it (09:15); None if neither."""
    if period in starts:
        return starts[period]
    found = _CLOCK.fullmatch(period)
    return time(int(found[1]), int(found[2])) if found is not None else None


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not as last time, by key."""

    added: frozenset[str] = frozenset()
    altered: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.added) + len(self.altered) + len(self.gone)


def difference(known: Mapping[str, str], now: Mapping[str, TimetableChange]) -> Difference:
    """What changed against what is known: key → digest."""
    return Difference(
        frozenset(now.keys() - known.keys()),
        frozenset(key for key, digest in known.items() if key in now and now[key].digest != digest),
        frozenset(known.keys() - now.keys()),
    )


def horizon(today: date, is_school_day: Callable[[date], bool], days: int = 1) -> date:
    """The last day whose changes are told now: `days` school days after today. Today's are told as well."""
    reached = today
    for step in range(1, FURTHEST + 1):
        day = today + timedelta(days=step)
        if days > 0 and is_school_day(day):
            reached, days = day, days - 1
    return reached


def too_many(told: int, recent: Sequence[int], *, floor: int) -> bool:
    """Whether far more is to be told than usual; `recent` are the counts of the last pushes that told something."""
    usual = median(recent[-USUAL:]) if recent else 0
    return told > max(floor, MANY_TIMES * usual)


def _hash(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()[:32]
