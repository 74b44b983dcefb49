"""Deliveries: page by page, and what a person decides about one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from broker import recover
from broker.authority import departments
from broker.authority.departments import gone
from broker.delivery import FAILED, State
from broker.ports.api import Scope
from ledger.reads.deliveries import Listed, Wanted
from ledger.reads.deliveries import deliveries as listed
from ledger.reads.deliveries import page as page_of
from web.api.calling import PAGE, Call, Cursor, Limit, Page, wants
from web.api.errors import answers
from web.api.strict import Sent, Shape, StrictRoute, Told, example

router = APIRouter(tags=["deliveries"], route_class=StrictRoute)
LARGEST = 2**63 - 1
Id = Annotated[int, Path(ge=1, le=LARGEST)]


class DeliveryTold(Told):
    """One delivery. `why` is a sentence, empty when all went well."""

    id: int
    announcement: UUID
    channel: str
    account: str
    address: str = Field(description="Masked.")
    state: State
    code: str
    why: str
    burned: int
    due_at: datetime
    changed_at: datetime
    settled_by: str | None
    gateways: Sequence[str] = Field(
        description="Of its attempts, the first first; empty before any, and where the account has but one."
    )


class WhyPerhaps(Shape):
    """The reason, for the record."""

    model_config = example({"why": "the number is right again"})

    why: Annotated[str, Field(max_length=300)] = ""


@router.get(
    "/deliveries",
    operation_id="list_deliveries",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.DELIVERIES_READ},
)
def list_(
    *,
    announcement: Annotated[UUID | None, Query(description="Of one announcement.")] = None,
    channel: Annotated[
        str | None, Query(max_length=63, pattern=r"^[\x21-\x7e]+$", description="By one channel: sms.")
    ] = None,
    state: Annotated[Sequence[State] | None, Query(description="In one of these states.")] = None,
    failed: Annotated[
        bool, Query(description="What needs a person: refused, rejected, given up, uncertain.")
    ] = False,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    call: Call = wants(Scope.DELIVERIES_READ),
) -> Page[DeliveryTold]:
    """List deliveries, the newest first; of one announcement way by way. Addresses are masked.

    A page may be empty and yet have a next: of many deliveries a stretch is looked through at a time.
    """
    states = (FAILED if failed else frozenset(State)) & frozenset(state or State)
    wanted = Wanted(announcement, channel, states if failed or state else None, department=call.department)
    where = "deliveries" if announcement is None else f"deliveries of {announcement}"
    place = call.place(where, cursor)
    with call.ledger.look() as tx:
        if announcement is not None:
            departments.announcement(tx, announcement, call.actor)
        found = page_of(tx.hand, wanted, place=place, limit=limit)
    more = call.cursor(where, found.more) if found.more is not None else None
    return Page(items=[DeliveryTold.model_validate(one) for one in found.items], next=more)


@router.get(
    "/deliveries/{id}",
    operation_id="get_delivery",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.DELIVERIES_READ},
)
def get(id: Id, call: Call = wants(Scope.DELIVERIES_READ)) -> DeliveryTold:
    """Look at one delivery."""
    return DeliveryTold.model_validate(_the(call, id))


@router.post(
    "/deliveries/{id}/requeue",
    operation_id="requeue_delivery",
    responses=answers(401, 403, 404, 409, 413, 422, 503),
    openapi_extra={"x-scope": Scope.DELIVERIES_WRITE},
)
def requeue(
    id: Id,
    said: Sent[WhyPerhaps],
    call: Call = wants(Scope.DELIVERIES_WRITE),
) -> DeliveryTold:
    """Try a refused, rejected, given-up or uncertain delivery again; the rules judge it anew."""
    _the(call, id)
    recover.requeue(call.ports, id, actor=call.actor, why=said.why)
    return DeliveryTold.model_validate(_the(call, id))


@router.post(
    "/deliveries/{id}/settle",
    operation_id="settle_delivery",
    responses=answers(401, 403, 404, 409, 413, 422, 503),
    openapi_extra={"x-scope": Scope.DELIVERIES_WRITE},
)
def settle(
    id: Id,
    said: Sent[WhyPerhaps],
    call: Call = wants(Scope.DELIVERIES_WRITE),
) -> DeliveryTold:
    """Leave an uncertain delivery as it is: it may have left, and nobody will try again."""
    _the(call, id)
    recover.settle(call.ports, id, actor=call.actor, why=said.why)
    return DeliveryTold.model_validate(_the(call, id))


def _the(call: Call, id: int) -> Listed:
    with call.ledger.reading() as hand:
        found = listed(hand, Wanted(delivery=id, department=call.department), limit=1)
    if not found:
        raise gone("id", "delivery")
    return found[0]
