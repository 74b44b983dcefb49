"""When a schedule is looked at next, and all that schedules have to come: pure times over the term calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from broker.diary.calendar import TermCalendar
from broker.diary.recurrence import HORIZON, Occurrence, occurrences
from broker.ports import Transaction
from broker.ports.calendar import ScheduleRow

LOOK_AGAIN = timedelta(days=1)  # at the latest: the term calendar may have changed


@dataclass(frozen=True, slots=True)
class Coming:
    """One occurrence to come, with the schedule it is of."""

    schedule: ScheduleRow
    occurrence: Occurrence


@dataclass(frozen=True, slots=True)
class Look:
    """A look at a schedule: what has fallen due of it, until when it is looked at then, and when to look again.

    `next_at` is None once nothing can come any more.
    """

    due: Sequence[Occurrence]
    until: datetime
    next_at: datetime | None


def look_at(row: ScheduleRow, calendar: TermCalendar, now: datetime) -> Look:
    """What has fallen due since it was looked at last; after years without anybody looking, a year at a time."""
    until = max(row.looked_until, min(now, row.looked_until + HORIZON))
    if row.ended_at is not None:
        return Look((), until, None)
    due: list[Occurrence] = []
    for one in occurrences(row.pattern, calendar, begins=row.looked_until, ends=until + LOOK_AGAIN):
        if one.at is None and one.trouble is None:
            continue
        at = one.at or one.wall.replace(tzinfo=ZoneInfo(one.zone)).astimezone(UTC)
        if at >= until:
            return Look(due, until, at)
        due.append(one)
    return Look(due, until, until + LOOK_AGAIN)


def next_look(row: ScheduleRow, calendar: TermCalendar, now: datetime) -> datetime | None:
    """When to look at it; None once nothing can come any more."""
    look = look_at(row, calendar, min(now, row.looked_until))
    return look.next_at


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
