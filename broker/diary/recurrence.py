"""When something comes again: a bounded RRULE on the wall clock of the school's zone, over its term calendar.

An occurrence is known by its *original* wall time, for good: moved, it keeps its identity. Wall time, zone and instant
are all kept, for the wall time is what people meant and the instant is when it happens. In March one hour does not
exist, in October one comes twice: what falls there is asked about when the schedule is saved, never guessed.

`python-dateutil` expands the rule. It looks at a rule's end only when it has found a date, so that one which never
holds (the 30th of February) would keep it busy to the year 9999: such rules are refused before it sees them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dateutil import tz
from dateutil.rrule import rrule, rrulestr

from broker.diary.calendar import Day, DayKind, TermCalendar
from broker.errors import Problem, RuleBroken

LONGEST_RULE = 300  # characters
MOST_EXCEPTIONS = 1_000  # of one schedule
MOST_TIMES = 5_000
LONGEST_STEP = {"DAILY": 366, "WEEKLY": 52, "MONTHLY": 24, "YEARLY": 10}
HORIZON = timedelta(days=400)  # how far ahead anything is worked out: a school year and its summer
SOON = timedelta(
    days=75
)  # looked at first: ten weekly dates are mostly there, and a whole year is not worked out
FIRST_YEAR, LAST_YEAR = 2000, 2199
_PART = re.compile(r"([A-Z]+)=([A-Z0-9,+-]+)", re.ASCII)
_WEEKDAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z)?)?", re.ASCII)
_STEPS = {"DAILY": timedelta(days=1), "WEEKLY": timedelta(days=7)}
_KNOWN = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS"}
_TIMES_OF_DAY = {"BYHOUR", "BYMINUTE", "BYSECOND"}
_DAYS_OF = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}  # at most, of the months that have fewer than 31


class BadRecurrence(RuleBroken):
    """Raised when a recurrence cannot be meant, has no end to its work, or falls into an hour that nobody chose."""


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
class Rule:
    """A recurrence that passed every check, in its one canonical spelling; "" for once."""

    text: str = ""

    @property
    def once(self) -> bool:
        """Whether there is only the start."""
        return not self.text


@dataclass(frozen=True, slots=True)
class Pattern:
    """Everything that says when: the first wall time (naive), the rule, the zone, the days it is kept on, exceptions.

    `on` are the kinds of day it takes place on; all of them for what ignores the term calendar. `moved` is by original
    wall time: to another wall time, or to None for one that does not take place. `ended` takes whatever comes after
    it away.
    """

    starts: datetime
    zone: str
    rule: Rule = Rule()
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


def read_rule(text: str, *, zone: str, starts: datetime) -> Rule:
    """A recurrence as somebody typed it or a calendar holds it. Raises BadRecurrence, naming what is wrong."""
    text = text.strip().upper().removeprefix("RRULE:")
    if not text:
        return Rule()
    if len(text) > LONGEST_RULE:
        raise _bad("rule_too_long", f"this rule is longer than {LONGEST_RULE} characters", _SUCH_AS)
    parts: dict[str, str] = {}
    for piece in filter(None, text.split(";")):
        found = _PART.fullmatch(piece)
        if not found:
            raise _bad("bad_rule", "a part of this rule cannot be read", _SUCH_AS)
        if found[1] in parts:
            raise _bad("part_twice", f"{found[1]} is said twice", "say it once")
        parts[found[1]] = found[2]
    _check_parts(parts)
    _check_possible(parts)
    parts = _with_until(parts, zone)
    rule = Rule(";".join(f"{name}={parts[name]}" for name in sorted(parts, key=_order)))
    _check_dates(rule, starts)
    return rule


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
            raise _bad("missing_hour", message, "say --if-missing later or --if-missing skip")
        if one.trouble is Trouble.DOUBLE_HOUR:
            message = f"{_shown(one.wall)} comes twice: the clocks go back over it that night"
            raise _bad("double_hour", message, "say --if-double first or --if-double second")


def the_date(pattern: Pattern, on: date) -> datetime:
    """The original wall time of the one on a day. Raises BadRecurrence where there is none, or more than one."""
    begins = datetime.combine(on, time())
    found = [wall for wall in _walls(pattern, begins, begins + timedelta(days=1)) if _held(pattern, wall)]
    found += [o for o, to in pattern.moved.items() if to is not None and to.date() == on and o not in found]
    if len(found) == 1:
        return found[0]
    if not found:
        raise _bad("no_such_date", f"nothing falls on {on.isoformat()}", "see the dates it has")
    raise _bad("two_that_day", f"more than one falls on {on.isoformat()}", "name it by its time as well")


def _walls(pattern: Pattern, begins: datetime, ends: datetime) -> Iterator[datetime]:
    """Naive wall times of the rule in [begins, ends), however long ago it began."""
    ends = min(ends, pattern.ended) if pattern.ended is not None else ends
    if pattern.rule.once:
        if begins <= pattern.starts < ends:
            yield pattern.starts
        return
    for wall in _expanded(pattern.rule, _near(pattern, begins)):
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


def _expanded(rule: Rule, starts: datetime) -> rrule:
    made = rrulestr(rule.text, dtstart=starts)
    if not isinstance(made, rrule):
        raise TypeError("one RRULE is one rule")
    return made


def _held(pattern: Pattern, original: datetime) -> bool:
    return pattern.ended is None or original < pattern.ended


def _when(one: Occurrence) -> datetime:
    """Where it stands in a list: at its instant, or where its wall time would be."""
    return one.at or one.wall.replace(tzinfo=ZoneInfo(one.zone)).astimezone(UTC)


def _check_parts(parts: Mapping[str, str]) -> None:
    frequency = parts.get("FREQ", "")
    if frequency in {"SECONDLY", "MINUTELY", "HOURLY"}:
        raise _bad("too_often", f"{frequency.lower()} is too often for a school", "daily is the shortest")
    if frequency not in LONGEST_STEP:
        raise _bad("no_frequency", "this rule does not say how often", _SUCH_AS)
    if parts.keys() & _TIMES_OF_DAY:
        raise _bad(
            "time_in_rule", "the time of day is that of the first one", "make one for each time of day"
        )
    if strange := sorted(parts.keys() - _KNOWN):
        raise _bad("unknown_part", f"{strange[0]} is not known here", _SUCH_AS)
    if "COUNT" in parts and "UNTIL" in parts:
        raise _bad("two_ends", "COUNT and UNTIL say two ends", "say one of them")
    _number(parts, "INTERVAL", 1, LONGEST_STEP[frequency])
    _number(parts, "COUNT", 1, MOST_TIMES)
    _numbers(parts, "BYMONTH", 1, 12)
    _numbers(parts, "BYMONTHDAY", -31, 31)
    _numbers(parts, "BYSETPOS", -4, 4)
    if any(not _WEEKDAY.fullmatch(day) for day in _list(parts, "BYDAY")):
        raise _bad(
            "bad_weekday", "BYDAY names no day of the week", "write it as TU, or 1TU for the first of a month"
        )
    if parts.get("WKST", "MO") not in {"MO", "TU", "WE", "TH", "FR", "SA", "SU"}:
        raise _bad("bad_weekday", "WKST names no day of the week", "write it as MO")


def _check_possible(parts: Mapping[str, str]) -> None:
    """What may never hold is refused, for dateutil would look for it to the year 9999."""
    frequency, step = parts["FREQ"], int(parts.get("INTERVAL", "1"))
    by = parts.keys() & {"BYDAY", "BYMONTH", "BYMONTHDAY"}
    numbered = any(len(day) > 2 for day in _list(parts, "BYDAY"))
    seldom = {"DAILY": by, "WEEKLY": by - {"BYDAY"}, "MONTHLY": by & {"BYMONTH"}, "YEARLY": set()}
    if step > 1 and seldom[frequency]:
        message = f"INTERVAL and {min(seldom[frequency])} together may never hold"
        raise _bad("may_never_hold", message, "leave one of them out")
    if frequency in {"DAILY", "WEEKLY"} and ("BYMONTHDAY" in by or numbered):
        raise _bad("may_never_hold", "days of a month belong to a monthly rule", "say FREQ=MONTHLY")
    if "BYMONTHDAY" in by and numbered:
        raise _bad("may_never_hold", "the third Tuesday and the 3rd are two rules", "say one of them")
    if "BYSETPOS" in parts and (frequency != "MONTHLY" or by - {"BYMONTH"} != {"BYDAY"} or numbered):
        raise _bad(
            "may_never_hold", "BYSETPOS is for days of the week in a month", "say FREQ=MONTHLY and BYDAY"
        )
    longest = max((_DAYS_OF.get(int(month), 31) for month in _list(parts, "BYMONTH")), default=31)
    if all(abs(int(day)) > longest for day in _list(parts, "BYMONTHDAY")) and "BYMONTHDAY" in by:
        raise _bad("impossible", "no month of this rule has such a day", "check the day and the month")


def _with_until(parts: Mapping[str, str], zone: str) -> dict[str, str]:
    """UNTIL as wall time: a day means its end, and an instant what the school's clock then shows.

    Calendars write it naive beside a start with a zone, which the standard forbids and everybody reads like this.
    """
    if "UNTIL" not in parts:
        return dict(parts)
    found = _UNTIL.fullmatch(parts["UNTIL"])
    try:
        if not found:
            raise ValueError
        until = datetime.fromisoformat(f"{found[1]}T{found[2] or '235959'}")
        if not FIRST_YEAR <= until.year <= LAST_YEAR:
            raise _bad("bad_year", f"the year {until.year} cannot be meant", "check UNTIL, or leave it out")
        if found[3]:
            until = until.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    except ValueError:
        raise _bad("bad_until", "UNTIL is no day", "write it as 20270723") from None
    return {**parts, "UNTIL": until.strftime("%Y%m%dT%H%M%S")}


def _check_dates(rule: Rule, starts: datetime) -> None:
    if not FIRST_YEAR <= starts.year <= LAST_YEAR:
        raise _bad("bad_year", f"the year {starts.year} cannot be meant", "check the year")
    if next(iter(_expanded(rule, starts)), None) is None:
        raise _bad("impossible", "there is no day on which this rule holds", "check UNTIL and the start")


def _number(parts: Mapping[str, str], name: str, least: int, most: int) -> None:
    value = parts.get(name, "1")
    if not (value.isdecimal() and len(value) < 6 and least <= int(value) <= most):
        raise _bad("bad_number", f"{name} must be between {least} and {most:,}", _SUCH_AS)


def _numbers(parts: Mapping[str, str], name: str, least: int, most: int) -> None:
    for value in _list(parts, name):
        if not re.fullmatch(r"[+-]?\d{1,3}", value) or not least <= int(value) <= most or int(value) == 0:
            raise _bad("bad_number", f"{name} must be between {least} and {most}, and not 0", _SUCH_AS)


def _list(parts: Mapping[str, str], name: str) -> Sequence[str]:
    return parts[name].split(",") if name in parts else ()


def _order(name: str) -> tuple[int, str]:
    return (0 if name == "FREQ" else 1, name)


def _shown(wall: datetime) -> str:
    return wall.strftime("%Y-%m-%d %H:%M")


_SUCH_AS = "such as FREQ=WEEKLY;BYDAY=TU"


def _bad(code: str, message: str, hint: str) -> BadRecurrence:
    return BadRecurrence(Problem(code, "every", message, hint))
