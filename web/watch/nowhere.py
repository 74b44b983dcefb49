"""An address below /watch that leads nowhere: whoever opens it reads so in plain words, not in the API's."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from web.watch.desk import Desk
from web.watch.signing_in import NoPage
from web.watch.way_back import ANY

FILES = "/watch/static/"


class Nowhere(APIRoute):
    """Takes pages that nobody else takes; a form, a file and a slash too many are answered as they were."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether this is a page that somebody opens."""
        path = scope["path"]
        if scope.get("method") != "GET" or path.startswith(FILES) or path.endswith("/"):
            return Match.NONE, {}
        return super().matches(scope)


router = APIRouter(route_class=Nowhere)


@router.get(ANY)
def nowhere(at: Desk) -> Response:
    """There is no such page."""
    raise NoPage(404, "not_found")
