"""What a widget and a corridor's screen show of one scope: its newest announcements, and what takes place next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from broker.ports.events import EventRow
from channels.rss.feed import Item
from channels.rss.render import Unfit, wording_of
from config.calendar_feeds import CalendarFeeds
from config.feeds import Feeds
from config.settings import Settings
from ledger.reads.feeds import Kind

SUMMARY = 200  # characters


@dataclass(frozen=True, slots=True)
class Notice:
    """One announcement as a board shows it; `link` leads to the whole of it. Language "" is the school's own."""

    title: str
    summary: str
    html: str
    link: str
    department: str
    language: str
    published: datetime


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that one board shows, times in the school's zone. `feed` is where to follow it, "" for nowhere."""

    name: str
    notices: Sequence[Notice]
    events: Sequence[EventRow]
    feed: str


class Boards:
    """The boards of one school, for any number of threads. Blocks: not for an event loop."""

    def __init__(self, feeds: Feeds, calendars: CalendarFeeds, settings: Settings) -> None:
        self._feeds = feeds
        self._calendars = calendars
        self._zone = ZoneInfo(settings.school.zone)
        self._locale = settings.school.locale

    def board(self, kind: Kind, slug: str, *, items: int, events: int) -> Board | None:
        """The board of a scope that has a public feed; None where there is none of this name."""
        scope = next((one for one in self._feeds.scopes() if (one.kind, one.slug) == (kind, slug)), None)
        feed = self._feeds.feed(kind, slug)
        if scope is None or feed is None:
            return None
        notices = [self._notice(item) for item in feed.items[:items]]
        return Board(
            scope.name,
            [one for one in notices if one is not None],
            self._calendars.to_come(kind, slug, most=events),
            feed.home,
        )

    def _notice(self, item: Item) -> Notice | None:
        try:
            said = wording_of(item.content)
        except Unfit:  # no intake of ours let it in, and the others stand
            return None
        language = item.content.language
        return Notice(
            said.title,
            shortened(item.content.short, SUMMARY),
            said.html,
            item.link,
            item.author,
            language if language != self._locale else "",
            item.published.astimezone(self._zone),
        )


def shortened(text: str, most: int) -> str:
    """One line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
