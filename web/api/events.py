"""Events: rehearsals, concerts, trips. Who is reminded moves with them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from broker.authority import departments
from broker.diary import event_book as verbs
from broker.diary.event_changes import Changed
from broker.diary.events import ALONE, ToldEvent
from broker.errors import Problem, RuleBroken
from broker.moments import instant
from broker.ports.api import Scope
from broker.ports.events import EventRow
from web.api.calling import Call, Page, wants
from web.api.errors import THERE, answers
from web.api.shapes import Groups, Slug, Wall, WallTold
from web.api.shapes.announcements import Key
from web.api.strict import Sent, Shape, StrictRoute, Told, example

router = APIRouter(tags=["events"], route_class=StrictRoute)
Place = Annotated[str, Field(max_length=200, examples=["Hall"])]


class EventTold(Told):
    """An event. `sequence` rises with each change."""

    id: UUID
    title: str
    place: str
    wall: WallTold
    starts_at: datetime
    ends_at: datetime
    to: str
    department: str
    source: str
    sequence: int
    cancelled: bool


class NewEvent(Shape):
    """What takes place, for whom, when and where."""

    model_config = example(
        {"title": "Spring concert", "to": "Choir", "starts": "2027-03-18T19:00:00", "place": "Hall"}
    )

    title: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
    to: Groups
    starts: Wall
    ends: Wall | None = None
    place: Place = ""
    department: Slug | None = None


class Moved(Shape):
    """When it takes place now, and where."""

    model_config = example({"to": "2027-03-19T19:00:00", "place": "Chapel"})

    to: Wall
    place: Place | None = None


class Other(Shape):
    """Whose event it is now, what it is called, and where it takes place; what is left out stays."""

    model_config = example({"to": "Choir + Orchestra"}, {"title": "Summer concert"})

    to: Groups | None = None
    title: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")] | None = None
    place: Place | None = None


@router.get(
    "/events",
    operation_id="list_events",
    responses=answers(401, 403, 422, 503),
    openapi_extra={"x-scope": Scope.EVENTS_READ},
)
def list_(
    days: Annotated[int, Query(ge=1, le=400, description="How far to look ahead.")] = 60,
    call: Call = wants(Scope.EVENTS_READ),
) -> Page[EventTold]:
    """List what takes place in the coming days."""
    with call.ledger.look() as tx:
        found = tx.events.between(tx.now, tx.now + timedelta(days=days))
    return Page(
        items=[_told(one) for one in found if departments.sees(call.actor, one.department)], next=None
    )


@router.post(
    "/events",
    operation_id="create_event",
    status_code=201,
    responses={200: {"model": EventTold, "description": THERE}, **answers(401, 403, 409, 413, 422, 503)},
    openapi_extra={"x-scope": Scope.EVENTS_WRITE},
)
def create(
    said: Sent[NewEvent],
    response: Response,
    key: Key,
    call: Call = wants(Scope.EVENTS_WRITE),
) -> EventTold:
    """Add one event. Two may be alike in everything, so that the key alone tells a second one from the first again."""
    owner = departments.owner_of(call.settings.departments, said.department, call.actor)
    begins = _instant(call, said.starts, "starts")
    ends = _instant(call, said.ends, "ends") if said.ends is not None else begins + timedelta(hours=1)
    if ends < begins:
        raise RuleBroken(Problem("ends_first", "ends", "it ends before it begins", "check its times"))
    uid = verbs.uid_of(owner, key, said.model_dump_json(exclude={"department"}))
    with call.ledger.look() as tx:
        known = verbs.added_before(tx, uid, department=owner, actor=call.actor)
    if known is not None:
        response.status_code = 200
        return _told(known)
    told = ToldEvent(uid, ALONE, said.starts, begins, ends, said.title.strip(), said.place.strip())
    return _told(verbs.add(call.ports, told, department=owner, audience=said.to, actor=call.actor))


@router.get(
    "/events/{id}",
    operation_id="get_event",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.EVENTS_READ},
)
def get(id: UUID, call: Call = wants(Scope.EVENTS_READ)) -> EventTold:
    """Look at one event."""
    return _told(_the(call, id))


@router.post(
    "/events/{id}/move",
    operation_id="move_event",
    responses=answers(401, 403, 404, 413, 422, 503),
    openapi_extra={"x-scope": Scope.EVENTS_WRITE},
)
def move(
    id: UUID,
    said: Sent[Moved],
    call: Call = wants(Scope.EVENTS_WRITE),
) -> EventTold:
    """Move an event. Its reminders move; whoever was reminded already is told once."""
    _the(call, id)
    starts = _instant(call, said.to, "to")
    row = verbs.move(call.ports, id, wall=said.to, starts_at=starts, place=said.place, actor=call.actor)
    return _told(row)


@router.post(
    "/events/{id}/change",
    operation_id="change_event",
    responses=answers(401, 403, 404, 413, 422, 503),
    openapi_extra={"x-scope": Scope.EVENTS_WRITE},
)
def change(
    id: UUID,
    said: Sent[Other],
    call: Call = wants(Scope.EVENTS_WRITE),
) -> EventTold:
    """Have an event for other groups, or name it anew. Whoever was reminded and has to hear of it is told once.

    Those whom it is for from now on are reminded, as far as nothing has told them. The groups of an event out of a
    calendar are that calendar's to say.
    """
    _the(call, id)
    title = said.title.strip() if said.title is not None else None
    wanted = Changed(place=said.place, title=title, audience=said.to)
    return _told(verbs.change(call.ports, id, wanted, actor=call.actor))


@router.post(
    "/events/{id}/cancel",
    operation_id="cancel_event",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.EVENTS_WRITE},
)
def cancel(id: UUID, call: Call = wants(Scope.EVENTS_WRITE)) -> EventTold:
    """Cancel an event. Its reminders go; whoever was reminded already is told once. Safe to repeat."""
    _the(call, id)
    verbs.cancel(call.ports, id, actor=call.actor)
    return _told(_the(call, id))


def _instant(call: Call, wall: datetime, field: str) -> datetime:
    with call.ledger.look() as tx:
        zone = tx.school.zone
    return instant(wall.isoformat(sep=" ", timespec="minutes"), zone=zone, field=field)


def _the(call: Call, id: UUID) -> EventRow:
    with call.ledger.look() as tx:
        row = tx.events.by_public_id(id)
    if row is None:
        raise departments.gone("id", "event")
    departments.must_see(call.actor, row.department, field="id", what="event")
    return row


def _told(row: EventRow) -> EventTold:
    return EventTold(
        id=row.public_id,
        title=row.title,
        place=row.place,
        wall=row.wall,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        to=row.audience,
        department=row.department,
        source=row.source,
        sequence=row.sequence,
        cancelled=row.cancelled_at is not None,
    )
