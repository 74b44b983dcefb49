"""What comes from elsewhere: calendars that are read again and again, and the sources of the timetable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response

from broker.diary import subscriptions, timetable_notice, timetable_sources, timetables
from broker.diary.subscriptions import is_silent
from broker.errors import Problem, RuleBroken
from broker.ports.calendar import SubscriptionRow
from broker.ports.timetables import SourceRow
from config.calendars import CalendarRoom
from config.timetables import TimetableAt
from web.watch.calendar.known import WRITES
from web.watch.calendar.refused import told
from web.watch.compose import asked
from web.watch.compose.choices import Choices, choices
from web.watch.desk import At, Desk, Form, acting, number, posted
from web.watch.forms import status_of
from web.watch.signing_in import NoPage

router = APIRouter()
EVERY = {"1": "every hour", "6": "every 6 hours", "24": "once a day"}
LONGEST_ADDRESS = 2_000
LONGEST_NAME = 100
MOST_SHOWN = 200  # calendars, as many as a school may have
BESIDE = ("source", "url", "to", "every")


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar elsewhere: its row, its address without what may be its secret, whether it is silent."""

    row: SubscriptionRow
    at: str
    silent: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A source of timetable changes, as the settings name it, and how it stands."""

    row: SourceRow
    at: TimetableAt | None
    silent: bool
    approved: bool

    @property
    def pushed(self) -> bool:
        """Whether it is only handed over, and nobody reads it."""
        return self.at is None or self.at.place() is None


@router.get("/watch/calendar/sources")
def list_(at: Desk) -> Response:
    """Calendars and timetables."""
    return _page(at)


@router.get("/watch/calendar/sources/new")
def new(at: Desk) -> Response:
    """The form for one more calendar."""
    at.must(*WRITES)
    return _form(at, Form({"every": ["1"]}), choices(at, department=at.query("department")))


@router.post("/watch/calendar/sources/new")
async def subscribe(request: Request) -> Response:
    """It is read once at once: what cannot be read then is not kept."""
    return await posted(request, _subscribe)


@router.post("/watch/calendar/sources/{which}/read")
async def read_now(which: str, request: Request) -> Response:
    """Read it now."""
    return await posted(request, lambda at, form: _read_now(at, which))


@router.post("/watch/calendar/sources/{which}/leave")
async def leave(which: str, request: Request) -> Response:
    """Read it no more."""
    return await posted(request, lambda at, form: _leave(at, which))


@router.post("/watch/calendar/timetable/{name}/release")
async def release(name: str, request: Request) -> Response:
    """Let what is held go."""
    return await posted(request, lambda at, form: _release(at, name))


def _page(at: At, status: int = 200, problem: Problem | None = None) -> Response:
    with at.ledger.look() as tx:
        zone, now = tx.school.zone, tx.now
        rows = [row for row in tx.subscriptions.all() if at.department in {None, row.department}]
        known = {
            name: where
            for name, where in at.settings.timetables.items()
            if at.department in {None, where.department}
        }
        read = {row.name: row for row in tx.timetables.sources()}
        wanted = [where.source(name) for name, where in known.items()]
        quiet = timetable_sources.silent(tx, wanted, list(read.values()), began=None)
        sources = [
            Source(
                read.get(name) or SourceRow(name),
                where,
                name in quiet,
                timetable_notice.is_approved(tx, where.source(name)),
            )
            for name, where in known.items()
        ]
    if at.department is None:  # what the settings name no more may still be held
        strays = [row for name, row in read.items() if name not in at.settings.timetables and row.held_at]
        sources += [Source(row, None, silent=False, approved=False) for row in strays]
    return at.page(
        "calendar/sources",
        status,
        calendars=_calendars(rows, now),
        sources=sources,
        zone=zone,
        writes=at.may(*WRITES),
        problem=problem,
    )


def _calendars(rows: Sequence[SubscriptionRow], now: datetime) -> Sequence[Calendar]:
    return [Calendar(row, subscriptions.masked(row.url), is_silent(row, now)) for row in rows[:MOST_SHOWN]]


def _the(at: At, which: str) -> SubscriptionRow:
    """Raises NoPage."""
    wanted = number(which)
    with at.ledger.look() as tx:
        found = next((row for row in tx.subscriptions.all() if row.id == wanted), None)
    if found is None or at.department not in {None, found.department}:
        raise NoPage(404, "not_found")
    return found


def _subscribe(at: At, form: Form) -> Response:
    at.must(*WRITES)
    if (other := asked.switched(form)) is not None:
        return _form(at, other, choices(at, department=other["department"]))
    offered = choices(at, department=form["department"])
    try:
        row = _filled(at, form, offered)
        room = CalendarRoom(at.ports, at.zone)
        answer = room.asked(row)  # refused here, nothing is kept
        made = subscriptions.subscribe(at.ports, row, actor=acting(at))
        subscriptions.answered(at.ports, made, answer, actor=acting(at))
    except RuleBroken as refused:
        status = status_of(refused)
        problem = told(refused.problem)
        if problem.field not in BESIDE:
            problem = replace(problem, field="url")
        return _form(at, form, offered, status=status, problem=problem)
    return at.done("watch/calendar/sources", "calendar_subscribed")


def _filled(at: At, form: Form, offered: Choices) -> SubscriptionRow:
    """Raises RuleBroken."""
    name = " ".join(form["source"].split())
    if not (name and name.isprintable() and len(name) <= LONGEST_NAME):
        raise asked.bad("no_source", "source", "what shall this calendar be known by?", "such as: choir")
    url = form["url"]
    if "://" not in url[:16] or len(url) > LONGEST_ADDRESS:
        raise asked.bad("bad_url", "url", "this is no address", "it begins with https:// or webcal://")
    every = timedelta(hours=int(form["every"])) if form["every"] in EVERY else timedelta(hours=1)
    with at.ledger.look() as tx:
        now = tx.now
    return SubscriptionRow(
        0, name, offered.department, url, asked.audience_of(form), "in_term" in form, every, at.actor.id, now
    )


def _read_now(at: At, which: str) -> Response:
    at.must(*WRITES)
    row = _the(at, which)
    brought = CalendarRoom(at.ports, at.zone).read(row)
    return at.done("watch/calendar/sources", "calendar_unread" if brought is None else "calendar_read")


def _leave(at: At, which: str) -> Response:
    at.must(*WRITES)
    try:
        subscriptions.unsubscribe(at.ports, _the(at, which).name, actor=acting(at))
    except RuleBroken as refused:
        return _page(at, status_of(refused), told(refused.problem))
    return at.done("watch/calendar/sources", "calendar_left")


def _release(at: At, name: str) -> Response:
    at.must(*WRITES)
    where = at.settings.timetables.get(name)
    if where is None or (at.department is not None and where.department != at.department):
        raise NoPage(404, "not_found")
    owner = where.department
    try:
        timetables.release(at.ports, name, department=owner, actor=acting(at))
    except RuleBroken as refused:
        return _page(at, status_of(refused), told(refused.problem))
    return at.done("watch/calendar/sources", "changes_released")


def _form(
    at: At, form: Form, offered: Choices, *, status: int = 200, problem: Problem | None = None
) -> Response:
    return at.page(
        "calendar/source_form",
        status,
        form=form,
        offered=offered,
        problem=problem,
        beside=BESIDE,
        EVERY=EVERY,
    )
