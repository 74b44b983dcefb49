"""When a schedule is looked at next, and all that schedules have to come: pure times over the term calendar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from broker.diary.calendar import TermCalendar
from broker.diary.recurrence import Occurrence, occurrences
from broker.ports import Transaction
from broker.ports.calendar import ScheduleRow

LOOK_AGAIN = timedelta(days=1)  # at the latest: the term calendar may have changed


@dataclass(frozen=True, slots=True)
class Coming:
    """One occurrence to come, with the schedule it is of."""

    schedule: ScheduleRow
    occurrence: Occurrence


def next_look(row: ScheduleRow, calendar: TermCalendar, now: datetime) -> datetime | None:
    """When to look at it again; None once nothing can come any more."""
    if row.ended_at is not None:
        return None
    ahead = occurrences(row.pattern, calendar, begins=row.looked_until, ends=now + LOOK_AGAIN)
    for one in ahead:
        if one.at is not None:
            return one.at
        if one.trouble is not None:
            return one.wall.replace(tzinfo=ZoneInfo(one.zone)).astimezone(UTC)
    return now + LOOK_AGAIN


def look_again(tx: Transaction, calendar: TermCalendar) -> None:
    """The term calendar has changed: the next time of each schedule is worked out anew."""
    tx.schedules.looked(
        [replace(row, next_at=next_look(row, calendar, tx.now)) for row in tx.schedules.all()]
    )


def coming(tx: Transaction, calendar: TermCalendar, *, until: datetime) -> list[Coming]:
    """All that schedules will announce until then, and what of it is left out, in the order of time."""
    found = [
        Coming(row, one)
        for row in tx.schedules.all()
        if row.paused_at is None
        for one in occurrences(row.pattern, calendar, begins=max(tx.now, row.looked_until), ends=until)
    ]
    return sorted(found, key=lambda each: (each.occurrence.wall, each.schedule.name))
