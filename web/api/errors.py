"""One shape for every error, `{code, field, message, hint}`, and which status each kind of error has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import Field
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from broker.authority.tokens import TokenRefused
from broker.errors import (
    AlreadyThere,
    BrokerError,
    IllegalTransition,
    KeyConflict,
    NotAllowed,
    NotFound,
    Problem,
    RuleBroken,
    RulesUnreadable,
    SetupError,
    TooManyTries,
    UnknownChannel,
)
from ledger.trouble import problem_of as trouble
from web.api.strict import Told, WrongType, problem_of
from web.door import AGAIN_AFTER, problem, refusal

STATUS: Mapping[type[BrokerError], int] = {
    TokenRefused: 401,
    NotAllowed: 403,
    NotFound: 404,
    WrongType: 415,
    TooManyTries: 429,
    AlreadyThere: 409,
    KeyConflict: 409,
    IllegalTransition: 409,
    RulesUnreadable: 503,
    RuleBroken: 422,
    UnknownChannel: 422,
    SetupError: 503,
}


class ErrorTold(Told):
    """What is wrong, where, in words, and what to do about it."""

    code: str = Field(examples=["unknown_group"])
    field: str = Field(examples=["to"])
    message: str = Field(examples=["there is no group “Chior”"])
    hint: str = Field(examples=["did you mean “Choir”?"])


_SAID = {
    401: "No token, or one that does not hold.",
    403: "The token does not reach so far, or whoever it acts for may not.",
    404: "There is nothing here, or it is another department's.",
    408: "It took too long to arrive.",
    409: "It contradicts what is there already.",
    413: "It is too large.",
    415: "The body has another type than this takes.",
    422: "What was sent is not understood, or a rule refuses it.",
    429: "Too many tokens that do not hold are being tried.",
    503: "Not just now; try again in a minute.",
}


# What a 200 says where a program asks again for what it made before.
THERE = "It was there already."
_DESCRIBED = "see the API's description: /v1/openapi.json"
_FRAMEWORK = {
    404: Problem("not_found", "path", "there is nothing here", _DESCRIBED),
    405: Problem("method_not_allowed", "method", "this cannot be done here", "see the header Allow"),
    408: Problem("too_slow", "body", "this took too long to arrive", "send it within ten seconds"),
    413: Problem("too_large", "body", "this is too large", "see docs/api.md for how much is taken"),
}


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These errors, for the description of a route. What may be too large may be too slow and of a wrong type, too."""
    if 413 in statuses:
        statuses = (*statuses, 408, 415)
    if 401 in statuses:
        statuses = (*statuses, 429)
    return {status: {"model": ErrorTold, "description": _SAID[status]} for status in sorted({*statuses})}


def install(api: FastAPI) -> None:
    """Let every error leave in the one shape."""
    api.add_exception_handler(RuleBroken, _broken)
    api.add_exception_handler(SetupError, _broken)
    api.add_exception_handler(DBAPIError, _away)
    api.add_exception_handler(HTTPException, _http)
    api.add_exception_handler(RequestValidationError, _shape)
    api.add_exception_handler(Exception, _unforeseen)


def status_of(error: BrokerError) -> int:
    """The status of the nearest kind that has one."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


async def _broken(request: Request, error: Exception) -> Response:
    assert isinstance(error, RuleBroken | SetupError)  # noqa: S101 - registered for these alone
    what = error.problem if isinstance(error, RuleBroken) else error.problems[0]
    answer = problem(status_of(error), what)
    if answer.status_code == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="Carillon"'
    if answer.status_code in {429, 503}:
        answer.headers["Retry-After"] = AGAIN_AFTER
    return answer


async def _away(request: Request, error: Exception) -> Response:
    assert isinstance(error, DBAPIError)  # noqa: S101 - registered for it alone
    answer = problem(503, trouble(error))
    answer.headers["Retry-After"] = AGAIN_AFTER
    return answer


async def _unforeseen(request: Request, error: Exception) -> Response:
    """One calm answer; the error goes on to the door, which logs where it was."""
    return refusal(HTTPException(503, headers={"Retry-After": AGAIN_AFTER}))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    if error.status_code not in _FRAMEWORK:
        return refusal(error)
    answer = problem(error.status_code, _FRAMEWORK[error.status_code])
    if error.status_code == 405:
        answer.headers["Allow"] = ", ".join(_methods(request))
    return answer


async def _shape(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    return problem(422, problem_of(error.errors()))


def _methods(request: Request) -> Sequence[str]:
    """Every method that this path has, of whichever route; a path that is written out is no id."""
    found: dict[bool, set[str]] = {True: set(), False: set()}
    plain = [route for route in request.app.routes if not isinstance(route, APIRoute)]
    for route in (*plain, *request.app.state.resources):
        match, _ = route.matches({**request.scope})
        if match is not Match.NONE:
            path = getattr(route, "path", "{")
            found["{" in path] |= set(getattr(route, "methods", ()) or ())
    return sorted(found[False] or found[True])
