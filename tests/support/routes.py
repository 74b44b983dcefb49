"""Every route that the application has, of whatever router, so that no table of them is written by hand."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

IMPLIED = frozenset({"HEAD", "OPTIONS"})
Route = tuple[str, str]


def routes_of(app: FastAPI) -> Iterator[Route]:
    """Method and path of each; of what is mounted, only where it begins."""
    for found in iter_route_contexts(app.routes):
        for method in sorted(set(found.methods or {"*"}) - IMPLIED):
            yield method, str(found.path)
