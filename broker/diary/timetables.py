"""Timetable pushes: what is new within the horizon becomes one announcement, and nothing is told twice.

One transaction does all of it, so that what was told and who is to be told never part. A source is read as often as
anybody likes: whatever stands there as it was told last makes no announcement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from broker import intake, judging
from broker.actor import Actor
from broker.announcement import Announcement
from broker.audience import fold
from broker.authority import operators
from broker.diary.terms import calendar_now
from broker.diary.timetable import USUAL, WIPED, TimetableChange, difference, horizon, keyed, too_many
from broker.diary.timetable_notice import announce, changes_in
from broker.diary.timetable_outlook import News, Outlook
from broker.diary.timetable_sources import HELD, STRANGE, TimetableSource, is_school_day
from broker.errors import NotFound, Problem
from broker.moments import today_of
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.ports.timetables import SourceRow, ToldLine
from broker.record import Entry

LET_GO_FOR = timedelta(hours=1)
MOST_NAMED = 5  # classes in an alarm


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push came to: rows read, changes since last time, those of them to be told, announcements made.

    `unknown`: classes that are no group of ours. `announcement` is the one that was made. `left_out`: ways that the
    rules refuse now, while others tell it.
    """

    rows: int
    changes: int
    within_horizon: int
    notices: int
    held: bool
    why: str = ""
    unknown: tuple[str, ...] = ()
    announcement: UUID | None = None
    waits: str = ""  # why the rules keep the announcement waiting
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """What a source brings: the changes that stand there, in how many rows, and when it wrote them (None: now)."""

    changes: Sequence[TimetableChange]
    rows: int
    written_at: datetime | None = None


def push(ports: Ports, source: TimetableSource, export: Export, *, actor: Actor) -> Pushed:
    """Tell families what is new of what a source brings.

    A way that its rules refuse now (it would open too late) is left out while another tells it.
    Raises RuleBroken, with nothing kept, where it cannot be announced.
    """
    try:
        pushed, made = ports.ledger.transact(lambda tx: _push(ports, tx, source, export, actor))
    except judging.RefusedByRule as refused:
        told, way = (
            judging.refusal_told(refused, source.department, "", actor),
            refused.ruling.account.channel,
        )
        ports.ledger.transact(lambda tx: tx.record.add([told]))
        others = tuple(each for each in source.ways if each != way)
        if not others:
            raise
        less = push(ports, replace(source, ways=others), export, actor=actor)
        return replace(less, left_out=(way, *less.left_out))
    if made is None:
        return pushed
    intake.tell(ports, made)
    waits = made.hold.why if made.hold is not None else ""
    return replace(pushed, notices=1, announcement=made.announcement.public_id, waits=waits)


def release(ports: Ports, name: str, *, department: str | None = None, actor: Actor) -> SourceRow:
    """Let what is held go with the next push, within an hour and if it is not more by then.

    `department`: whose source it is; None where no settings say. Raises NotFound, NotAllowed.
    """

    def work(tx: Transaction) -> SourceRow:
        held = next((row for row in tx.timetables.sources() if row.name == name), None)
        if held is None or held.held_at is None:
            raise NotFound(
                Problem("not_held", "source", "nothing of this source is held", "carillon timetable status")
            )
        operators.must(tx, actor, OperatorRole.AUTHOR, department)
        row = replace(tx.timetables.source(name), released_at=tx.now, released_count=held.held_count)
        tx.timetables.keep_source(row)
        tx.record.add([Entry("timetable.released", actor, {"source": name, "changes": held.held_count})])
        return row

    return ports.ledger.transact(work)


def _push(
    ports: Ports, tx: Transaction, source: TimetableSource, export: Export, actor: Actor
) -> tuple[Pushed, intake.Accepted | None]:
    operators.must(tx, actor, OperatorRole.AUTHOR, source.department)
    row = tx.timetables.source(source.name)
    today = today_of(tx)
    known = tx.timetables.known(source.name, today)
    there = {key: one for key, one in keyed(export.changes, known).items() if one.day >= today}
    found = difference(known, there)
    told = _told(tx, source.name, today)
    outlook = _outlook(tx, source, there, told)
    news = outlook.news(told)
    count, unknown = changes_in(news), outlook.unknown()
    written_at = min(export.written_at or tx.now, tx.now)
    row = replace(row, read_at=written_at, pushed_at=tx.now, rows=export.rows, changes=len(found), told=count)
    pushed = Pushed(export.rows, len(found), count, 0, held=False, unknown=unknown)
    if why := _too_much(row, source, news, told, tx.now):
        _hold(tx, row, count, why, actor)
        return replace(pushed, held=True, why=why), None
    if replaced := outlook.replaced(told, news):
        _take_the_place_of(tx, replaced, actor)
        news = outlook.news(tx.timetables.told(source.name, today))
    tx.timetables.keep(source.name, found, there, today)
    recent = (*row.recent, count)[-USUAL:] if count else row.recent
    tx.timetables.keep_source(
        replace(
            row, recent=recent, held_at=None, held_count=0, held_why="", released_at=None, released_count=0
        )
    )
    tx.sweeps.clear_alarm(HELD, source.name)
    _tell_unknown(tx, source.name, unknown)
    return pushed, announce(ports, tx, source, news, actor) if news else None


def _outlook(
    tx: Transaction, source: TimetableSource, there: Mapping[str, TimetableChange], told: Sequence[ToldLine]
) -> Outlook:
    zone = ZoneInfo(tx.school.zone)
    calendar, today = calendar_now(tx), today_of(tx)
    ours = {fold(theirs): fold(group) for theirs, group in source.classes.items()}
    wanted = {(name := fold(each)): ours.get(name, name) for one in there.values() for each in one.classes}
    known = tx.timetables.classes(set(wanted.values()))
    return Outlook(
        now=tx.now,
        zone=zone,
        last=horizon(today, lambda day: is_school_day(calendar, day), source.days),
        there=there,
        groups={theirs: known[group] for theirs, group in wanted.items() if group in known},
        active=frozenset(tx.timetables.names({each.line.group for each in told})),
        day_ends=source.day_ends,
        starts=source.starts,
    )


def _told(tx: Transaction, source: str, since: date) -> Sequence[ToldLine]:
    """What was told; announcements that wait are locked first, so that none is planned meanwhile."""
    told = tx.timetables.told(source, since)
    waiting = {each.announcement for each in told if each.waiting}
    for announcement in sorted(waiting):
        _locked(tx, announcement)
    return tx.timetables.told(source, since) if waiting else told


def _take_the_place_of(tx: Transaction, replaced: Iterable[int], actor: Actor) -> None:
    """Take announcements back that nobody has seen: what still holds of them is told with what is new."""
    for number in sorted(replaced):
        intake.forbid(tx, _locked(tx, number), actor=actor)
        tx.timetables.replace(number)


def _locked(tx: Transaction, number: int) -> Announcement:
    found = tx.announcements.by_id(number)
    return tx.announcements.by_public_id(found.public_id, lock=True) or found


def _too_much(
    row: SourceRow, source: TimetableSource, news: Sequence[News], told: Sequence[ToldLine], now: datetime
) -> str:
    """Why a person should look first; "" where nobody need."""
    count = changes_in(news)
    if row.released_at is not None and now - row.released_at < LET_GO_FOR and count <= row.released_count:
        return ""
    gone = {each.line.key for each in news if not each.line.digest}
    standing = {each.line.key for each in told if each.line.digest} - gone
    if len(gone) > WIPED and not standing:
        return f"everything that was told, {len(gone)} changes, would be taken back at once"
    if too_many(count, row.recent, floor=source.most):
        return f"{count} changes at once are far more than usual"
    return ""


def _hold(tx: Transaction, row: SourceRow, count: int, why: str, actor: Actor) -> None:
    if row.held_at is None:
        tx.record.add([Entry("timetable.held", actor, {"source": row.name, "changes": count})])
    held = replace(row, held_at=row.held_at or tx.now, held_count=count, held_why=why)
    tx.timetables.keep_source(held)
    told = f"timetable {row.name}: {why}; look, then: carillon timetable release {row.name}"
    tx.sweeps.raise_alarm(HELD, row.name, told)


def _tell_unknown(tx: Transaction, source: str, unknown: Sequence[str]) -> None:
    if not unknown:
        tx.sweeps.clear_alarm(STRANGE, source)
        return
    some = ", ".join(unknown[:MOST_NAMED]) + (", …" if len(unknown) > MOST_NAMED else "")
    why = f"timetable {source}: no group is called {some}; nobody there is told of changes"
    tx.sweeps.raise_alarm(STRANGE, source, why)
