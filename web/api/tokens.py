"""Tokens, looked at and given up. They are made where an operator is known (`carillon tokens make`), not here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from broker.authority import departments
from broker.authority import tokens as verbs
from broker.ports.api import Scope, TokenRow
from web.api.calling import Call, Done, Page, wants
from web.api.errors import answers
from web.api.strict import StrictRoute, Told

router = APIRouter(tags=["tokens"], route_class=StrictRoute)


class TokenTold(Told):
    """A token, without what opens anything. `operator`: as whom it acts; null for a machine of its own name."""

    id: UUID
    name: str
    scopes: Sequence[Scope]
    department: str | None
    operator: str | None
    made_by: str
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None


class CallerTold(TokenTold):
    """The token that calls. `reaches`: what of its scopes holds today."""

    reaches: Sequence[Scope]


@router.get("/token", operation_id="get_own_token", responses=answers(401, 422, 503))
def own(call: Call = wants()) -> CallerTold:
    """Say what the token that calls may do, and until when."""
    return CallerTold(**_told(call.caller.token).model_dump(), reaches=sorted(call.caller.scopes))


@router.delete("/token", operation_id="revoke_own_token", responses=answers(401, 422, 503))
def hand_in(call: Call = wants()) -> Done:
    """Give the token that calls up: it works no more, at once."""
    verbs.hand_in(call.ports, call.caller)
    return Done()


@router.get(
    "/tokens",
    operation_id="list_tokens",
    responses=answers(401, 403, 422, 503),
    openapi_extra={"x-scope": Scope.TOKENS_READ},
)
def list_(call: Call = wants(Scope.TOKENS_READ)) -> Page[TokenTold]:
    """List the tokens."""
    with call.ledger.look() as tx:
        found = [row for row in tx.tokens.all() if call.department in {None, row.department}]
    return Page(items=[_told(row) for row in found], next=None)


@router.delete(
    "/tokens/{name}",
    operation_id="revoke_token",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.TOKENS_WRITE},
)
def revoke(
    name: Annotated[str, Path(min_length=1, max_length=80)], call: Call = wants(Scope.TOKENS_WRITE)
) -> Done:
    """Let a token work no more."""
    with call.ledger.look() as tx:
        row = tx.tokens.named(" ".join(name.split())) if name.isprintable() else None
    if row is None or call.department not in {None, row.department}:
        raise departments.gone("name", "token")
    verbs.revoke(call.ports, name, actor=call.actor)
    return Done()


def _told(row: TokenRow) -> TokenTold:
    return TokenTold(
        id=row.public_id,
        name=row.name,
        scopes=sorted(row.scopes),
        department=row.department,
        operator=row.operator,
        made_by=row.made_by,
        made_at=row.made_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )
