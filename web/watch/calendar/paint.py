"""Days and wall times in words, for the templates of the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from broker.diary.recurrence import Occurrence
from broker.diary.recurrence_words import MONTHS, day_in_words, in_words
from broker.ports.calendar import ScheduleRow
from broker.ports.events import EventRow, ReminderRule
from web.watch.paint import templates
from web.watch.words import length

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_REASONS = 3  # of dates that are left out in a row


def weekday(day: date) -> str:
    """ "Tuesday"."""
    return WEEKDAYS[day.weekday()]


def month(day: date) -> str:
    """ "November"."""
    return MONTHS[day.month - 1]


def in_full(day: date) -> str:
    """ "Tuesday 3 November 2026"."""
    return f"{weekday(day)} {day_in_words(day)}"


def wall(moment: datetime) -> str:
    """A wall time as every page has it: "Tue 3 Nov 2026, 15:30"."""
    return f"{moment:%a} {moment.day} {moment:%b %Y, %H:%M}"


def takes_place(row: EventRow) -> str:
    """When an event takes place: "Tue 3 Nov 2026, 15:30"; of whole days the days."""
    first = row.wall.date()
    if not row.days:
        return wall(row.wall)
    return in_full(first) if row.last_day == first else f"{in_full(first)} to {in_full(row.last_day)}"


def before(rule: ReminderRule) -> str:
    """When a reminder is sent: "2 days before", "2 days before at 16:00"."""
    at = f" at {rule.clock:%H:%M}" if rule.clock is not None else ""
    return f"{length(rule.before)} before{at}"


def rhythm(row: ScheduleRow) -> str:
    """When a schedule comes, in words."""
    said = in_words(row.pattern.rule, row.pattern.starts)
    if row.pattern.ended is not None:
        said += f", the last on {day_in_words((row.pattern.ended - timedelta(days=1)).date())} at the latest"
    return said


@dataclass(frozen=True, slots=True)
class Run:
    """Dates in a row that are left out, as one line."""

    first: date
    last: date
    count: int
    why: str


def runs(dates: Sequence[Occurrence]) -> list[Occurrence | Run]:
    """Dates with those in a row that are left out drawn together; a year's holidays would hide the ten that count."""
    found: list[Occurrence | Run] = []
    for left_out, some in groupby(dates, key=lambda one: one.left_out is not None):
        row = list(some)
        if left_out and len(row) > 1:
            why = list(dict.fromkeys(one.left_out.why for one in row if one.left_out is not None))
            said = ", ".join(why[:MOST_REASONS]) + (", …" if len(why) > MOST_REASONS else "")
            found.append(Run(row[0].wall.date(), row[-1].wall.date(), len(row), said))
        else:
            found += row
    return found


def add_words() -> None:
    """Let templates say them."""
    templates.filters |= {"cal_weekday": weekday, "cal_month": month, "cal_day": in_full, "cal_wall": wall}
    templates.filters |= {"cal_length": length, "cal_rhythm": rhythm, "cal_event": takes_place}
    templates.filters |= {"cal_before": before, "cal_runs": runs}
