"""Webhooks: who is told of deliveries. The messages are those of standard-webhooks.com; docs/api.md tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from broker import webhooks as verbs
from broker.authority import departments
from broker.delivery import State
from broker.ports.api import Scope, WebhookRow
from web.api.calling import Call, Done, Page, once, wants
from web.api.errors import THERE, answers
from web.api.shapes import Slug
from web.api.strict import Sent, Shape, StrictRoute, Told, example

router = APIRouter(tags=["webhooks"], route_class=StrictRoute)
ENDS = [State.SENT, State.DELIVERED, State.REFUSED, State.REJECTED, State.EXHAUSTED, State.UNCERTAIN]


class WebhookTold(Told):
    """A webhook. `why`: its last try failed so. A paused one goes on where it stood when it is resumed."""

    id: UUID
    department: str | None
    url: str
    states: Sequence[State]
    made_by: str
    made_at: datetime
    told_at: datetime | None
    failures: int
    why: str
    paused_at: datetime | None


class MadeTold(WebhookTold):
    """One that has just been made."""

    secret: str = Field(description="What the messages are signed with; keep it where secrets are kept.")


class NewWebhook(Shape):
    """Where to, and of which states."""

    model_config = example({"url": "https://timetable.example.org/carillon"})

    url: Annotated[str, Field(min_length=1, max_length=2_000)]
    states: list[State] = Field(default_factory=lambda: list(ENDS), min_length=1, max_length=len(State))
    department: Slug | None = None


@router.get(
    "/webhooks",
    operation_id="list_webhooks",
    responses=answers(401, 403, 422, 503),
    openapi_extra={"x-scope": Scope.WEBHOOKS_READ},
)
def list_(call: Call = wants(Scope.WEBHOOKS_READ)) -> Page[WebhookTold]:
    """List the webhooks and how each stands."""
    with call.ledger.look() as tx:
        return Page(items=[_told(row) for row in verbs.listed(tx, call.actor)], next=None)


@router.post(
    "/webhooks",
    operation_id="create_webhook",
    status_code=201,
    responses={200: {"model": MadeTold, "description": THERE}, **answers(401, 403, 409, 413, 422, 503)},
    openapi_extra={"x-scope": Scope.WEBHOOKS_WRITE},
)
def create(
    said: Sent[NewWebhook],
    response: Response,
    call: Call = wants(Scope.WEBHOOKS_WRITE),
) -> MadeTold:
    """Be told of deliveries, from now on. An address of the school's own network is refused.

    Safe to repeat: whoever made one for this address and these states is answered with it.
    """
    owner = said.department or call.department
    row = once(
        response,
        lambda: verbs.add(call.ports, said.url, said.states, department=owner, actor=call.actor),
        lambda: _made_alike(call, said, owner),
    )
    return MadeTold(**_told(row).model_dump(), secret=verbs.secret_of(call.ports, row.public_id))


@router.post(
    "/webhooks/{id}/resume",
    operation_id="resume_webhook",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.WEBHOOKS_WRITE},
)
def resume(id: UUID, call: Call = wants(Scope.WEBHOOKS_WRITE)) -> WebhookTold:
    """Let one that was given up go on where it stood, at once."""
    verbs.resume(call.ports, id, actor=call.actor)
    with call.ledger.look() as tx:
        row = tx.webhooks.by_public_id(id)
    if row is None:
        raise departments.gone("id", "webhook")
    return _told(row)


@router.delete(
    "/webhooks/{id}",
    operation_id="remove_webhook",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.WEBHOOKS_WRITE},
)
def remove(id: UUID, call: Call = wants(Scope.WEBHOOKS_WRITE)) -> Done:
    """Be told no more."""
    verbs.remove(call.ports, id, actor=call.actor)
    return Done()


def _made_alike(call: Call, said: NewWebhook, owner: str | None) -> WebhookRow | None:
    """Made by whoever asks again, and by nobody else: the answer has the secret."""
    wanted = (said.url, owner, frozenset(said.states), call.actor.id)
    with call.ledger.look() as tx:
        found = verbs.listed(tx, call.actor)
    return next(
        (row for row in found if (row.url, row.department, frozenset(row.states), row.made_by) == wanted),
        None,
    )


def _told(row: WebhookRow) -> WebhookTold:
    return WebhookTold(
        id=row.public_id,
        department=row.department,
        url=row.url,
        states=sorted(row.states),
        made_by=row.made_by,
        made_at=row.made_at,
        told_at=row.told_at,
        failures=row.failures,
        why=row.why,
        paused_at=row.paused_at,
    )
