"""What anybody may read: the feeds, and the page of each announcement that was broadcast (R10, R16, R17)."""

from __future__ import annotations

from fastapi import FastAPI

from config.boards import Boards
from config.calendar_feeds import CalendarFeeds
from config.feeds import Feeds
from config.private_feeds import PrivateFeeds
from ledger.connect import Ledger
from web import boards, optouts, pages, private, push, seen
from web.feeds import FeedsApp
from web.routers import join


def install(app: FastAPI) -> None:
    """Open the public part of the house, in an application whose ports and settings are set."""
    ledger = app.state.ports.ledger
    assert isinstance(ledger, Ledger)  # noqa: S101 - config.assembly makes no other
    settings = app.state.settings
    feeds, calendars = Feeds(ledger, settings), CalendarFeeds(ledger)
    app.state.feeds, app.state.private = feeds, PrivateFeeds(ledger, settings)
    app.state.painted = boards.Painted(Boards(feeds, calendars, settings), settings)
    join(app, pages.router, private.router, push.router, boards.router, optouts.router, seen.router)
    app.mount("/feeds", FeedsApp(feeds, calendars))
