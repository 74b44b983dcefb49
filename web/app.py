"""The HTTP door: the application and how it is served."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from broker.errors import NotAllowed, Problem, RuleBroken
from broker.ports import Ports
from config.settings import Settings
from web import api, figures, files, health, public, sign_in, watch
from web.callbacks import CallbackDoor
from web.door import Door, problem, refusal
from web.inbox import Inbox
from web.routers import join
from web.watch import trouble
from web.watch.signing_in import ledger_of


def create_app(ports: Ports, settings: Settings) -> FastAPI:
    """The application over these ports. Its errors have one shape: `{code, field, message, hint}`, or a page of it."""
    app = FastAPI(title="Carillon", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.ports = ports
    app.state.settings = settings
    app.state.inbox = Inbox(ports)
    app.state.readiness = health.Readiness(ledger_of(ports))
    app.state.figures = figures.Figures(ledger_of(ports), app.state.readiness)
    join(app, health.router, figures.router, files.router)
    public.install(app)
    sign_in.install(app)
    watch.install(app)
    api.install(app)
    app.add_exception_handler(RuleBroken, _rule_broken)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_middleware(CallbackDoor)
    app.add_middleware(Door, tells=_tells)
    return app


def _tells(request: Request, error: HTTPException) -> Response:
    return trouble.told(request, error) if trouble.at_a_page(request) else refusal(error)


async def _rule_broken(request: Request, error: Exception) -> Response:
    assert isinstance(error, RuleBroken)  # noqa: S101 - registered for it alone
    if trouble.at_a_page(request):
        return trouble.broken(request, error.problem, 403 if isinstance(error, NotAllowed) else 422)
    return problem(422, error.problem)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    return _tells(request, error)


async def _not_understood(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    if trouble.at_a_page(request):  # an address with something in it that is no number
        return trouble.told(request, HTTPException(404))
    where = error.errors()[0]["loc"] if error.errors() else ()
    return problem(422, Problem("not_understood", ".".join(map(str, where)), "this was not understood"))
