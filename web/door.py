"""The first and the last thing that a request meets: safe headers on every answer, one calm sentence for every failure.

Plain ASGI rather than a wrapped response: a stream of events passes through it untouched.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from broker.errors import Problem
from config.logs import told
from web import figures, safety

log = logging.getLogger(__name__)

AGAIN_AFTER = "60"  # seconds, after a 503
BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
MOST_BODY = 32 * 1024 * 1024  # of anything; whoever reads one says what is much less
LONGEST_PATH = 4_000  # characters: beyond 4,300 digits Python itself reads no number

_KNOWN = {
    400: Problem("not_understood", "body", "this was not understood"),
    404: Problem("not_found", "", "there is nothing here"),
    403: Problem("forbidden", "", "the signature does not hold"),
    405: Problem("method_not_allowed", "", "this cannot be done here"),
    408: Problem("too_slow", "body", "this took too long to arrive"),
    413: Problem("too_large", "body", "this is too large"),
    401: Problem("not_signed_in", "", "this needs a token"),
    503: Problem("unavailable", "", "this cannot be done just now", "try again in a minute"),
}


class Door:
    """ASGI middleware. A header that an answer brings itself stands. `tells`: in which words a refusal is told."""

    def __init__(self, app: ASGIApp, tells: Callable[[Request, HTTPException], Response]) -> None:
        self._app, self._tells = app, tells

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, begun_at = 0, time.perf_counter()

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = safety.complete(scope["path"], list(message["headers"]))
            await send(message)

        answer: Response
        try:
            if len(scope["path"]) > LONGEST_PATH:
                raise HTTPException(404)
            bounded = receive if scope["method"] in BODILESS else _bounded(scope, receive)
            await self._app(scope, bounded, send_on)
            return
        except ClientDisconnect:
            answer = Response(status_code=400)  # nobody is there to read it
        except HTTPException as error:
            answer = self._tells(Request(scope), error)
        except Exception as error:  # noqa: BLE001 - whatever it was, the outside gets one calm sentence
            log.error("%s failed: %s", _route(Request(scope)), told(error))
            answer = self._tells(Request(scope), HTTPException(503, headers={"Retry-After": AGAIN_AFTER}))
        finally:
            if status:
                figures.count(scope, status, time.perf_counter() - begun_at)
        if not status:
            await answer(scope, receive, send_on)
            figures.count(scope, status, time.perf_counter() - begun_at)


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """The body as far as it may go: nothing reads more of a stranger's than this, whatever it is for."""
    promised = Headers(scope=scope).get("content-length", "0")
    if not promised.isdecimal() or len(promised) > 18 or int(promised) > MOST_BODY:
        raise HTTPException(413)
    got = 0

    async def receive_on() -> Message:
        nonlocal got
        message = await receive()
        if message["type"] == "http.request":
            got += len(message.get("body", b""))
            if got > MOST_BODY:
                raise HTTPException(413)
        return message

    return receive_on


def refusal(error: HTTPException) -> JSONResponse:
    """What was refused, as a response: what a code means here, whoever raised it."""
    answer = problem(
        error.status_code, _KNOWN.get(error.status_code, Problem("refused", "", "this is refused"))
    )
    answer.headers.update(error.headers or {})
    return answer


def problem(status: int, what: Problem) -> JSONResponse:
    """A problem as a response."""
    return JSONResponse(what.as_dict(), status_code=status)


def _route(request: Request) -> str:
    route = request.scope.get("route")
    return f"{request.method} {getattr(route, 'path', '?')}"  # the template: a path may hold a token
