"""When something comes again, in the words that people use for it: "every second Tuesday at 08:00, until 16 July"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from broker.diary.recurrence_rule import Rule

DAYS: Mapping[str, str] = {
    "MO": "Monday",
    "TU": "Tuesday",
    "WE": "Wednesday",
    "TH": "Thursday",
    "FR": "Friday",
    "SA": "Saturday",
    "SU": "Sunday",
}
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR")
_EVERY = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_NTH = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last", -2: "last but one"}


def in_words(rule: Rule, starts: datetime) -> str:
    """A rule and its first wall time; once, the day itself."""
    at = f"at {starts:%H:%M}"
    if rule.once:
        return f"once, on {starts:%a} {day_in_words(starts.date())} {at}"
    parts = dict(part.split("=") for part in rule.text.split(";"))
    step, every = int(parts.get("INTERVAL", "1")), parts["FREQ"]
    said = f"{_turns(every, step, parts, starts)} {at}"
    if "BYMONTH" in parts:
        said += f", in {_and([MONTHS[int(month) - 1] for month in parts['BYMONTH'].split(',')])}"
    if "UNTIL" in parts:
        until = datetime.fromisoformat(parts["UNTIL"])  # a wall time: it has no zone
        said += f", until {day_in_words(until.date())}"
    if "COUNT" in parts:
        said += f", {parts['COUNT']} times"
    return said


def day_in_words(day: date) -> str:
    """ "3 November 2026"."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _turns(every: str, step: int, parts: Mapping[str, str], starts: datetime) -> str:
    days = parts["BYDAY"].split(",") if "BYDAY" in parts else []
    turn = {1: f"every {_EVERY[every]}", 2: f"every second {_EVERY[every]}"}.get(
        step, f"every {step} {_EVERY[every]}s"
    )
    if every == "WEEKLY" or (every == "DAILY" and days):
        named = _weekdays(days or [list(DAYS)[starts.weekday()]])
        return {1: f"every {named}", 2: f"every second week on {named}"}.get(
            step, f"every {step} weeks on {named}"
        )
    if every == "MONTHLY":
        return f"{turn}, {_of_the_month(days, parts, starts)}"
    if every == "YEARLY" and not days:
        return f"{turn}, on {starts.day} {MONTHS[starts.month - 1]}"
    return turn if not days else f"{turn}, on {_and([_day(day) for day in days])}"


def _of_the_month(days: Sequence[str], parts: Mapping[str, str], starts: datetime) -> str:
    if "BYSETPOS" in parts:
        which = _and([_NTH.get(int(n), n) for n in parts["BYSETPOS"].split(",")])
        return f"on the {which} {_weekdays(days, 'or')}"
    if days:
        return f"on {_and([_day(day) for day in days])}"
    numbers = [int(n) for n in parts.get("BYMONTHDAY", str(starts.day)).split(",")]
    return "on " + _and(["its last day" if n == -1 else f"day {n}" if n > 0 else f"day {-n} from its end"
                         for n in numbers])  # fmt: skip


def _weekdays(days: Sequence[str], joined: str = "and") -> str:
    if set(days) == set(WEEKDAYS):
        return "weekday"
    return _and([DAYS[day] for day in sorted(days, key=list(DAYS).index)], joined)


def _day(day: str) -> str:
    """ "the first Monday" for 1MO, "every Monday" for MO."""
    which, name = day[:-2], DAYS[day[-2:]]
    return f"the {_NTH.get(int(which), which)} {name}" if which else f"every {name}"


def _and(words: Sequence[str], joined: str = "and") -> str:
    return f" {joined} ".join(filter(None, (", ".join(words[:-1]), words[-1])))
