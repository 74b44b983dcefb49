"""What is said again and again and waits for one yes to all of it: schedules and reminders that were held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select

from broker.diary.reminders import WAITS as REMINDER_WAITS
from broker.diary.scheduler import WAITS as SCHEDULE_WAITS
from broker.ports.calendar import ScheduleRow
from ledger import tables as t
from ledger.diary.schedules import Schedules
from ledger.hand import Hand

MOST = 100


@dataclass(frozen=True, slots=True)
class Repeated:
    """A schedule, or with `rule` a reminder, of which something waits; since when, and who worded it."""

    name: str
    department: str
    made_by: str
    since: datetime
    schedule: UUID | None = None
    rule: int | None = None


def repeated(hand: Hand, department: str | None = None) -> Sequence[Repeated]:
    """Every schedule and reminder that nobody has said yes to and of which something was held, the longest first."""
    s, r, a = t.schedule.c, t.reminder_rule.c, t.alarm.c
    # An alarm's subject is text: a number as it is written, an id as people read it. The two kinds are few.
    held = select(a.kind, a.subject, a.raised_at).where(
        a.kind.in_((SCHEDULE_WAITS, REMINDER_WAITS)), a.cleared_at.is_(None)
    )
    since = {(row.kind, row.subject): row.raised_at for row in hand.connection.execute(held)}
    if not since:
        return []
    schedules = (
        select(s.name, s.public_id, s.made_by, t.department.c.slug)
        .join(t.department, t.department.c.id == s.department_id)
        .where(s.approved_at.is_(None), s.ended_at.is_(None), *_of(department))
        .limit(MOST)
    )
    rules = (
        select(r.name, r.id, r.made_by, t.department.c.slug)
        .join(t.department, t.department.c.id == r.department_id)
        .where(r.approved_at.is_(None), r.retired_at.is_(None), *_of(department))
        .limit(MOST)
    )
    run = hand.connection.execute
    found = [
        Repeated(row.name, row.slug, row.made_by, moment, schedule=row.public_id)
        for row in run(schedules)
        if (moment := since.get((SCHEDULE_WAITS, str(row.public_id)))) is not None
    ]
    found += [
        Repeated(row.name, row.slug, row.made_by, moment, rule=row.id)
        for row in run(rules)
        if (moment := since.get((REMINDER_WAITS, str(row.id)))) is not None
    ]
    return sorted(found, key=lambda one: one.since)


def _of(department: str | None) -> Sequence[ColumnElement[bool]]:
    return () if department is None else (t.department.c.slug == department,)


def named_schedule(hand: Hand, public_id: UUID) -> ScheduleRow | None:
    """One schedule that has not ended, by its id."""
    s = t.schedule.c
    name = hand.connection.execute(
        select(s.name).where(s.public_id == public_id, s.ended_at.is_(None))
    ).scalar_one_or_none()
    return None if name is None else Schedules(hand).named(name)
