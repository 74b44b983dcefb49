"""Schedules: the list, one with its dates, and what one does with it: skip or move a date, pause, resume, end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from broker.audience import fold
from broker.diary import schedules as verbs
from broker.diary.recurrence import Occurrence, upcoming
from broker.diary.typed import day_from, wall_from
from broker.errors import RuleBroken
from broker.ports.calendar import OccurrenceRow, ScheduleRow
from ledger.reads import calendar as reads
from web.watch.calendar.known import WRITES
from web.watch.calendar.refused import told
from web.watch.calendar.sight import Look, look
from web.watch.desk import At, Desk, Form, acting, posted, uuid_of
from web.watch.forms import status_of
from web.watch.signing_in import NoPage

router = APIRouter()
PAGE = 50
LATEST = 10  # of what became of its dates
BECAME = {
    "made": ("good", "was announced"),
    "late": ("warn", "was announced late"),
    "missed": ("bad", "was missed"),
    "refused": ("bad", "was refused"),
    "unclear": ("bad", "had no clear hour"),
    "cancelled": ("stop", "was taken back"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One schedule of the list, and when it comes next."""

    row: ScheduleRow
    following: Occurrence | None


@dataclass(frozen=True, slots=True)
class One:
    """A schedule with its next dates and what became of its last ones."""

    row: ScheduleRow
    dates: Sequence[Occurrence]
    became: Sequence[OccurrenceRow]
    zone: str
    files: Sequence[str] = ()


@router.get("/watch/calendar/schedules")
def list_(at: Desk) -> Response:
    """The schedules by name, with their next dates; those that have ended when they are asked for."""
    ended, after = at.query("show") == "ended", at.query("after", most=400)
    with at.ledger.look() as tx:
        begun = look(tx)
        rows = reads.schedules(
            tx.hand, department=at.department, ended=ended, after=fold(after), limit=PAGE + 1
        )
    lines = [Line(row, _next(begun, row)) for row in rows[:PAGE]]
    more = rows[PAGE - 1].name if len(rows) > PAGE else ""
    return at.page(
        "calendar/schedules",
        lines=lines,
        ended=ended,
        after=after,
        more=more,
        zone=begun.zone,
        writes=at.may(*WRITES),
    )


@router.get("/watch/calendar/schedules/{public_id}")
def one(public_id: str, at: Desk) -> Response:
    """One schedule: what it says, its next ten dates, what became of the last ones."""
    return show(at, public_id)


@router.post("/watch/calendar/schedules/{public_id}/{act}")
async def act(public_id: str, act: str, request: Request) -> Response:
    """Skip, move or put back a date; pause, resume or end it."""
    return await posted(request, lambda at, form: _act(at, form, public_id, act))


def show(at: At, public_id: str, status: int = 200, **known: object) -> Response:
    """The page of one. Raises NoPage."""
    found = the(at, public_id)
    return at.page(
        "calendar/schedule",
        status,
        it=found,
        id=public_id,
        zone=found.zone,
        BECAME=BECAME,
        writes=at.may(*WRITES) and found.row.ended_at is None,
        **known,
    )


def the(at: At, public_id: str) -> One:
    """Raises NoPage for what is not there, or another department's."""
    wanted = uuid_of(public_id)
    with at.ledger.look() as tx:
        begun = look(tx)
        row = reads.schedule_of(tx.hand, wanted, department=at.department)
        if row is None:
            raise NoPage(404, "not_found")
        became = tx.schedules.outcomes(row.id, limit=LATEST)
        files = reads.files_of(tx.hand, row.id)
    dates = [] if row.ended_at else upcoming(row.pattern, begun.calendar, now=begun.now, count=verbs.SHOWN)
    return One(row, dates, became, begun.zone, files)


def goes_on(at: At, public_id: str) -> ScheduleRow:
    """One that has not ended: its name may be another's since. Raises NoPage."""
    wanted = uuid_of(public_id)
    with at.ledger.look() as tx:
        row = reads.schedule_of(tx.hand, wanted, department=at.department)
    if row is None or row.ended_at is not None:
        raise NoPage(404, "not_found")
    return row


def _next(begun: Look, row: ScheduleRow) -> Occurrence | None:
    if row.ended_at is not None:
        return None
    dates = upcoming(row.pattern, begun.calendar, now=begun.now, count=1)
    return next((one for one in dates if one.at is not None), None)


def _act(at: At, form: Form, public_id: str, act: str) -> Response:
    if act not in ACTS:
        raise NoPage(404, "not_found")
    row = goes_on(at, public_id)
    try:
        said = ACTS[act](at, form, row.name)
    except RuleBroken as refused:
        status = status_of(refused)
        return show(at, public_id, status, problem=told(refused.problem), form=form)
    return at.done(f"watch/calendar/schedules/{public_id}", said)


def _skip(at: At, form: Form, name: str) -> str:
    taken_back = verbs.cancel(at.ports, name, day_from(form["on"], "on"), actor=acting(at))
    return "date_taken_back" if taken_back else "date_skipped"


def _move(at: At, form: Form, name: str) -> str:
    to = wall_from(f"{form['day']} {form['time']}", "day")
    verbs.move(at.ports, name, day_from(form["on"], "on"), to, actor=acting(at))
    return "date_moved"


def _put_back(at: At, form: Form, name: str) -> str:
    verbs.put_back(at.ports, name, day_from(form["on"], "on"), actor=acting(at))
    return "date_put_back"


def _pause(at: At, _: Form, name: str) -> str:
    verbs.pause(at.ports, name, actor=acting(at))
    return "schedule_paused"


def _resume(at: At, _: Form, name: str) -> str:
    verbs.resume(at.ports, name, actor=acting(at))
    return "schedule_resumed"


def _end(at: At, form: Form, name: str) -> str:
    after = day_from(form["after"], "after") if form["after"] else None
    verbs.end(at.ports, name, actor=acting(at), after=after)
    return "schedule_ends" if after else "schedule_ended"


ACTS: dict[str, Callable[[At, Form, str], str]] = {
    "skip": _skip,
    "move": _move,
    "put-back": _put_back,
    "pause": _pause,
    "resume": _resume,
    "end": _end,
}
