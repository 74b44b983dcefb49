"""When something comes again: a bounded RRULE on the wall clock of the school's zone, over its term calendar.

An occurrence is known by its *original* wall time, for good: moved, it keeps its identity. Wall time, zone and instant
are all kept, for the wall time is what people meant and the instant is when it happens. In March one hour does not
exist, in October one comes twice: what falls there is asked about when the schedule is saved, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dateutil import tz

from broker.diary.calendar import Day, DayKind, TermCalendar
from broker.diary.recurrence_rule import ONCE, Rule, bad, expanded

MOST_EXCEPTIONS = 1_000  # of one schedule
HORIZON = timedelta(days=400)  # how far ahead anything is worked out: a school year and its summer
# Looked at first: ten weekly dates are mostly there, and a whole year is not worked out.
SOON = timedelta(days=75)
_STEPS = {"DAILY": timedelta(days=1), "WEEKLY": timedelta(days=7)}


class Missing(StrEnum):
    """What to do in the hour that does not exist, on one night in March."""

    LATER = "later"  # an hour later by the clock, as if it had not been put forward
    SKIP = "skip"


class Double(StrEnum):
    """Which of the two is meant of the hour that comes twice, on one night in October."""

    FIRST = "first"
    SECOND = "second"


class Trouble(StrEnum):
    """Why a wall time is no instant."""

    MISSING_HOUR = "missing_hour"
    DOUBLE_HOUR = "double_hour"


@dataclass(frozen=True, slots=True)
class Pattern:
    """Everything that says when: the first wall time (naive), the rule, the zone, the days it is kept on, exceptions.

    `on` are the kinds of day it takes place on; all of them for what ignores the term calendar. `moved` is by original
    wall time: to another wall time, or to None for one that does not take place. `ended` takes whatever comes after
    it away.
    """

    starts: datetime
    zone: str
    rule: Rule = ONCE
    on: frozenset[DayKind] = frozenset(DayKind)
    moved: Mapping[datetime, datetime | None] = field(default_factory=dict)
    missing: Missing | None = None
    double: Double | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time: its identity (`original`, naive wall time), the wall time it now has, and the instant of that.

    `at` is None where the wall time is no instant and nobody said what then (`trouble`), or does not take place:
    `left_out` is the day that keeps it away, `cancelled` says that somebody did.
    """

    original: datetime
    wall: datetime
    zone: str
    at: datetime | None
    trouble: Trouble | None = None
    left_out: Day | None = None
    cancelled: bool = False

    @property
    def was_moved(self) -> bool:
        """Whether it takes place at another time than the rule says."""
        return self.wall != self.original

    @property
    def why(self) -> str:
        """Why it does not take place; "" where it does."""
        if self.cancelled:
            return "cancelled"
        if self.left_out is not None:
            return f"left out: {self.left_out.why}"
        return str(self.trouble) if self.trouble is not None else ""


def occurrences(
    pattern: Pattern, calendar: TermCalendar, *, begins: datetime, ends: datetime
) -> Iterator[Occurrence]:
    """Every occurrence whose time lies in [begins, ends), both aware instants, in the order of time.

    Those that do not take place are among them, with the reason, where their original time lies there. At most
    HORIZON is looked at: the caller asks again next year.
    """
    ends = min(ends, begins + HORIZON)
    zone = ZoneInfo(pattern.zone)
    wall_begins, wall_ends = (at.astimezone(zone).replace(tzinfo=None) for at in (begins, ends))
    # A wall clock may be an hour off its instants on two nights a year.
    slack = timedelta(hours=2)
    originals = set(_walls(pattern, wall_begins - slack, wall_ends + slack))
    # What was moved may come from outside, and from a day that no rule names any more.
    originals |= {
        original
        for original, to in pattern.moved.items()
        if to is not None and wall_begins - slack <= to < wall_ends + slack and _held(pattern, original)
    }
    found = [occurrence(pattern, calendar, original) for original in originals]
    timed = [(_when(one), one.original, one) for one in found]
    for _, _, one in sorted(each for each in timed if begins <= each[0] < ends):
        yield one


def occurrence(pattern: Pattern, calendar: TermCalendar, original: datetime) -> Occurrence:
    """The one that has this original wall time, as it stands now."""
    changed = original in pattern.moved
    to = pattern.moved.get(original)
    wall = to or original
    if changed and to is None:
        return Occurrence(original, wall, pattern.zone, None, cancelled=True)
    day = calendar.day(wall.date())
    # Somebody who moves one by hand knows what day it is then.
    if not changed and day.kind not in pattern.on:
        return Occurrence(original, wall, pattern.zone, None, left_out=day)
    at, trouble = resolve(wall, pattern.zone, missing=pattern.missing, double=pattern.double)
    skipped = trouble is Trouble.MISSING_HOUR and pattern.missing is Missing.SKIP
    unclear = None if at or skipped else trouble
    return Occurrence(original, wall, pattern.zone, at, unclear, cancelled=skipped)


def upcoming(pattern: Pattern, calendar: TermCalendar, *, now: datetime, count: int = 10) -> list[Occurrence]:
    """The next `count` that take place, with those between them that do not; nothing beyond HORIZON."""
    found: list[Occurrence] = []
    begins = now
    for ends in (now + SOON, now + HORIZON):
        for one in occurrences(pattern, calendar, begins=begins, ends=ends):
            found.append(one)
            count -= one.at is not None
            if not count:
                return found
        begins = ends
    return found


def resolve(
    wall: datetime, zone: str, *, missing: Missing | None = None, double: Double | None = None
) -> tuple[datetime | None, Trouble | None]:
    """The instant (UTC) of a wall time, or why there is none unless somebody said what then."""
    local = wall.replace(tzinfo=ZoneInfo(zone))
    # Of all but two hours a year both readings are one: no more is asked of a term's thousands of dates.
    if local.utcoffset() == local.replace(fold=1).utcoffset():
        return local.astimezone(UTC), None
    if not tz.datetime_exists(local):
        if missing is Missing.LATER:
            return local.astimezone(UTC), Trouble.MISSING_HOUR
        return None, Trouble.MISSING_HOUR
    if tz.datetime_ambiguous(local):
        if double is None:
            return None, Trouble.DOUBLE_HOUR
        return local.replace(fold=int(double is Double.SECOND)).astimezone(UTC), Trouble.DOUBLE_HOUR
    return local.astimezone(UTC), None


def ask_about_hours(pattern: Pattern, calendar: TermCalendar, *, now: datetime) -> None:
    """Raises BadRecurrence where one of the year ahead falls into an hour that is missing or double, unanswered."""
    for one in occurrences(pattern, calendar, begins=now, ends=now + HORIZON):
        if one.trouble is Trouble.MISSING_HOUR:
            message = f"{_shown(one.wall)} does not exist: the clocks go forward over it that night"
            raise bad("missing_hour", message, "say --if-missing later or --if-missing skip")
        if one.trouble is Trouble.DOUBLE_HOUR:
            message = f"{_shown(one.wall)} comes twice: the clocks go back over it that night"
            raise bad("double_hour", message, "say --if-double first or --if-double second")


def the_date(pattern: Pattern, on: date) -> datetime:
    """The original wall time of the one on a day. Raises BadRecurrence where there is none, or more than one."""
    begins = datetime.combine(on, time())
    found = [wall for wall in _walls(pattern, begins, begins + timedelta(days=1)) if _held(pattern, wall)]
    found += [o for o, to in pattern.moved.items() if to is not None and to.date() == on and o not in found]
    if len(found) == 1:
        return found[0]
    if not found:
        raise bad("no_such_date", f"nothing falls on {on.isoformat()}", "see the dates it has")
    raise bad("two_that_day", f"more than one falls on {on.isoformat()}", "name it by its time as well")


def _walls(pattern: Pattern, begins: datetime, ends: datetime) -> Iterator[datetime]:
    """Naive wall times of the rule in [begins, ends), however long ago it began."""
    ends = min(ends, pattern.ended) if pattern.ended is not None else ends
    if pattern.rule.once:
        if begins <= pattern.starts < ends:
            yield pattern.starts
        return
    for wall in expanded(pattern.rule, _near(pattern, begins)):
        if wall >= ends:
            return
        if wall >= begins:
            yield wall


def _near(pattern: Pattern, begins: datetime) -> datetime:
    """Where to begin to count, so that a rule of many years is not walked from its start each time.

    By whole steps of days or weeks, after which the rule is what it was; one that counts its times is walked.
    """
    parts = dict(part.split("=") for part in pattern.rule.text.split(";"))
    step = _STEPS.get(parts["FREQ"])
    if step is None or "COUNT" in parts or pattern.starts >= begins:
        return pattern.starts
    step *= int(parts.get("INTERVAL", "1"))
    return pattern.starts + max(0, (begins - pattern.starts) // step - 1) * step


def _held(pattern: Pattern, original: datetime) -> bool:
    return pattern.ended is None or original < pattern.ended


def _when(one: Occurrence) -> datetime:
    """Where it stands in a list: at its instant, or where its wall time would be."""
    return one.at or one.wall.replace(tzinfo=ZoneInfo(one.zone)).astimezone(UTC)


def _shown(wall: datetime) -> str:
    return wall.strftime("%Y-%m-%d %H:%M")
