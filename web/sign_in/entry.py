"""The way in: a name and a password, then a code where the role wants one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from broker.authority import passwords
from broker.errors import NotProved, Problem, RuleBroken, TooManyTries
from broker.ports import Stage
from config.identity import Provider
from config.settings import Settings
from web.watch.signing_in import (
    NEXT,
    SOON,
    NoPage,
    NotSignedIn,
    Signed,
    came_of,
    depth_of,
    enter,
    form_of,
    half_signed_in,
    our_form,
    show,
    vault_at,
)

router = APIRouter()
# Where a proof leads on to: a page of ours, below the root.
INSIDE = re.compile(r"(?:account|watch)(?:/[a-z0-9-]{1,40}){0,3}")
# What did not hold, beside the field where it is to be typed again.
WRONG = {
    "name": Problem(
        "not_proved",
        "password",
        "this name and this password do not belong together",
        "look at capitals and spaces; if it goes on, ask for a new invitation",
    ),
    "code": Problem(
        "not_proved",
        "code",
        "this code does not hold",
        "type what the app shows now; each code works once, so wait for the next if you have just used it",
    ),
    "proof": Problem(
        "not_proved",
        "password",
        "this is not what you sign in with",
        "look at capitals and spaces; each code works once",
    ),
    "picture": Problem(
        "wrong_code",
        "code",
        "this code does not fit the picture",
        "type the six digits that the app shows now, and see that the telephone's clock is right",
    ),
}


@router.get("/sign-in")
def ask(request: Request) -> Response:
    """The ways in that the school has."""
    return show(request, "enter", problem=None, name="", **ways(request))


@router.post("/sign-in")
async def by_password(request: Request) -> Response:
    """A name and a password."""
    settings: Settings = request.app.state.settings
    form = await form_of(request)
    if not settings.sign_in.passwords:
        raise NoPage(404, "not_found")
    return await run_in_threadpool(_by_password, request, form)


def _by_password(request: Request, form: dict[str, str]) -> Response:
    name = form.get("name", "").strip()
    try:
        begun = passwords.by_password(
            request.app.state.ports, vault_at(request), name, form.get("password", ""), came=came_of(request)
        )
    except (NotProved, TooManyTries) as refused:
        no = told(refused, "name")
        return show(
            request,
            "enter",
            no.status,
            headers=no.headers,
            problem=no.problem,
            name=name[:80],
            **ways(request),
        )
    return enter(request, begun)


@router.get("/sign-in/code")
def ask_code(request: Request) -> Response:
    """For whoever's password held."""
    signed = waiting(request, half_signed_in(request), Stage.SECOND)
    return show(request, "code", signed=signed, problem=None)


@router.post("/sign-in/code")
async def by_code(request: Request) -> Response:
    """A code of the telephone, or a recovery code."""
    form, signed = await our_form(request, half=True)
    waiting(request, signed, Stage.SECOND)
    return await run_in_threadpool(_by_code, request, form, signed)


def _by_code(request: Request, form: dict[str, str], signed: Signed) -> Response:
    try:
        begun = passwords.by_code(
            request.app.state.ports,
            vault_at(request),
            signed.secret,
            form.get("code", "")[:40],
            came=came_of(request),
        )
    except (NotProved, TooManyTries) as refused:
        no = told(refused, "code")
        return show(request, "code", no.status, signed=signed, headers=no.headers, problem=no.problem)
    return enter(request, begun)


class Ways(TypedDict):
    """What the page offers: providers by name, each with what its button says; and whether passwords."""

    providers: Sequence[tuple[str, str]]
    passwords: bool


def ways(request: Request) -> Ways:
    """What this school has."""
    settings: Settings = request.app.state.settings
    providers: dict[str, Provider] = request.app.state.providers
    offered = [(name, one.at.called) for name, one in providers.items()]
    return {"providers": offered, "passwords": settings.sign_in.passwords}


def waiting(request: Request, signed: Signed, *stages: Stage) -> Signed:
    """Whoever is at this step; everybody else is led to theirs. Raises NotSignedIn, ElsewhereNext."""
    if signed.session.stage in stages:
        return signed
    raise ElsewhereNext("../" * depth_of(request) + NEXT[signed.session.stage])


def inside(to: str) -> str:
    """A page of ours, below the root; one's own account for whatever is none."""
    return to if INSIDE.fullmatch(to) else "account"


class ElsewhereNext(Exception):
    """Raised when a page is asked for that is not the next step of this sign-in."""

    def __init__(self, where: str) -> None:
        self.where = where
        super().__init__(where)


@dataclass(frozen=True, slots=True)
class Said:
    """What a page says of the try before it, and answers with; at first nothing."""

    problem: Problem | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def told(refused: RuleBroken, what: str | None = None) -> Said:
    """What a page says of a refusal; of `what` did not hold always the same, whatever of it was wrong."""
    if isinstance(refused, TooManyTries):
        return Said(refused.problem, 429, SOON)
    return Said(WRONG[what] if what is not None else refused.problem, 403)


__all__ = ["ElsewhereNext", "NotSignedIn", "Said", "inside", "router", "told", "waiting", "ways"]
