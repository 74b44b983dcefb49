"""A recurrence as somebody types it or a calendar holds it: an RRULE, bounded, checked, in one canonical spelling.

`python-dateutil` expands it. It looks at a rule's end only when it has found a date, so that one which never holds (the
30th of February) would keep it busy to the year 9999: such rules are refused before it sees them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from broker.errors import Problem, RuleBroken

LONGEST_RULE = 300  # characters
MOST_TIMES = 5_000
LONGEST_STEP = {"DAILY": 366, "WEEKLY": 52, "MONTHLY": 24, "YEARLY": 10}
FIRST_YEAR, LAST_YEAR = 2000, 2199
_PART = re.compile(r"([A-Z]+)=([A-Z0-9,+-]+)", re.ASCII)
_WEEKDAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z)?)?", re.ASCII)
_KNOWN = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS"}
_TIMES_OF_DAY = {"BYHOUR", "BYMINUTE", "BYSECOND"}
_DAYS_OF = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}  # at most, of the months that have fewer than 31
_SUCH_AS = "such as FREQ=WEEKLY;BYDAY=TU"


class BadRecurrence(RuleBroken):
    """Raised when a recurrence cannot be meant, has no end to its work, or falls into an hour that nobody chose."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A recurrence that passed every check, in its one canonical spelling; "" for once."""

    text: str = ""

    @property
    def once(self) -> bool:
        """Whether there is only the start."""
        return not self.text


ONCE = Rule()


def read_rule(text: str, *, zone: str, starts: datetime) -> Rule:
    """A recurrence as somebody typed it or a calendar holds it. Raises BadRecurrence, naming what is wrong."""
    text = text.strip().upper().removeprefix("RRULE:")
    if not text:
        return Rule()
    if len(text) > LONGEST_RULE:
        raise bad("rule_too_long", f"this rule is longer than {LONGEST_RULE} characters", _SUCH_AS)
    parts: dict[str, str] = {}
    for piece in filter(None, text.split(";")):
        found = _PART.fullmatch(piece)
        if not found:
            raise bad("bad_rule", "a part of this rule cannot be read", _SUCH_AS)
        if found[1] in parts:
            raise bad("part_twice", f"{found[1]} is said twice", "say it once")
        parts[found[1]] = found[2]
    _check_parts(parts)
    _check_possible(parts)
    parts = _with_until(parts, zone)
    rule = Rule(";".join(f"{name}={parts[name]}" for name in sorted(parts, key=_order)))
    _check_dates(rule, starts)
    return rule


def expanded(rule: Rule, starts: datetime) -> rrule:
    """Its dates, one after the other, from a start on."""
    made = rrulestr(rule.text, dtstart=starts)
    if not isinstance(made, rrule):
        raise TypeError("one RRULE is one rule")
    return made


def bad(code: str, message: str, hint: str) -> BadRecurrence:
    """What is wrong, beside the field that asks how often."""
    return BadRecurrence(Problem(code, "every", message, hint))


def _check_parts(parts: Mapping[str, str]) -> None:
    frequency = parts.get("FREQ", "")
    if frequency in {"SECONDLY", "MINUTELY", "HOURLY"}:
        raise bad("too_often", f"{frequency.lower()} is too often for a school", "daily is the shortest")
    if frequency not in LONGEST_STEP:
        raise bad("no_frequency", "this rule does not say how often", _SUCH_AS)
    if parts.keys() & _TIMES_OF_DAY:
        raise bad("time_in_rule", "the time of day is that of the first one", "make one for each time of day")
    if strange := sorted(parts.keys() - _KNOWN):
        raise bad("unknown_part", f"{strange[0]} is not known here", _SUCH_AS)
    if "COUNT" in parts and "UNTIL" in parts:
        raise bad("two_ends", "COUNT and UNTIL say two ends", "say one of them")
    _number(parts, "INTERVAL", 1, LONGEST_STEP[frequency])
    _number(parts, "COUNT", 1, MOST_TIMES)
    _numbers(parts, "BYMONTH", 1, 12)
    _numbers(parts, "BYMONTHDAY", -31, 31)
    _numbers(parts, "BYSETPOS", -4, 4)
    if any(not _WEEKDAY.fullmatch(day) for day in _list(parts, "BYDAY")):
        raise bad(
            "bad_weekday", "BYDAY names no day of the week", "write it as TU, or 1TU for the first of a month"
        )
    if parts.get("WKST", "MO") not in {"MO", "TU", "WE", "TH", "FR", "SA", "SU"}:
        raise bad("bad_weekday", "WKST names no day of the week", "write it as MO")


def _check_possible(parts: Mapping[str, str]) -> None:
    """What may never hold is refused, for dateutil would look for it to the year 9999."""
    frequency, step = parts["FREQ"], int(parts.get("INTERVAL", "1"))
    by = parts.keys() & {"BYDAY", "BYMONTH", "BYMONTHDAY"}
    numbered = any(len(day) > 2 for day in _list(parts, "BYDAY"))
    seldom = {"DAILY": by, "WEEKLY": by - {"BYDAY"}, "MONTHLY": by & {"BYMONTH"}, "YEARLY": set()}
    if step > 1 and seldom[frequency]:
        message = f"INTERVAL and {min(seldom[frequency])} together may never hold"
        raise bad("may_never_hold", message, "leave one of them out")
    if frequency in {"DAILY", "WEEKLY"} and ("BYMONTHDAY" in by or numbered):
        raise bad("may_never_hold", "days of a month belong to a monthly rule", "say FREQ=MONTHLY")
    if "BYMONTHDAY" in by and numbered:
        raise bad("may_never_hold", "the third Tuesday and the 3rd are two rules", "say one of them")
    if "BYSETPOS" in parts and (frequency != "MONTHLY" or by - {"BYMONTH"} != {"BYDAY"} or numbered):
        raise bad(
            "may_never_hold", "BYSETPOS is for days of the week in a month", "say FREQ=MONTHLY and BYDAY"
        )
    longest = max((_DAYS_OF.get(int(month), 31) for month in _list(parts, "BYMONTH")), default=31)
    if all(abs(int(day)) > longest for day in _list(parts, "BYMONTHDAY")) and "BYMONTHDAY" in by:
        raise bad("impossible", "no month of this rule has such a day", "check the day and the month")


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
            raise bad("bad_year", f"the year {until.year} cannot be meant", "check UNTIL, or leave it out")
        if found[3]:
            until = until.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    except ValueError:
        raise bad("bad_until", "UNTIL is no day", "write it as 20270723") from None
    return {**parts, "UNTIL": until.strftime("%Y%m%dT%H%M%S")}


def _check_dates(rule: Rule, starts: datetime) -> None:
    if not FIRST_YEAR <= starts.year <= LAST_YEAR:
        raise bad("bad_year", f"the year {starts.year} cannot be meant", "check the year")
    if next(iter(expanded(rule, starts)), None) is None:
        raise bad("impossible", "there is no day on which this rule holds", "check UNTIL and the start")


def _number(parts: Mapping[str, str], name: str, least: int, most: int) -> None:
    value = parts.get(name, "1")
    if not (value.isdecimal() and len(value) < 6 and least <= int(value) <= most):
        raise bad("bad_number", f"{name} must be between {least} and {most:,}", _SUCH_AS)


def _numbers(parts: Mapping[str, str], name: str, least: int, most: int) -> None:
    for value in _list(parts, name):
        if not re.fullmatch(r"[+-]?\d{1,3}", value) or not least <= int(value) <= most or int(value) == 0:
            raise bad("bad_number", f"{name} must be between {least} and {most}, and not 0", _SUCH_AS)


def _list(parts: Mapping[str, str], name: str) -> Sequence[str]:
    return parts[name].split(",") if name in parts else ()


def _order(name: str) -> tuple[int, str]:
    return (0 if name == "FREQ" else 1, name)
