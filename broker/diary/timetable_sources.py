"""Timetable sources: how a school wants its changes told, and whether a source still speaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from broker.announcement import People
from broker.diary.calendar import DayKind, TermCalendar
from broker.diary.terms import calendar_now
from broker.errors import Problem
from broker.ports import Ports, Transaction
from broker.ports.timetables import SourceRow

HELD, SILENT, FAILED, STRANGE = (
    "timetable_held", "timetable_silent", "timetable_failed", "timetable_classes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimetableSource:
    """Where changes come from, and how the school wants them told. `template` is approved by the rule adults.notices.

    `days`: so many school days ahead are told of. `starts`: period → when its lesson begins; `day_ends`: from then on
    a day's changes are too late where that is not known. `most`: so many at once are never too many. `classes`: what
    it calls a class → our group. `fetched`: Carillon reads it; else it is only pushed.
    """

    name: str
    department: str
    template: str
    ways: tuple[str, ...] = ("sms", "email")
    people: People = People.GUARDIANS
    days: int = 1
    day_ends: time = time(15)
    most: int = 60
    classes: Mapping[str, str] = field(default_factory=dict)
    silent_after: timedelta = timedelta(hours=24)
    starts: Mapping[str, time] = field(default_factory=dict)
    fetched: bool = True


def silent(
    tx: Transaction,
    sources: Sequence[TimetableSource],
    rows: Sequence[SourceRow],
    *,
    began: datetime | None,
) -> frozenset[str]:
    """Which sources have told nothing new for too long; days without school do not count.

    `rows`: all that were ever read. `began`: since when they are watched, for those that were never read; None leaves
    them out. What is only pushed is expected from its first push on.
    """
    read = {row.name: row.read_at for row in rows}
    calendar, zone = calendar_now(tx), ZoneInfo(tx.school.zone)
    found = set()
    for source in sources:
        last = read.get(source.name) or (began if source.fetched else None)
        if last is not None and _silence(last, tx.now, calendar, zone) > source.silent_after:
            found.add(source.name)
    return frozenset(found)


def watch(ports: Ports, sources: Sequence[TimetableSource], *, began: datetime) -> int:
    """Raise an alarm for each source that has been silent; how many are. `began`: when we began to watch them."""

    def work(tx: Transaction) -> int:
        rows = tx.timetables.sources()
        quiet = silent(tx, sources, rows, began=began)
        read = {row.name: row.read_at for row in rows}
        for source in sources:
            if source.name in quiet:
                last = (read.get(source.name) or began).astimezone(ZoneInfo(tx.school.zone))
                why = f"the timetable {source.name} has told nothing new since {last:%d %B %H:%M}"
                tx.sweeps.raise_alarm(SILENT, source.name, why)
            else:
                tx.sweeps.clear_alarm(SILENT, source.name)
        return len(quiet)

    return ports.ledger.transact(work)


def failed(ports: Ports, name: str, problem: Problem | None) -> None:
    """A source could not be read or told: an alarm, until it can (`problem` None)."""

    def work(tx: Transaction) -> None:
        if problem is None:
            tx.sweeps.clear_alarm(FAILED, name)
        else:
            where = f" ({problem.field})" if problem.field else ""
            tx.sweeps.raise_alarm(FAILED, name, f"timetable {name}: {problem.message}{where}")

    ports.ledger.transact(work)


def is_school_day(calendar: TermCalendar, day: date) -> bool:
    """A weekday in term; where nobody has told the terms, any weekday that is no bank holiday."""
    return day.weekday() < 5 and calendar.day(day).kind in {DayKind.TERM, DayKind.UNKNOWN}


def _silence(last: datetime, now: datetime, calendar: TermCalendar, zone: ZoneInfo) -> timedelta:
    """For how long nothing was heard, without the days on which there is no school."""
    begun, day, quiet_for = last.astimezone(zone), now.astimezone(zone).date(), now - last
    if not is_school_day(calendar, day):
        return timedelta(0)
    quiet = (begun.date() + timedelta(days=n) for n in range(1, (day - begun.date()).days))
    return quiet_for - timedelta(days=sum(not is_school_day(calendar, each) for each in quiet))
