"""The widget for any page, whole (/widget/<scope>) or as a fragment, and the corridor's screen (/screen/<scope>).

A scope is written as in a feed's address: the school's slug, departments/<slug>, groups/<slug>. No cookie is set or
read, nothing is loaded from elsewhere, and all of it can be read without JavaScript.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import Headers

from config.boards import Board, Boards
from config.feeds import ASK_EVERY, Served, served
from config.settings import Settings
from ledger.reads.feeds import Kind
from web import looks
from web.feeds import KINDS, answer

router = APIRouter()

SCOPE = re.compile(r"(?:(departments|groups)/)?([a-z0-9-]{1,63})")
FRAGMENT = ".fragment"
USUAL, MOST = 5, 20  # announcements in a widget
ON_SCREEN = 3  # what can be read from across a corridor
EVENTS = 5
LIGHT = "light"
LOOKS = frozenset({LIGHT, "dark", "device"})
MOST_KEPT = 500
_one = anyio.CapacityLimiter(1)  # the boards are painted one after the other
HTML = "text/html; charset=utf-8"
# A minute is soon enough beside a page, and a class that opens its course at once asks once.
KEPT = {
    "Cache-Control": "public, max-age=60",
    "Vary": "Accept-Encoding",
    "Access-Control-Allow-Origin": "*",
}
FRESH = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
SCRIPT_KEPT = {"Cache-Control": "public, max-age=3600"}
REFRESH_EVERY = 60  # seconds; screen.js has the same


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One page: which template over which board."""

    template: str
    style: str
    kind: Kind
    slug: str
    items: int
    events: int
    still: bool = False
    look: str = ""


class Painted:
    """The pages of the boards as bytes, each made anew once a second at most, and only when it would be another."""

    def __init__(self, boards: Boards, settings: Settings) -> None:
        self._boards = boards
        self._settings = settings
        self._kept: dict[_Wanted, tuple[float, Board, Served]] = {}
        self._painting = threading.Lock()

    def at_hand(self, wanted: _Wanted) -> Served | None:
        """The page, if it is known to hold just now: never waits."""
        kept = self._kept.get(wanted)
        return kept[2] if kept is not None and _holds(kept[0]) else None

    def fetch(self, wanted: _Wanted) -> Served | None:
        """The page; None where there is no such scope. Blocks."""
        with self._painting:
            kept = self._kept.get(wanted)
            if kept is not None and _holds(kept[0]):
                return kept[2]
            board = self._boards.board(wanted.kind, wanted.slug, items=wanted.items, events=wanted.events)
            if board is None:
                self._kept.pop(wanted, None)
                return None
            page = kept[2] if kept is not None and kept[1] == board else self._paint(wanted, board)
            if len(self._kept) >= MOST_KEPT:  # strangers may ask for whatever they like
                self._kept.clear()
            self._kept[wanted] = time.monotonic(), board, page
            return page

    def _paint(self, wanted: _Wanted, board: Board) -> Served:
        shown = looks.page(
            self._settings,
            wanted.template,
            style=wanted.style,
            board=board,
            still=wanted.still,
            look=wanted.look,
            every=REFRESH_EVERY,
            root="../" * (1 + (wanted.kind is not Kind.SCHOOL)),
        )
        return served(HTML, shown.encode())


@router.api_route("/widget/{scope:path}", methods=["GET", "HEAD"])
async def widget(scope: str, request: Request) -> Response:
    """The widget, whole, for a frame; `<scope>.fragment` is the same to be put into a page.

    `?items=` up to twenty; `?look=` of the page around it, which the browser tells nobody in a frame.
    """
    fragment = scope.endswith(FRAGMENT)
    whose = _scope(scope.removesuffix(FRAGMENT))
    if whose is None:
        return _nothing(request, "widget")
    template = "fragment.html" if fragment else "widget.html"
    wanted = _Wanted(template, "widget", *whose, _items(request), EVENTS, look=_look(request))
    return await _answer(request, wanted, KEPT)


@router.api_route("/screen/{scope:path}", methods=["GET", "HEAD"])
async def screen(scope: str, request: Request) -> Response:
    """The page for a screen in a corridor: large, and fresh each minute; with `?still` it stays as it is."""
    if scope == "screen.js":
        return Response(looks.SCREEN_SCRIPT, media_type="text/javascript; charset=utf-8", headers=SCRIPT_KEPT)
    whose = _scope(scope)
    if whose is None:
        return _nothing(request, "screen")
    still = "still" in request.query_params
    return await _answer(request, _Wanted("screen.html", "screen", *whose, ON_SCREEN, EVENTS, still), FRESH)


async def _answer(request: Request, wanted: _Wanted, always: Mapping[str, str]) -> Response:
    painted: Painted = request.app.state.painted
    page = painted.at_hand(wanted)
    if page is None:
        page = await anyio.to_thread.run_sync(painted.fetch, wanted, limiter=_one)
    if page is None:
        return _nothing(request, wanted.style)
    status, headers, body = answer(page, Headers(scope=request.scope), datetime.now(UTC), always)
    return Response(body, status, headers)


def _scope(words: str) -> tuple[Kind, str] | None:
    found = SCOPE.fullmatch(words)
    return (KINDS[found[1]], found[2]) if found is not None else None


def _nothing(request: Request, style: str) -> Response:
    words = {"title": "There is nothing here", "sentence": "Check the address, or ask the school."}
    return HTMLResponse(looks.page(request.app.state.settings, "plain.html", style=style, **words), 404)


def _items(request: Request) -> int:
    asked = request.query_params.get("items", "")
    if not (asked.isascii() and asked.isdecimal() and len(asked) <= 2):
        return USUAL
    return min(max(int(asked), 1), MOST)


def _look(request: Request) -> str:
    """Light unless asked for, for so is nearly every page that the widget stands in, whatever a reader's device is."""
    asked = request.query_params.get("look", "")
    return asked if asked in LOOKS else LIGHT


def _holds(asked: float) -> bool:
    return time.monotonic() - asked <= ASK_EVERY.total_seconds()
