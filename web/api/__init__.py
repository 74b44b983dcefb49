"""The API, version 1: the same verbs and reads as the command's, over HTTP. A door translates, it does not decide.

It is an application of its own below `/v1`, so that its errors, its description and its strictness are its own too.
"""

from __future__ import annotations

from fastapi import FastAPI, HTTPException
from fastapi.routing import APIRoute

from web.api import (
    accounts,
    announcements,
    approvals,
    deliveries,
    described,
    errors,
    events,
    follow_ups,
    groups,
    imports,
    people,
    record,
    rules,
    schedules,
    templates,
    timetable,
    tokens,
    webhooks,
)
from web.routers import join
from web.throttle import Throttle

VERSION = "1.0"
RESOURCES = (
    announcements,
    follow_ups,
    deliveries,
    approvals,
    people,
    groups,
    imports,
    templates,
    schedules,
    events,
    timetable,
    accounts,
    rules,
    record,
    tokens,
    webhooks,
)
DESCRIPTION = """A school's announcement broker: written once, sent by every way that suits it.

Every call brings `Authorization: Bearer carillon_…`. Every error is `{code, field, message, hint}`. Lists go on with
`cursor`. Times have an offset; wall times, where a school's own clock is meant, have none."""


def install(app: FastAPI) -> None:
    """Open the API in an application whose ports and settings are set."""
    api = FastAPI(
        title="Carillon",
        version=VERSION,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        servers=[{"url": "/v1"}],
        root_path_in_servers=False,
        openapi_tags=[{"name": tag, "description": words} for tag, words in described.TAGS.items()],
    )
    api.state.ports = app.state.ports
    api.state.settings = app.state.settings
    # Of tokens that do not hold.
    api.state.guesses = Throttle(at_once=30, per_second=1)
    errors.install(api)
    described.install(api)
    api.state.resources = [route for resource in RESOURCES for route in resource.router.routes]
    _keep_words_from_ids(api)
    for resource in RESOURCES:
        join(api, resource.router)
    app.state.api = api
    app.mount("/v1", api)


def _keep_words_from_ids(api: FastAPI) -> None:
    """`GET /announcements/preview` asks for no announcement called so: what a written-out path has not is a 405."""
    routes = [route for route in api.state.resources if isinstance(route, APIRoute)]
    for path in sorted({route.path for route in routes if "{" not in route.path}):
        here = {method for route in routes if route.path == path for method in route.methods or ()}
        matching = {
            method for route in routes if route.path_regex.match(path) for method in route.methods or ()
        }
        if others := sorted(matching - here):
            api.add_api_route(path, _not_here, methods=others, include_in_schema=False)


async def _not_here() -> None:
    raise HTTPException(405)
