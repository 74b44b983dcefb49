"""Announcements: said once, looked at before, followed after, taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Query, Response

from broker import intake, judging
from broker.announcement import Draft
from broker.authority import approvals, departments
from broker.office.reach import kinds_of
from broker.ports.api import Scope
from config.rehearsal import Rehearsal, rehearsal
from ledger.reads import watch
from ledger.reads.reached import reached_in_order
from ledger.reads.status import Status, status
from web.api.calling import PAGE, Call, Cursor, Limit, Page, wants
from web.api.drafting import accept, draft_of
from web.api.errors import THERE, answers
from web.api.shapes import MOST_WITH_FILES, DecidedTold, HeldTold, held
from web.api.shapes.announcements import (
    MOST_NAMED,
    AcceptedTold,
    AnnouncementTold,
    CostTold,
    DutyTold,
    Key,
    NewAnnouncement,
    Override,
    PreviewTold,
    ReadTold,
    StatusTold,
    UntoldTold,
    VerdictTold,
    WayTold,
    WithdrawnTold,
    accepted_told,
)
from web.api.strict import Sent, StrictRoute

router = APIRouter(tags=["announcements"], route_class=StrictRoute)


@router.post(
    "/announcements",
    operation_id="create_announcement",
    status_code=201,
    responses={
        200: {"model": AcceptedTold, "description": THERE},
        **answers(401, 403, 409, 413, 422, 503),
    },
    openapi_extra={"x-scope": Scope.ANNOUNCEMENTS_WRITE, "x-most": MOST_WITH_FILES},
)
def create(
    said: Sent[NewAnnouncement],
    response: Response,
    later: BackgroundTasks,
    key: Key,
    call: Call = wants(Scope.ANNOUNCEMENTS_WRITE),
) -> AcceptedTold:
    """Announce something. Checked whole before anything is kept; a worker sends it when it is due."""
    return accepted_told(accept(call, _draft(call, said, key), response, later))


@router.post(
    "/announcements/preview",
    operation_id="preview_announcement",
    responses=answers(401, 403, 413, 422, 503),
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
    call.announcement(id)
    withdrawn = intake.withdraw(call.ports, id, actor=call.actor)
    with call.ledger.look() as tx:
        stands = status(tx.hand, id)
    return WithdrawnTold(id=id, withdrawn=withdrawn, retracting=stands.retracting if stands else 0)


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
    call.announcement(id)
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
    return replace(
        draft_of(call, said, tuple(file.attachment() for file in said.files)),
        purpose=said.purpose,
        urgency=said.urgency,
        key=key,
        send_at=said.send_at,
        expires_at=said.expires_at,
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
