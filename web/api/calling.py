"""Who calls, how far their token reaches, and what every route stands on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import Field

from broker.actor import Actor
from broker.announcement import Announcement
from broker.authority import departments
from broker.authority.tokens import Caller
from broker.errors import AlreadyThere, NotAllowed, Problem, RuleBroken
from broker.ports import Ports
from broker.ports.api import Scope
from config.rehearsal import ledger_of
from config.settings import Settings
from ledger.connect import Ledger
from web.api.strict import Told

MOST = 200
PAGE = 50
T = TypeVar("T")

bearer = HTTPBearer(
    scheme_name="token",
    description="A token of `carillon tokens make`. What each operation wants stands in its `x-scope`.",
    auto_error=False,
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call: who, and the house it is made to."""

    caller: Caller
    ports: Ports
    settings: Settings

    @property
    def actor(self) -> Actor:
        """Who acts."""
        return self.caller.actor

    @property
    def department(self) -> str | None:
        """The one that is to be seen; None for all."""
        return self.actor.department

    @property
    def ledger(self) -> Ledger:
        """The ledger with its reads."""
        return ledger_of(self.ports)

    def announcement(self, id: UUID) -> Announcement:
        """One that is there for whoever calls. Raises NotFound."""
        with self.ledger.look() as tx:
            return departments.announcement(tx, id, self.actor)

    def cursor(self, where: str, place: object) -> str:
        """Where a list goes on, in a word that nobody need understand."""
        return self.ports.signer.sign(f"cursor {where}", str(place))

    def place(self, where: str, cursor: str | None) -> str | None:
        """What such a word stands for. Raises RuleBroken."""
        if cursor is None:
            return None
        found = self.ports.signer.verify(f"cursor {where}", cursor)
        if found is None:
            hint = "give `next` of the page before, or begin without one"
            raise RuleBroken(Problem("bad_cursor", "cursor", "this cursor is of no list here", hint))
        return found


def wants(*scopes: Scope) -> Any:
    """A dependency: the call, by a token that has one of these scopes. Without any, every token will do."""

    async def check(
        request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
    ) -> Call:
        # Known before anything was read: web/api/strict.py.
        caller: Caller = request.state.caller
        if scopes and not caller.scopes & set(scopes):
            needed = " or ".join(scope.value for scope in scopes)
            hint = f"it wants the scope {needed}: carillon tokens make"
            raise NotAllowed(Problem("no_scope", "Authorization", "this token is not for that", hint))
        return Call(caller, request.app.state.ports, request.app.state.settings)

    return Depends(check)


def once(response: Response, make: Callable[[], T], same: Callable[[], T | None]) -> T:
    """What `make` makes; or what was there already and is the `same`, as a 200. Raises AlreadyThere for another.

    A program that heard nothing asks again, and must not be told no for what it did itself.
    """
    try:
        return make()
    except AlreadyThere:
        known = same()
        if known is None:
            raise
        response.status_code = 200
        return known


class Page(Told, Generic[T]):
    """One page of a list; `next` is the cursor of the following one, null at the end."""

    items: Sequence[T]
    next: str | None = Field(description="Give it as `cursor` for the next page.")


Cursor = Annotated[
    str | None, Query(max_length=1_000, description="Where to go on: `next` of the page before.")
]
Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
Reason = Annotated[
    str, Field(min_length=1, max_length=300, pattern=r"\S", examples=["agreed with the office"])
]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]


class Done(Told):
    """It is done."""

    done: bool = True
