"""Schedules: what is announced again and again, term after term."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from broker.announcement import Attachment, Draft, Part, People
from broker.authority import departments
from broker.diary import schedules as verbs
from broker.diary.calendar import DayKind
from broker.diary.recurrence import Double, Missing, Occurrence, Pattern, read_rule, upcoming
from broker.diary.terms import calendar_now
from broker.errors import NotFound
from broker.office import templates
from broker.ports import Transaction
from broker.ports.api import Scope
from broker.ports.calendar import ScheduleRow
from web.api.calling import Call, Done, Name, Page, wants
from web.api.errors import answers
from web.api.shapes import Day, Groups, Slug, Wall, WallTold, Ways, Words, parts_told, steps
from web.api.strict import Sent, Shape, StrictRoute, Told, example

router = APIRouter(tags=["schedules"], route_class=StrictRoute)
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
    dates: Sequence[DateTold]


class NewSchedule(Shape):
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
    to: Groups
    starts: Wall
    every: Annotated[str, Field(max_length=300, description="An RRULE; empty for once.")] = ""
    words: Words | None = None
    template: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    fills: dict[str, Annotated[str, Field(max_length=500)]] = Field(default_factory=dict, max_length=50)
    ways: Ways = Field(default_factory=lambda: ["sms", "email"], min_length=1, max_length=20)
    people: People = People.GUARDIANS
    department: Slug | None = None
    language: Annotated[str, Field(max_length=40)] = ""
    expect: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    on: list[DayKind] = Field(default_factory=lambda: [DayKind.TERM], min_length=1, max_length=20)
    lasts_minutes: Annotated[
        int, Field(ge=5, le=43_200, description="How long each may still go out if it is late.")
    ] = 240
    if_missing: Missing | None = None
    if_double: Double | None = None


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
    openapi_extra={"x-scope": Scope.SCHEDULES_READ},
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
    responses=answers(401, 403, 404, 409, 413, 422, 503),
    openapi_extra={"x-scope": Scope.SCHEDULES_WRITE},
)
def create(
    said: Sent[NewSchedule],
    call: Call = wants(Scope.SCHEDULES_WRITE),
) -> ScheduleTold:
    """Announce something again and again, on the days it is kept on."""
    draft = _draft(call, said)
    lasts = timedelta(minutes=said.lasts_minutes)
    made = verbs.save(call.ports, said.name, draft, _pattern(call, said), lasts=lasts, actor=call.actor)
    return _with_dates(call, made.name)


@router.post(
    "/schedules/preview",
    operation_id="preview_schedule",
    responses=answers(401, 403, 404, 409, 413, 422, 503),
    openapi_extra={"x-scope": Scope.SCHEDULES_WRITE},
)
def preview(
    said: Sent[NewSchedule],
    call: Call = wants(Scope.SCHEDULES_WRITE),
) -> Page[DateTold]:
    """Say on which dates it would come. Nothing is kept."""
    draft = _draft(call, said)
    lasts = timedelta(minutes=said.lasts_minutes)
    dates = verbs.preview(call.ports, said.name, draft, _pattern(call, said), lasts=lasts)
    return Page(items=[_date(one) for one in dates], next=None)


@router.get(
    "/schedules/{name}",
    operation_id="get_schedule",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.SCHEDULES_READ},
)
def get(name: The, call: Call = wants(Scope.SCHEDULES_READ)) -> ScheduleTold:
    """Look at a schedule and its next dates."""
    return _with_dates(call, name)


@router.post(
    "/schedules/{name}/move",
    operation_id="move_schedule_date",
    responses=answers(401, 403, 404, 413, 422, 503),
    openapi_extra={"x-scope": Scope.SCHEDULES_WRITE},
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
    responses=answers(401, 403, 404, 413, 422, 503),
    openapi_extra={"x-scope": Scope.SCHEDULES_WRITE},
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
    responses=answers(401, 403, 404, 413, 422, 503),
    openapi_extra={"x-scope": Scope.SCHEDULES_WRITE},
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
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.SCHEDULES_WRITE},
)
def pause(name: The, call: Call = wants(Scope.SCHEDULES_WRITE)) -> ScheduleTold:
    """Announce nothing of it until it is resumed."""
    return _do(call, name, lambda: verbs.pause(call.ports, name, actor=call.actor))


@router.post(
    "/schedules/{name}/resume",
    operation_id="resume_schedule",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.SCHEDULES_WRITE},
)
def resume(name: The, call: Call = wants(Scope.SCHEDULES_WRITE)) -> ScheduleTold:
    """Let it go on, from now."""
    return _do(call, name, lambda: verbs.resume(call.ports, name, actor=call.actor))


@router.post(
    "/schedules/{name}/approve",
    operation_id="approve_schedule",
    responses=answers(401, 403, 404, 409, 422, 503),
    openapi_extra={"x-scope": Scope.APPROVALS_WRITE},
)
def approve(name: The, call: Call = wants(Scope.APPROVALS_WRITE)) -> ScheduleTold:
    """Say yes, as a second person, to all that it announces until somebody changes what it says.

    One to many wants a fresh proof, and is said where whoever says it is known: `carillon schedule approve`.
    """
    return _do(call, name, lambda: verbs.approve(call.ports, name, actor=call.actor, proved=False))


@router.post(
    "/schedules/{name}/end",
    operation_id="end_schedule",
    responses=answers(401, 403, 404, 413, 422, 503),
    openapi_extra={"x-scope": Scope.SCHEDULES_WRITE},
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


def _draft(call: Call, said: NewSchedule) -> Draft:
    owner = departments.owner_of(call.settings.departments, said.department, call.actor)
    departments.must_own(call.actor, owner)  # before its templates are looked up
    parts = said.words.parts() if said.words is not None else {}
    files: tuple[Attachment, ...] = ()
    if said.template is not None:
        with call.ledger.look() as tx:
            parts, files = templates.worded(
                tx, owner, said.template, language=said.language, fills=said.fills, typed=parts
            )
    return Draft(
        department=owner,
        audience=said.to,
        people=said.people,
        ways=steps(said.ways),
        parts=parts,
        language=said.language,
        template=said.template or "",
        attachments=files,
        expected=said.expect,
    )
