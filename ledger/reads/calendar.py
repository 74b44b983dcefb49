"""What a calendar shows of a stretch of days: announcements at their times, schedules, events, what was not announced.

One statement for each kind, however many days and schedules there are. What is more than a page can take is counted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, case, func, or_, select

from broker.announcement import Announcement, Part
from broker.ports.calendar import OccurrenceRow, Outcome, ScheduleRow
from broker.ports.events import EventRow, Reminded, Told
from ledger import tables as t
from ledger.announcements import announcement_of
from ledger.diary.events import event_of, events
from ledger.diary.schedules import all_schedules, outcome_of, with_exceptions
from ledger.hand import Hand

MOST_SCHEDULES = 100  # worked out for one page: weekly ones of a term are 1,500 dates, some 15 ms
MOST_EVENTS = 500
MOST_UNSAID = 200
LONGEST_EVENT = timedelta(days=60)  # of those that began before the first day
LONGEST_TITLE = 120  # characters
UNSAID = (Outcome.MISSED, Outcome.REFUSED, Outcome.UNCLEAR)


@dataclass(frozen=True, slots=True)
class Said:
    """One announcement at its time."""

    announcement: Announcement
    department: str  # its name
    title: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SaidDays:
    """By the number of the day: the first of its announcements, and how many there are."""

    first: Mapping[int, Sequence[Said]]
    counts: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Planned:
    """Schedules that may come in time, the next first, and how many more there are."""

    rows: Sequence[ScheduleRow]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Taking:
    """Events that take place, what became of their reminders, and whether there are more."""

    rows: Sequence[EventRow]
    reminded: Mapping[int, Sequence[Reminded]]
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A date of a schedule of which nothing was announced."""

    schedule: UUID
    name: str
    row: OccurrenceRow


def said_on(hand: Hand, starts: Sequence[datetime], *, department: str | None, most: int) -> SaidDays:
    """Announcements by day; `starts` are the beginnings of the days and the end of the last, in order."""
    c, run = t.announcement.c, hand.connection.execute
    notes = select(t.note.c.announcement_id).where(t.note.c.announcement_id == c.id)
    within = select(c.id, c.due_at).where(c.due_at >= starts[0], c.due_at < starts[-1], ~notes.exists())
    if department is not None:
        its = select(t.department.c.id).where(t.department.c.slug == department)
        within = within.where(c.department_id == its.scalar_subquery())
    # Two columns of each, and whole ones of those that are shown: no database knows when a school's day begins, and
    # told of a hundred days it holds every announcement against each of them.
    day_of: dict[int, int] = {}
    counts: Counter[int] = Counter()
    for number, due in run(within.order_by(c.due_at, c.id)).all():
        day = bisect_right(starts, due) - 1
        counts[day] += 1
        if counts[day] <= most:
            day_of[number] = day
    first: dict[int, list[Said]] = defaultdict(list)
    whole = _announcements().where(c.id.in_(day_of)).order_by(c.due_at, c.id)
    for row in run(whole).all() if day_of else ():
        title = " ".join((row.said or "").split())
        first[day_of[row.id]].append(Said(announcement_of(row), row.department_name, title))
    return SaidDays(first, counts)


def schedules_until(hand: Hand, *, ends: datetime, department: str | None) -> Planned:
    """Those that go on and may come before then; without the files that go with them."""
    c = t.schedule.c
    query = all_schedules().where(c.ended_at.is_(None), c.paused_at.is_(None), c.next_at < ends)
    if department is not None:
        query = query.where(t.department.c.slug == department)
    rows, in_all = with_exceptions(hand, query, (c.next_at, c.id), limit=MOST_SCHEDULES)
    return Planned(rows, in_all - len(rows))


def events_between(
    hand: Hand, begins: datetime, ends: datetime, *, department: str | None, most: int = MOST_EVENTS
) -> Taking:
    """Whatever takes place in [begins, ends), in the order of time; what began before and goes on too."""
    c = t.event.c
    begun = or_(c.starts_at >= begins, c.ends_at > begins)
    query = events().where(begun, c.starts_at >= begins - LONGEST_EVENT, c.starts_at < ends)
    if department is not None:
        query = query.where(t.department.c.slug == department)
    shown = query.order_by(c.starts_at, c.id).limit(most + 1).subquery("shown")
    r = t.reminder.c
    reminders = and_(r.event_id == shown.c.id, r.told != Told.MOVED.value)
    became = (r.rule_id, r.sequence.label("as_of"), r.told, r.at.label("told_at"), r.why, r.announcement)
    joined = select(shown, *became).outerjoin(t.reminder, reminders)
    rows: dict[int, EventRow] = {}
    told: dict[int, list[Reminded]] = defaultdict(list)
    for row in hand.connection.execute(joined.order_by(shown.c.starts_at, shown.c.id)):
        rows.setdefault(row.id, event_of(row))
        if row.rule_id is not None:
            one = Reminded(
                row.id, row.rule_id, row.as_of, Told(row.told), row.told_at, row.why, row.announcement
            )
            told[row.id].append(one)
    return Taking(list(rows.values())[:most], told, len(rows) > most)


def unsaid_between(
    hand: Hand, begins: datetime, ends: datetime, *, department: str | None
) -> Sequence[Unsaid]:
    """Dates of schedules of which nothing was announced, and why; the latest."""
    o = t.occurrence.c
    query = (
        select(t.occurrence, t.schedule.c.public_id, t.schedule.c.name)
        .join(t.schedule, t.schedule.c.id == o.schedule_id)
        .where(o.outcome.in_([outcome.value for outcome in UNSAID]), o.due_at >= begins, o.due_at < ends)
        .order_by(o.due_at.desc(), o.schedule_id)
        .limit(MOST_UNSAID)
    )
    if department is not None:
        query = query.join(t.department, t.department.c.id == t.schedule.c.department_id).where(
            t.department.c.slug == department
        )
    return [Unsaid(row.public_id, row.name, outcome_of(row)) for row in hand.connection.execute(query)]


def schedule_of(hand: Hand, public_id: UUID, *, department: str | None) -> ScheduleRow | None:
    """One schedule, ended or not, without its files; None where there is none, or it is another department's."""
    query = all_schedules().where(t.schedule.c.public_id == public_id)
    if department is not None:
        query = query.where(t.department.c.slug == department)
    found, _ = with_exceptions(hand, query, (t.schedule.c.id,), limit=1)
    return found[0] if found else None


def files_of(hand: Hand, schedule: int) -> Sequence[str]:
    """The names of the files that go with a schedule."""
    link = t.schedule_attachment.c
    query = select(link.name).where(link.schedule_id == schedule).order_by(link.name)
    return hand.connection.execute(query).scalars().all()


def schedules(
    hand: Hand, *, department: str | None, ended: bool, after: str = "", limit: int
) -> Sequence[ScheduleRow]:
    """Schedules by name, those that go on or those that have ended; from a name on."""
    c = t.schedule.c
    over = c.ended_at.is_not(None) if ended else c.ended_at.is_(None)
    query = all_schedules().where(over)
    if department is not None:
        query = query.where(t.department.c.slug == department)
    if after:
        query = query.where(c.folded_name > after)
    return with_exceptions(hand, query, (c.folded_name, c.id), limit=limit)[0]


def _announcements() -> Select[Any]:
    c = t.content.c
    order = case({Part.TITLE.value: 0, Part.SHORT.value: 1}, value=c.part, else_=2)
    title = (
        select(func.substr(c.text, 1, LONGEST_TITLE))
        .where(c.announcement_id == t.announcement.c.id)
        .order_by(c.version.desc(), order, c.language)
        .limit(1)
        .scalar_subquery()
    )
    return select(
        t.announcement,
        t.department.c.slug.label("department"),
        t.department.c.name.label("department_name"),
        title.label("said"),
    ).join(t.department, t.department.c.id == t.announcement.c.department_id)
