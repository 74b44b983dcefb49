"""Schedules: what is announced again and again, term after term."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import Field

from broker.announcement import Draft, Part
from broker.authority import departments
from broker.diary import schedules as verbs
from broker.diary.calendar import DayKind
from broker.diary.recurrence import Double, Missing, Occurrence, Pattern, upcoming
from broker.diary.recurrence_rule import read_rule
from broker.diary.terms import calendar_now
from broker.errors import NotFound
from broker.ports import Transaction
from broker.ports.api import Scope
from broker.ports.calendar import ScheduleRow
from broker.scrutiny.laid_down import as_said
from web.api.calling import Call, Done, Name, Page, once, wants
from web.api.drafting import Drafted, draft_of
from web.api.errors import THERE, answers
from web.api.shapes import Day, Seen, Wall, WallTold, parts_told
from web.api.strict import Sent, Shape, StrictRoute, Told, example

router = APIRouter(tags=["schedules"], route_class=StrictRoute)
READS, WRITES = {"x-scope": Scope.SCHEDULES_READ}, {"x-scope": Scope.SCHEDULES_WRITE}
MAKES, SAYS = answers(401, 403, 409, 413, 422, 503), answers(401, 403, 404, 413, 422, 503)
DOES = answers(401, 403, 404, 422, 503)
The = Annotated[str, Path(min_length=1, max_length=100, examples=["Choir"])]


class DateTold(Told):
    """One of its times. `at` is null where it does not take place; `left_out` says why."""

    date: WallTold
    wall: WallTold
    at: datetime | None
    left_out: str


class ScheduleTold(Told):
    """A schedule with its next dates."""

    id: UUID
    name: str
    department: str
    to: str
    every: str = Field(description="An RRULE; empty for once.")
    words: Mapping[Part, str]
    paused: bool
    approved: bool
    seen: str = Field(description="Of what it says; whoever approves it says that they have seen this.")
    dates: Sequence[DateTold]


class NewSchedule(Drafted):
    """What is announced, to whom, and when it comes again."""

    model_config = example(
        {
            "name": "Choir",
            "to": "Choir",
            "starts": "2027-09-01T08:00:00",
            "every": "FREQ=WEEKLY",
            "words": {"long": "{pupil}: choir at 15:30."},
        }
    )

    name: Name
    starts: Wall
    every: Annotated[str, Field(max_length=300, description="An RRULE; empty for once.")] = ""
    on: list[DayKind] = Field(default_factory=lambda: [DayKind.TERM], min_length=1, max_length=20)
    lasts_minutes: Annotated[
        int, Field(ge=5, le=43_200, description="How long each may still go out if it is late.")
    ] = 240
    if_missing: Missing | None = None
    if_double: Double | None = None


class Agreed(Shape):
    """A yes, to what was seen."""

    model_config = example({"seen": "9f2c41d07a3b"})

    seen: Seen | None = None


class MovedDate(Shape):
    """Which date is meant, and to when it moves."""

    model_config = example({"on": "2027-10-06", "to": "2027-10-07T08:00:00"})

    on: Day
    to: Wall


class OneDate(Shape):
    """Which date is meant."""

    model_config = example({"on": "2027-10-06"})

    on: Day


class LastDay(Shape):
    """Its last day; null for at once."""

    model_config = example({"after": "2028-07-19"}, {})

    after: Day | None = None


@router.get(
    "/schedules",
    operation_id="list_schedules",
    responses=answers(401, 403, 422, 503),
    openapi_extra=READS,
)
def list_(call: Call = wants(Scope.SCHEDULES_READ)) -> Page[ScheduleTold]:
    """List the schedules, the next due first."""
    with call.ledger.look() as tx:
        calendar = calendar_now(tx)
        found = [row for row in tx.schedules.all() if departments.sees(call.actor, row.draft.department)]
        told = [_told(row, upcoming(row.pattern, calendar, now=tx.now, count=1)) for row in found]
    return Page(items=told, next=None)


@router.post(
    "/schedules",
    operation_id="create_schedule",
    status_code=201,
    responses={200: {"model": ScheduleTold, "description": THERE}, **MAKES},
    openapi_extra=WRITES,
)
def create(
    said: Sent[NewSchedule],
    response: Response,
    call: Call = wants(Scope.SCHEDULES_WRITE),
) -> ScheduleTold:
    """Announce something again and again, on the days it is kept on.

    Safe to repeat: a schedule of this name that says the same at the same times is the one that was made.
    """
    draft, pattern = draft_of(call, said), _pattern(call, said)
    made = once(
        response,
        lambda: verbs.save(call.ports, said.name, draft, pattern, lasts=_lasts(said), actor=call.actor),
        lambda: _made_alike(call, said, draft, pattern),
    )
    return _with_dates(call, made.name)


@router.post(
    "/schedules/preview",
    operation_id="preview_schedule",
    responses=MAKES,
    openapi_extra=WRITES,
)
def preview(
    said: Sent[NewSchedule],
    call: Call = wants(Scope.SCHEDULES_WRITE),
) -> Page[DateTold]:
    """Say on which dates it would come. Nothing is kept."""
    draft = draft_of(call, said)
    dates = verbs.preview(call.ports, said.name, draft, _pattern(call, said), lasts=_lasts(said))
    return Page(items=[_date(one) for one in dates], next=None)


@router.get(
    "/schedules/{name}",
    operation_id="get_schedule",
    responses=DOES,
    openapi_extra=READS,
)
def get(name: The, call: Call = wants(Scope.SCHEDULES_READ)) -> ScheduleTold:
    """Look at a schedule and its next dates."""
    return _with_dates(call, name)


@router.post(
    "/schedules/{name}/move",
    operation_id="move_schedule_date",
    responses=SAYS,
    openapi_extra=WRITES,
)
def move(
    name: The,
    said: Sent[MovedDate],
    call: Call = wants(Scope.SCHEDULES_WRITE),
) -> ScheduleTold:
    """Move one date to another time; the others stay."""
    return _do(call, name, lambda: verbs.move(call.ports, name, said.on, said.to, actor=call.actor))


@router.post(
    "/schedules/{name}/cancel",
    operation_id="cancel_schedule_date",
    responses=SAYS,
    openapi_extra=WRITES,
)
def cancel(
    name: The,
    said: Sent[OneDate],
    call: Call = wants(Scope.SCHEDULES_WRITE),
) -> ScheduleTold:
    """Skip one date; what was announced of it already is taken back."""
    return _do(call, name, lambda: verbs.cancel(call.ports, name, said.on, actor=call.actor))


@router.post(
    "/schedules/{name}/put-back",
    operation_id="put_back_schedule_date",
    responses=SAYS,
    openapi_extra=WRITES,
)
def put_back(
    name: The,
    said: Sent[OneDate],
    call: Call = wants(Scope.SCHEDULES_WRITE),
) -> ScheduleTold:
    """Let one date that was moved or cancelled be again as the rule says."""
    return _do(call, name, lambda: verbs.put_back(call.ports, name, said.on, actor=call.actor))


@router.post(
    "/schedules/{name}/pause",
    operation_id="pause_schedule",
    responses=DOES,
    openapi_extra=WRITES,
)
def pause(name: The, call: Call = wants(Scope.SCHEDULES_WRITE)) -> ScheduleTold:
    """Announce nothing of it until it is resumed."""
    return _do(call, name, lambda: verbs.pause(call.ports, name, actor=call.actor))


@router.post(
    "/schedules/{name}/resume",
    operation_id="resume_schedule",
    responses=DOES,
    openapi_extra=WRITES,
)
def resume(name: The, call: Call = wants(Scope.SCHEDULES_WRITE)) -> ScheduleTold:
    """Let it go on, from now."""
    return _do(call, name, lambda: verbs.resume(call.ports, name, actor=call.actor))


@router.post(
    "/schedules/{name}/approve",
    operation_id="approve_schedule",
    responses=answers(401, 403, 404, 413, 422, 503),
    openapi_extra={"x-scope": Scope.APPROVALS_WRITE},
)
def approve(
    name: The,
    said: Sent[Agreed],
    call: Call = wants(Scope.APPROVALS_WRITE),
) -> ScheduleTold:
    """Say yes, as a second person, to all that it announces until somebody changes what it says.

    One to many wants a fresh proof, and is said where whoever says it is known: `carillon schedule approve`.
    """

    def agree() -> object:
        return verbs.approve(call.ports, name, actor=call.actor, seen=said.seen, proved=False)

    return _do(call, name, agree)


@router.post(
    "/schedules/{name}/end",
    operation_id="end_schedule",
    responses=SAYS,
    openapi_extra=WRITES,
)
def end(
    name: The,
    said: Sent[LastDay],
    call: Call = wants(Scope.SCHEDULES_WRITE),
) -> Done:
    """End it, now or after a day. What was announced stands."""
    _seen(call, name)
    verbs.end(call.ports, name, actor=call.actor, after=said.after)
    return Done()


def _do(call: Call, name: str, work: Callable[[], object]) -> ScheduleTold:
    _seen(call, name)
    work()
    return _with_dates(call, name)


def _seen(call: Call, name: str) -> None:
    with call.ledger.look() as tx:
        _the(tx, call, name)


def _the(tx: Transaction, call: Call, name: str) -> ScheduleRow:
    """Raises NotFound, the same for what is not there and for another department's."""
    try:
        row = verbs.the(tx, name)
    except NotFound:
        raise departments.gone("name", "schedule") from None
    departments.must_see(call.actor, row.draft.department, field="name", what="schedule")
    return row


def _with_dates(call: Call, name: str) -> ScheduleTold:
    with call.ledger.look() as tx:
        row = _the(tx, call, name)
        return _told(row, upcoming(row.pattern, calendar_now(tx), now=tx.now, count=verbs.SHOWN))


def _told(row: ScheduleRow, dates: Sequence[Occurrence]) -> ScheduleTold:
    return ScheduleTold(
        id=row.public_id,
        name=row.name,
        department=row.draft.department,
        to=row.draft.audience,
        every=row.pattern.rule.text,
        words=parts_told(row.draft.parts),
        paused=row.paused_at is not None,
        approved=row.approved is not None,
        seen=verbs.seen_of(row),
        dates=[_date(one) for one in dates],
    )


def _date(one: Occurrence) -> DateTold:
    return DateTold(date=one.original, wall=one.wall, at=one.at, left_out=one.why)


def _pattern(call: Call, said: NewSchedule) -> Pattern:
    with call.ledger.look() as tx:
        zone = tx.school.zone
    rule = read_rule(said.every, zone=zone, starts=said.starts)
    return Pattern(
        said.starts, zone, rule, on=frozenset(said.on), missing=said.if_missing, double=said.if_double
    )


def _lasts(said: NewSchedule) -> timedelta:
    return timedelta(minutes=said.lasts_minutes)


def _made_alike(call: Call, said: NewSchedule, draft: Draft, pattern: Pattern) -> ScheduleRow | None:
    """Whatever became of single dates of it since."""
    with call.ledger.look() as tx:
        row = tx.schedules.named(said.name)
    if row is None or not departments.sees(call.actor, row.draft.department):
        return None
    as_made = replace(row.pattern, moved={}, ended=None)
    kept = (as_made, row.lasts, row.draft.expected, as_said(row.draft))
    return row if kept == (pattern, _lasts(said), draft.expected, as_said(draft)) else None
