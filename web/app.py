"""The HTTP door: the application and how it is served."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from broker.errors import Problem, RuleBroken
from broker.ports import Ports
from config.settings import Settings
from web import callbacks, files, health, public, watch
from web.door import Door, problem
from web.inbox import Inbox


def create_app(ports: Ports, settings: Settings) -> FastAPI:
    """The application over these ports. Its errors have one shape: `{code, field, message, hint}`."""
    app = FastAPI(title="Carillon", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.ports = ports
    app.state.settings = settings
    app.state.inbox = Inbox(ports)
    app.include_router(callbacks.router)
    app.include_router(health.router)
    app.include_router(files.router)
    public.install(app)
    watch.install(app)
    app.add_exception_handler(RuleBroken, _rule_broken)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_middleware(Door)
    return app


async def _rule_broken(request: Request, error: Exception) -> Response:
    assert isinstance(error, RuleBroken)  # noqa: S101 - registered for it alone
    return problem(422, error.problem)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    known = {
        400: Problem("not_understood", "body", "this was not understood"),
        404: Problem("not_found", "", "there is nothing here"),
        403: Problem("forbidden", "", "the signature does not hold"),
        405: Problem("method_not_allowed", "", "this cannot be done here"),
        408: Problem("too_slow", "body", "this took too long to arrive"),
        413: Problem("too_large", "body", "this is too large"),
        503: Problem("unavailable", "", "this cannot be done just now", "try again in a minute"),
    }
    what = known.get(error.status_code, Problem("refused", "", "this is refused"))
    answer = problem(error.status_code, what)
    answer.headers.update(error.headers or {})
    return answer


async def _not_understood(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    where = error.errors()[0]["loc"] if error.errors() else ()
    return problem(422, Problem("not_understood", ".".join(map(str, where)), "this was not understood"))
