"""How often something comes, as a form asks for it: to a rule and back. A rule that no form makes stays as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from broker.diary.calendar import DayKind
from broker.diary.recurrence import Double, Missing, Pattern
from broker.diary.recurrence_rule import Rule, read_rule
from broker.diary.recurrence_words import DAYS, in_words
from broker.diary.typed import day_from, wall_from
from web.watch.compose.asked import bad
from web.watch.desk import Form

ONCE, DAILY, WEEKLY, FORTNIGHTLY, MONTHLY_DAY, MONTHLY_WEEK, AS_IS = (
    "once", "daily", "weekly", "fortnightly", "monthly_day", "monthly_week", "as_is",
)  # fmt: skip
OFTEN: Mapping[str, str] = {
    WEEKLY: "Every week",
    FORTNIGHTLY: "Every second week",
    DAILY: "Every day",
    MONTHLY_WEEK: "Every month, on the same weekday of it (its first Tuesday …)",
    MONTHLY_DAY: "Every month, on the same day of it (the 3rd …)",
    ONCE: "Only once",
}
TERM, TERM_AND_INSET, EVERY_DAY = "term", "term_inset", "every"
ON: Mapping[str, str] = {
    TERM: "On days of term only",
    TERM_AND_INSET: "On days of term and on INSET days",
    EVERY_DAY: "On every day, holidays too",
}
KINDS: Mapping[str, frozenset[DayKind]] = {
    TERM: frozenset({DayKind.TERM}),
    TERM_AND_INSET: frozenset({DayKind.TERM, DayKind.INSET}),
    EVERY_DAY: frozenset(DayKind),
}
LASTS: Mapping[str, timedelta] = {
    "1": timedelta(hours=1),
    "4": timedelta(hours=4),
    "8": timedelta(hours=8),
    "24": timedelta(days=1),
    "72": timedelta(days=3),
}
IF_MISSING = {Missing.LATER: "An hour later that night", Missing.SKIP: "Leave it out that night"}
IF_DOUBLE = {Double.FIRST: "The first of the two", Double.SECOND: "The second of the two"}
_LAST_WEEK = 5  # what is on the 29th or later is not in every month: its last is meant


@dataclass(frozen=True, slots=True)
class Filled:
    """What a form shows of a pattern that stands already."""

    often: str
    weekdays: Sequence[str]
    last: date | None


def pattern_of(form: Form, zone: str, was: Pattern | None = None) -> Pattern:
    """When it comes, as it was filled in; what a form does not ask for stays as it was. Raises RuleBroken."""
    if not form["day"]:
        raise bad("no_day", "day", "no day is chosen", "choose the first one")
    if not form["time"]:
        raise bad("no_hour", "time", "no time is chosen", "choose one, such as 08:15")
    day_from(form["day"], "day")
    starts = wall_from(f"{form['day']} {form['time']}", "time")
    rule = was.rule if was is not None and form["often"] == AS_IS else _rule(form, zone, starts)
    on = was.on if form["on"] == AS_IS and was is not None else KINDS.get(form["on"], KINDS[TERM])
    missing = Missing(form["if_missing"]) if form["if_missing"] in set(Missing) else None
    double = Double(form["if_double"]) if form["if_double"] in set(Double) else None
    if was is not None:
        missing, double = missing or was.missing, double or was.double
    return Pattern(
        starts,
        zone,
        rule,
        on=on,
        missing=missing,
        double=double,
        ended=was.ended if was is not None else None,
    )


def lasts_of(form: Form, was: timedelta | None = None) -> timedelta:
    """How long each may still go out if it is late."""
    return LASTS.get(form["lasts"], was or LASTS["4"])


def filled(pattern: Pattern) -> Filled:
    """How the form stands for a pattern."""
    parts = dict(part.split("=") for part in pattern.rule.text.split(";")) if not pattern.rule.once else {}
    until = parts.pop("UNTIL", None)
    last = datetime.fromisoformat(until).date() if until else None  # a wall time: it has no zone
    days = parts.get("BYDAY", "").split(",") if "BYDAY" in parts else []
    weekdays = days or [list(DAYS)[pattern.starts.weekday()]]
    return Filled(_often(parts, days, pattern.starts), weekdays, last)


def on_of(pattern: Pattern) -> str:
    """Which of the choices of days its days are."""
    return next((name for name, kinds in KINDS.items() if kinds == pattern.on), AS_IS)


def in_short(pattern: Pattern) -> str:
    """When it comes, in words, for a rule that no form makes."""
    return in_words(pattern.rule, pattern.starts)


def _often(parts: Mapping[str, str], days: Sequence[str], starts: datetime) -> str:
    found = {name: said for name, said in parts.items() if name not in {"BYDAY", "WKST"}}
    plain = all(day in DAYS for day in days)
    if not parts:
        return ONCE
    if found == {"FREQ": "DAILY"} and not days:
        return DAILY
    if found == {"FREQ": "WEEKLY"} and plain:
        return WEEKLY
    if found == {"FREQ": "WEEKLY", "INTERVAL": "2"} and plain:
        return FORTNIGHTLY
    if found == {"FREQ": "MONTHLY"} and not days:
        return MONTHLY_DAY
    if found == {"FREQ": "MONTHLY"} and list(days) == [_weekday_of_month(starts.date())]:
        return MONTHLY_WEEK
    return AS_IS


def _rule(form: Form, zone: str, starts: datetime) -> Rule:
    often = form["often"]
    if often == ONCE:
        return Rule()
    days = ",".join(day for day in DAYS if day in form.all("weekdays"))
    weekly = f";BYDAY={days}" if days else ""
    texts = {
        DAILY: "FREQ=DAILY",
        WEEKLY: f"FREQ=WEEKLY{weekly}",
        FORTNIGHTLY: f"FREQ=WEEKLY;INTERVAL=2{weekly}",
        MONTHLY_DAY: "FREQ=MONTHLY",
        MONTHLY_WEEK: f"FREQ=MONTHLY;BYDAY={_weekday_of_month(starts.date())}",
    }
    if often not in texts:
        raise bad("no_frequency", "often", "it is not said how often it comes", "choose one of these")
    text = texts[often]
    if form["last"]:
        text += f";UNTIL={day_from(form['last'], 'last'):%Y%m%d}"
    return read_rule(text, zone=zone, starts=starts)


def _weekday_of_month(day: date) -> str:
    """ "1TU" for a first Tuesday; "-1TU" for a fifth, which not every month has."""
    week = (day.day - 1) // 7 + 1
    return f"{-1 if week == _LAST_WEEK else week}{list(DAYS)[day.weekday()]}"
