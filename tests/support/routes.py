"""Every route that the application has, of whatever router, so that no table of them is written by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

# What a part of an address has to be is no part of its name: {public_id:uuid}.
_CONVERTER = re.compile(r":(?:uuid|int|path)\}")
IMPLIED = frozenset({"HEAD", "OPTIONS"})
Route = tuple[str, str]


def app_of(client: TestClient) -> FastAPI:
    """The application behind a client that knows it as any."""
    assert isinstance(client.app, FastAPI)
    return client.app


def api_of(client: TestClient) -> FastAPI:
    """The API, which is an application of its own within it."""
    api: FastAPI = app_of(client).state.api
    return api


def routes_of(app: FastAPI) -> Iterator[Route]:
    """Method and path of each; of what is mounted, only where it begins."""
    for found in iter_route_contexts(app.routes):
        for method in sorted(set(found.methods or {"*"}) - IMPLIED):
            yield method, _CONVERTER.sub("}", str(found.path))
