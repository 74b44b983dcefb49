"""A timetable change as the timetable system tells it, and what is said of it: never why somebody is away.

Pure. Whatever a source looks like (Untis, a table, a calendar), it becomes `TimetableChange`s, which are compared by
their natural key: the day, the period, the classes and the lesson that it is about.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import count
from statistics import median

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FURTHEST = 40  # days to look ahead for a school day: longer than any holiday
LONGEST_FIELD = 80  # characters of a room, a subject, a class
USUAL = 20  # pushes with changes that say what is usual
MANY_TIMES = 5  # the usual number: far more than that
_NONE: Mapping[str, str] = {}
WIPED = 10  # so many taken back at once, and nothing left of what was told


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
        lesson = self.number or self.subject
        return _hash([self.day.isoformat(), self.period, sorted(self.classes), lesson, self.teacher])

    @property
    def digest(self) -> str:
        """What is said of it: where this is the same, nothing has changed for anybody."""
        return _hash(
            [self.kind, self.subject, self.new_subject, self.new_room or self.room, self.new_teacher]
        )


def keyed(changes: Iterable[TimetableChange], known: Mapping[str, str] = _NONE) -> dict[str, TimetableChange]:
    """Each by its natural key. Several of one key (a class in two halves) are numbered behind it.

    `known`: key → digest of last time. What is said as then keeps its number, or the change of one half would be told
    of the other.
    """
    alike: dict[str, dict[str, TimetableChange]] = {}
    for change in changes:
        alike.setdefault(change.key, {})[change.digest] = change
    numbered: dict[str, list[str]] = {}
    for key in sorted(known):
        numbered.setdefault(key.partition(".")[0], []).append(key)
    found: dict[str, TimetableChange] = {}
    for base, each in alike.items():
        for key in numbered.get(base, ()):
            if known[key] in each:
                found[key] = each.pop(known[key])
        places = (f"{base}.{n}" if n else base for n in count())
        free = (place for place in places if place not in found)
        for digest in sorted(each):
            found[next(free)] = each[digest]
    return found


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


def line(change: TimetableChange, school_class: str) -> str:
    """What one class is told of it, as plain words on one line."""
    return f"{_when(change, school_class)}: {_said(change)}"


def again_line(change: TimetableChange, school_class: str) -> str:
    """What those are told who were told otherwise before."""
    return f"{_when(change, school_class)}, changed again: {_said(change)}"


def after_all(told: str) -> str:
    """What those are told whose change was taken back; `told` is the line they have read."""
    return f"{told.partition(': ')[0].removesuffix(', changed again')}: as planned after all"


def clean(text: str) -> str:
    """A field of a source as it may stand in a message: one line, bounded, no brackets that would be filled."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return words.replace("{", "(").replace("}", ")").replace(": ", " ")[:LONGEST_FIELD].strip()


def _when(change: TimetableChange, school_class: str) -> str:
    day = f"{DAYS[change.day.weekday()]} {change.day.day} {MONTHS[change.day.month - 1]}"
    period = change.period
    said = f", period {period}" if period.isdigit() else f", {period}" if period else ""
    return f"{school_class}, {day}{said}"


def _said(change: TimetableChange) -> str:
    lesson = change.subject or "the lesson"
    room = change.new_room or change.room
    changed = change.new_subject and change.new_subject != change.subject
    where = f"room {room}" if room else ""
    who = f"with {change.new_teacher}" if change.new_teacher and change.new_teacher != change.teacher else ""
    match change.kind:
        case ChangeKind.CANCELLED:
            return f"{lesson} is cancelled"
        case ChangeKind.MOVED_AWAY:
            return f"{lesson} is not then: it was moved"
        case ChangeKind.RELEASE:
            return "no lesson"
        case ChangeKind.ROOM:
            return f"{lesson} is in {where or 'another room'}"
        case ChangeKind.MOVED_HERE:
            lesson = f"{change.new_subject or lesson}, moved here"
        case ChangeKind.EXAM:
            lesson = f"exam, {change.new_subject or lesson}"
        case ChangeKind.SUPERVISION:
            lesson = f"{lesson}, supervised"
        case _ if changed:
            lesson = (
                f"{change.new_subject} instead of {change.subject}" if change.subject else change.new_subject
            )
    told = ", ".join(part for part in (lesson, who, where) if part)
    return told if who or where or changed or change.kind is not ChangeKind.OTHER else f"{told} is changed"


def _hash(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()[:32]
