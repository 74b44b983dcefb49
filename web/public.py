"""What anybody may read: the feeds, and the page of each announcement that was broadcast (R10, R16, R17)."""

from __future__ import annotations

from fastapi import FastAPI

from config.calendar_feeds import CalendarFeeds
from config.feeds import Feeds
from ledger.connect import Ledger
from web import optouts, pages, seen
from web.feeds import FeedsApp


def install(app: FastAPI) -> None:
    """Open the public part of the house, in an application whose ports and settings are set."""
    ledger = app.state.ports.ledger
    assert isinstance(ledger, Ledger)  # noqa: S101 - config.assembly makes no other
    app.state.feeds = Feeds(ledger, app.state.settings)
    app.include_router(pages.router)
    app.include_router(optouts.router)
    app.include_router(seen.router)
    app.mount("/feeds", FeedsApp(app.state.feeds, CalendarFeeds(ledger)))
