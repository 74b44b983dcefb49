"""The record of what was done, the newest first. It is the whole school's, so no token of one department reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from broker.actor import ActorKind
from broker.authority import departments
from broker.ports.api import Scope
from ledger.reads.search import Sought, announcement_of, search
from web.api.calling import PAGE, Call, Cursor, Limit, Page, wants
from web.api.errors import answers
from web.api.shapes import Instant
from web.api.strict import StrictRoute, Told

router = APIRouter(tags=["record"], route_class=StrictRoute)
LARGEST = 2**63 - 1
Word = Annotated[str | None, Query(min_length=1, max_length=100)]


class ActorTold(Told):
    """Who did it: a person, a token, a provider, or Carillon itself. `token`: the one that acted as this person."""

    kind: ActorKind
    id: str
    department: str | None
    on_behalf_of: str | None
    token: str | None = None


class EntryTold(Told):
    """One entry; addresses are masked, and of what it lists the beginning is shown."""

    id: int
    at: datetime
    kind: str
    actor: ActorTold
    announcement: UUID | None
    facts: Mapping[str, Any]
    explained: Sequence[int] = Field(description="Attempts that the keys of those concerned still explain.")


@router.get(
    "/record",
    operation_id="search_record",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.RECORD_READ},
)
def list_(  # noqa: PLR0913 - each is a way to narrow it
    *,
    announcement: UUID | None = None,
    delivery: Annotated[int | None, Query(ge=1, le=LARGEST)] = None,
    actor: Word = None,
    kind: Annotated[str | None, Query(max_length=63, pattern=r"^[a-z_.]+$")] = None,
    since: Instant | None = None,
    until: Instant | None = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    call: Call = wants(Scope.RECORD_READ),
) -> Page[EntryTold]:
    """Look into the record. A page may be empty and yet have a next: of a long record a stretch is read at a time."""
    departments.must_own(call.actor, None)
    sought = Sought(actor=actor, kind=kind, since=since, until=until)
    place = call.place("record", cursor)
    with call.ledger.look() as tx:
        if announcement is not None:
            said = departments.announcement(tx, announcement, call.actor)
            sought = Sought(frozenset({said.id}), actor=actor, kind=kind, since=since, until=until)
        if delivery is not None:
            about = announcement_of(tx.hand.connection, delivery)
            sought = sought.within(frozenset({delivery}), about)
        page = search(tx.hand.connection, sought, before=int(place) if place else None, limit=limit)
    more = call.cursor("record", page.before) if page.before is not None else None
    return Page(items=[EntryTold.model_validate(one) for one in page.entries], next=more)
