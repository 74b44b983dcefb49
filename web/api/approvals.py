"""What waits for a second person, and what that person says. A machine approves nothing: the token acts as somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from broker.announcement import Part
from broker.authority import approvals as verbs
from broker.authority import departments
from broker.authority.approvals import SHORT
from broker.ports.api import Scope
from broker.ports.approvals import Decided
from ledger.reads.approvals import Looked, looked_at, waiting
from web.api.calling import Call, Done, Page, Reason, wants
from web.api.errors import answers
from web.api.shapes import DecidedTold, Seen, parts_told
from web.api.strict import Sent, Shape, StrictRoute, Told, example

router = APIRouter(tags=["approvals"], route_class=StrictRoute)


class WaitingTold(Told):
    """An announcement that waits; or that was sent without a second person and nobody has reviewed."""

    id: UUID
    department: str
    author: str
    audience: str
    counted: int | None
    accepted_at: datetime
    expires_at: datetime
    why: str
    overridden: bool


class DecisionTold(Told):
    """A decision as kept. `void`: why it stands no more."""

    decision: Decided
    by: str
    at: datetime
    why: str
    void: str | None
    reviewed_by: str | None


class WordsTold(Told):
    """The words in one language."""

    language: str
    parts: Mapping[Part, str]


class LookedTold(Told):
    """What somebody should see before they decide."""

    id: UUID
    department: str
    author: str
    audience: str
    people: str
    ways: Sequence[Sequence[str]]
    counted: int | None
    seen: str
    waits: bool
    why: str
    words: Sequence[WordsTold]
    decisions: Sequence[DecisionTold]


class Approval(Shape):
    """A yes, to what was seen."""

    model_config = example({"seen": "9f2c41d07a3b", "why": "read and agreed"})

    seen: Seen | None = None
    why: Annotated[str, Field(max_length=300)] = ""


class Rejection(Shape):
    """A no, and why."""

    model_config = example({"why": "the wrong hall"})

    why: Reason
    seen: Seen | None = None


class Review(Shape):
    """What was found afterwards."""

    model_config = example({"note": "it was right to send it at once"})

    note: Reason


@router.get(
    "/approvals",
    operation_id="list_approvals",
    responses=answers(401, 403, 422, 503),
    openapi_extra={"x-scope": Scope.APPROVALS_READ},
)
def list_(call: Call = wants(Scope.APPROVALS_READ)) -> Page[WaitingTold]:
    """List what waits for a second person, and what was sent without one and nobody has reviewed."""
    with call.ledger.reading() as hand:
        found = [one for one in waiting(hand) if departments.sees(call.actor, one.department)]
    return Page(items=[WaitingTold.model_validate(one) for one in found], next=None)


@router.get(
    "/approvals/{id}",
    operation_id="get_approval",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.APPROVALS_READ},
)
def get(id: UUID, call: Call = wants(Scope.APPROVALS_READ)) -> LookedTold:
    """Show the words, to whom, by which ways, and why it waits."""
    call.announcement(id)
    with call.ledger.reading() as hand:
        found = looked_at(hand, id)
    if found is None:
        raise departments.gone("id", "announcement")
    return _looked(found)


@router.post(
    "/approvals/{id}/approve",
    operation_id="approve",
    responses=answers(401, 403, 404, 409, 413, 422, 503),
    openapi_extra={"x-scope": Scope.APPROVALS_WRITE},
)
def approve(
    id: UUID,
    said: Sent[Approval],
    call: Call = wants(Scope.APPROVALS_WRITE),
) -> DecidedTold:
    """Say yes, as somebody other than its author. One to many wants a fresh proof, and is said on its page."""
    call.announcement(id)
    made = verbs.approve(call.ports, id, actor=call.actor, seen=said.seen, why=said.why, proved=False)
    return DecidedTold(id=id, decision=made.decided, by=made.by)


@router.post(
    "/approvals/{id}/reject",
    operation_id="reject",
    responses=answers(401, 403, 404, 409, 413, 422, 503),
    openapi_extra={"x-scope": Scope.APPROVALS_WRITE},
)
def reject(
    id: UUID,
    said: Sent[Rejection],
    call: Call = wants(Scope.APPROVALS_WRITE),
) -> DecidedTold:
    """Say no: nothing of it will leave."""
    call.announcement(id)
    made = verbs.reject(call.ports, id, said.why, actor=call.actor, seen=said.seen)
    return DecidedTold(id=id, decision=made.decided, by=made.by)


@router.post(
    "/approvals/{id}/review",
    operation_id="review",
    responses=answers(401, 403, 404, 409, 413, 422, 503),
    openapi_extra={"x-scope": Scope.APPROVALS_WRITE},
)
def review(
    id: UUID,
    said: Sent[Review],
    call: Call = wants(Scope.APPROVALS_WRITE),
) -> Done:
    """Say that you have looked at what was sent without a second person."""
    call.announcement(id)
    verbs.review(call.ports, id, said.note, actor=call.actor)
    return Done()


def _looked(found: Looked) -> LookedTold:
    said, binding = found.announcement, found.binding
    return LookedTold(
        id=said.public_id,
        department=said.department,
        author=found.author.told,
        audience=said.audience,
        people=said.people,
        ways=binding.ways,
        counted=binding.counted,
        seen=binding.digest[:SHORT],
        waits=found.waits,
        why=found.why,
        words=[WordsTold(language=one.language, parts=parts_told(one.parts)) for one in found.contents],
        decisions=[
            DecisionTold(
                decision=one.decided,
                by=one.by,
                at=one.at,
                why=one.why,
                void=one.void_why if one.void_at else None,
                reviewed_by=one.reviewed_by,
            )
            for one in found.decisions
        ],
    )
