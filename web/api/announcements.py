"""Announcements: said once, looked at before, followed after, taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from pydantic import Field, JsonValue

from broker import intake, judging
from broker.announcement import Draft, People, Purpose, Stage, Urgency
from broker.authority import approvals, departments
from broker.delivery import State
from broker.duty import DutyState
from broker.office import templates
from broker.office.reach import kinds_of
from broker.ports.api import Scope
from config.rehearsal import Rehearsal, rehearsal
from ledger.reads import watch
from ledger.reads.reached import reached_in_order
from ledger.reads.status import Status, status
from web.api.calling import PAGE, Call, Cursor, Limit, Page, Reason, wants
from web.api.errors import answers
from web.api.shapes import (
    MOST_WITH_FILES,
    DecidedTold,
    File,
    Groups,
    HeldTold,
    Instant,
    Slug,
    Ways,
    Words,
    held,
    steps,
)
from web.api.strict import Sent, Shape, StrictRoute, Told, example

router = APIRouter(tags=["announcements"], route_class=StrictRoute)
MOST_NAMED = 500

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Makes the call safe to repeat: the same key with the same body is the same announcement.",
        examples=["9f1c1e5e-5b8a-4a56-9a3f-0f6f3c0a4f11"],
    ),
]
EXAMPLE: JsonValue = {
    "to": "Choir",
    "ways": ["sms", "email"],
    "words": {"title": "Rehearsal", "long": "{pupil}: rehearsal at 15:30."},
}


class NewAnnouncement(Shape):
    """What is to be announced. Words or a template, or a template and words that stand instead of some of its."""

    model_config = example(EXAMPLE)

    to: Groups
    ways: Ways = Field(default_factory=lambda: ["sms", "email"], min_length=1, max_length=20)
    people: People = People.GUARDIANS
    words: Words | None = None
    template: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    fills: dict[str, Annotated[str, Field(max_length=500)]] = Field(default_factory=dict, max_length=50)
    department: Slug | None = None
    purpose: Purpose = Purpose.SERVICE
    urgency: Urgency = Urgency.ROUTINE
    language: Annotated[str, Field(max_length=40, examples=["cy"])] = ""
    send_at: Instant | None = None
    expires_at: Instant | None = None
    expect: Annotated[int, Field(ge=0, le=10_000_000, description="How many people are meant.")] | None = None
    copies: list[Annotated[str, Field(max_length=100)]] = Field(default_factory=list, max_length=50)
    files: list[File] = Field(default_factory=list, max_length=20)


class AcceptedTold(Told):
    """An announcement that was accepted; `created` is false where the key had been used for the same before."""

    id: UUID
    created: bool
    due_at: datetime
    expires_at: datetime
    held: HeldTold | None


class CostTold(Told):
    """What a way would cost, as reckoned."""

    unit: Decimal
    messages: int
    total: Decimal
    currency: str
    left: Decimal | None


class VerdictTold(Told):
    """How the rules judge one way."""

    answer: str
    code: str
    why: str
    until: datetime | None


class ReadTold(Told):
    """What somebody would read: a mail has a subject, a post a text."""

    subject: str | None = None
    body: str | None = None
    text: str | None = None


class WayTold(Told):
    """One way: what an example family would read, and what it counts as."""

    account: str
    example_to: str = Field(description="Masked.")
    example: ReadTold
    parts: int
    notes: Sequence[str]
    addresses: int | None
    people: int | None
    verdict: VerdictTold
    cost: CostTold | None


class UntoldTold(Told):
    """Somebody whom no way reaches, and why."""

    name: str
    group: str
    why: str


class PreviewTold(Told):
    """What would go to whom; nothing was kept."""

    due_at: datetime
    expires_at: datetime
    people: int
    counted: int
    unreached: int
    untold: Sequence[UntoldTold] = Field(description=f"The first {MOST_NAMED}.")
    held: HeldTold | None
    ways: Mapping[str, WayTold]


class AnnouncementTold(Told):
    """An announcement as a list shows it. `channels`: channel → state → how many deliveries."""

    id: UUID
    department: str
    title: str
    to: str
    people: People
    purpose: Purpose
    urgency: Urgency
    ways: Sequence[str]
    stage: Stage
    settled: bool
    accepted_at: datetime
    due_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None
    channels: Mapping[str, Mapping[State, int]]


class StatusTold(AnnouncementTold):
    """Where it stands. `duties`: of the people who must be told, how many were."""

    author: str
    duties: Mapping[DutyState, int]
    retracting: int
    held: HeldTold | None


class WithdrawnTold(Told):
    """It was taken back: how many deliveries had not left."""

    id: UUID
    withdrawn: int
    retracting: int


class DutyWayTold(Told):
    """One delivery that covers somebody."""

    delivery: int
    channel: str
    address: str = Field(description="Masked.")
    state: State
    why: str


class DutyTold(Told):
    """One person who must be told, and how it stands."""

    person: UUID
    name: str
    state: DutyState
    ways: Sequence[DutyWayTold]
    why: str


@router.post(
    "/announcements",
    operation_id="create_announcement",
    status_code=201,
    responses={
        200: {"model": AcceptedTold, "description": "It was there already."},
        **answers(401, 403, 404, 409, 413, 422, 503),
    },
    openapi_extra={"x-scope": Scope.ANNOUNCEMENTS_WRITE, "x-most": MOST_WITH_FILES},
)
def create(
    said: Sent[NewAnnouncement],
    response: Response,
    key: Key,
    call: Call = wants(Scope.ANNOUNCEMENTS_WRITE),
) -> AcceptedTold:
    """Announce something. Checked whole before anything is kept; a worker sends it when it is due."""
    accepted = intake.accept(call.ports, _draft(call, said, key), actor=call.actor)
    if not accepted.created:
        response.status_code = 200
    it = accepted.announcement
    response.headers["Location"] = f"/v1/announcements/{it.public_id}"
    return AcceptedTold(
        id=it.public_id,
        created=accepted.created,
        due_at=it.due_at,
        expires_at=it.expires_at,
        held=held(accepted.hold),
    )


@router.post(
    "/announcements/preview",
    operation_id="preview_announcement",
    responses=answers(401, 403, 404, 413, 422, 503),
    openapi_extra={"x-scope": Scope.ANNOUNCEMENTS_WRITE, "x-most": MOST_WITH_FILES},
)
def preview(
    said: Sent[NewAnnouncement],
    call: Call = wants(Scope.ANNOUNCEMENTS_WRITE),
) -> PreviewTold:
    """Say what would go to whom, what it would cost, and who is not reached. Nothing is kept."""
    draft = _draft(call, said, None)
    found = rehearsal(call.ports, draft, currency=call.settings.school.currency, actor=call.actor)
    return _previewed(found)


@router.get(
    "/announcements",
    operation_id="list_announcements",
    responses=answers(401, 403, 422, 503),
    openapi_extra={"x-scope": Scope.ANNOUNCEMENTS_READ},
)
def list_(
    cursor: Cursor = None, limit: Limit = PAGE, call: Call = wants(Scope.ANNOUNCEMENTS_READ)
) -> Page[AnnouncementTold]:
    """List announcements, the newest first."""
    place = call.place("announcements", cursor)
    with call.ledger.reading() as hand:
        found = watch.shown(
            hand, before=UUID(place) if place else None, limit=limit, department=call.department
        )
    more = call.cursor("announcements", found[-1].announcement.public_id) if len(found) == limit else None
    return Page(items=[AnnouncementTold(**_shown(one)) for one in found], next=more)


@router.get(
    "/announcements/{id}",
    operation_id="get_announcement",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.ANNOUNCEMENTS_READ},
)
def get(id: UUID, call: Call = wants(Scope.ANNOUNCEMENTS_READ)) -> StatusTold:
    """Say where an announcement stands."""
    with call.ledger.look() as tx:
        departments.announcement(tx, id, call.actor)
        one, stands = watch.one(tx.hand, id), status(tx.hand, id)
    assert one is not None and stands is not None  # noqa: S101, PT018 - it was there, and none is ever erased
    return _status(one, stands)


@router.post(
    "/announcements/{id}/withdraw",
    operation_id="withdraw_announcement",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.ANNOUNCEMENTS_WRITE},
)
def withdraw(id: UUID, call: Call = wants(Scope.ANNOUNCEMENTS_WRITE)) -> WithdrawnTold:
    """Take it back: nothing of it starts more than a second from now. Safe to repeat."""
    with call.ledger.look() as tx:
        departments.announcement(tx, id, call.actor)
    withdrawn = intake.withdraw(call.ports, id, actor=call.actor)
    with call.ledger.look() as tx:
        stands = status(tx.hand, id)
    return WithdrawnTold(id=id, withdrawn=withdrawn, retracting=stands.retracting if stands else 0)


class Override(Shape):
    """Why it cannot wait."""

    model_config = example({"why": "the coach leaves in ten minutes"})

    why: Reason


@router.post(
    "/announcements/{id}/override",
    operation_id="override_announcement",
    responses=answers(401, 403, 404, 409, 413, 422, 503),
    openapi_extra={"x-scope": Scope.ANNOUNCEMENTS_WRITE},
)
def override(
    id: UUID,
    said: Sent[Override],
    call: Call = wants(Scope.ANNOUNCEMENTS_WRITE),
) -> DecidedTold:
    """Send an urgent announcement without a second person: all approvers are told, and it is listed until reviewed."""
    with call.ledger.look() as tx:
        departments.announcement(tx, id, call.actor)
    decision = approvals.override(call.ports, id, said.why, actor=call.actor)
    return DecidedTold(id=id, decision=decision.decided, by=decision.by)


@router.get(
    "/announcements/{id}/duties",
    operation_id="list_duties",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.DELIVERIES_READ},
)
def list_duties(
    id: UUID,
    unmet: Annotated[bool, Query(description="Only those whom nothing reached yet.")] = False,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    call: Call = wants(Scope.DELIVERIES_READ),
) -> Page[DutyTold]:
    """Say who got it, by which way, and who did not, and why."""
    place = call.place("duties", cursor)
    with call.ledger.look() as tx:
        said = departments.announcement(tx, id, call.actor)
        kinds = kinds_of(call.ports.channels, said)
        found, more = reached_in_order(
            tx.hand, said, after=int(place or 0), limit=limit, unmet=unmet, kinds=kinds
        )
    onward = call.cursor("duties", more) if more is not None else None
    return Page(items=[DutyTold.model_validate(one) for one in found], next=onward)


def _draft(call: Call, said: NewAnnouncement, key: str | None) -> Draft:
    owner = departments.owner_of(call.settings.departments, said.department, call.actor)
    parts = said.words.parts() if said.words is not None else {}
    files = tuple(file.attachment() for file in said.files)
    if said.template is not None:
        with call.ledger.look() as tx:
            parts, files = templates.worded(
                tx, owner, said.template, language=said.language, fills=said.fills, typed=parts, files=files
            )
    return Draft(
        department=owner,
        audience=said.to,
        people=said.people,
        ways=steps(said.ways),
        parts=parts,
        purpose=said.purpose,
        urgency=said.urgency,
        language=said.language,
        key=key,
        send_at=said.send_at,
        expires_at=said.expires_at,
        attachments=files,
        expected=said.expect,
        template=said.template or "",
        copies=tuple(dict.fromkeys(said.copies)),
    )


def _shown(one: watch.Shown) -> dict[str, object]:
    it = one.announcement
    return {
        "id": it.public_id,
        "department": it.department,
        "title": one.title,
        "to": it.audience,
        "people": it.people,
        "purpose": it.purpose,
        "urgency": it.urgency,
        "ways": [channel for step in it.ways for channel in step.channels],
        "stage": one.stage,
        "settled": one.settled,
        "accepted_at": it.accepted_at,
        "due_at": it.due_at,
        "expires_at": it.expires_at,
        "withdrawn_at": it.withdrawn_at,
        "channels": one.channels,
    }


def _status(one: watch.Shown, stands: Status) -> StatusTold:
    it = stands.announcement
    waits = (
        HeldTold(until=it.held_until, code=it.hold_code, why=it.hold_why)
        if it.held_until is not None and it.fanned_out_at is None
        else None
    )
    return StatusTold(
        **_shown(one),
        author=stands.author.told,
        duties=stands.duties,
        retracting=stands.retracting,
        held=waits,
    )


def _previewed(found: Rehearsal) -> PreviewTold:
    rehearsed, reach = found.rehearsed, found.reach
    return PreviewTold(
        due_at=rehearsed.due_at,
        expires_at=rehearsed.expires_at,
        people=reach.people,
        counted=rehearsed.counted,
        unreached=len(reach.untold),
        untold=[UntoldTold.model_validate(one) for one in reach.untold[:MOST_NAMED]],
        held=held(rehearsed.hold),
        ways={channel: _way(channel, found) for channel in found.ways},
    )


def _way(channel: str, found: Rehearsal) -> WayTold:
    way, count = found.ways[channel], found.reach.ways.get(channel)
    verdict = way.verdict
    return WayTold(
        account=way.account,
        example_to=way.example,
        example=ReadTold(**way.rendering),
        parts=way.parts,
        notes=list(way.notes),
        addresses=count.addresses if count else None,
        people=count.people if count else None,
        verdict=VerdictTold(
            answer=judging.answer_of(verdict),
            code=verdict.code,
            why=verdict.why,
            until=getattr(verdict, "until", None),
        ),
        cost=CostTold.model_validate(way.cost) if way.cost is not None else None,
    )
