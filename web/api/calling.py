"""Who calls, how far their token reaches, and what every route stands on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import Field

from broker.actor import Actor
from broker.authority.tokens import Caller
from broker.errors import NotAllowed, Problem, RuleBroken
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
        caller: Caller = request.state.caller  # known before anything was read: web/api/strict.py
        if scopes and not caller.scopes & set(scopes):
            needed = " or ".join(scope.value for scope in scopes)
            hint = f"it wants the scope {needed}: carillon tokens make"
            raise NotAllowed(Problem("no_scope", "Authorization", "this token is not for that", hint))
        return Call(caller, request.app.state.ports, request.app.state.settings)

    return Depends(check)


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
