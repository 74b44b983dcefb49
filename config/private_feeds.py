"""What a group is told, for whoever holds a private link: the same four formats, and a page.

Nothing is kept longer than a second, so that a link that is taken back opens nothing a second later. No hub is told of
these feeds: it would learn their addresses.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from broker.announcement import Content
from broker.audience import fold
from broker.authority.shown_once import digest
from broker.naming import PERSONAL
from broker.office.private_links import group_behind
from broker.ports import Transaction
from broker.ports.events import EventRow
from broker.rules.public_text import gives_away
from broker.values import SchoolRow
from channels.rss import write
from channels.rss.feed import MEDIA_TYPES, Feed, Format, Item
from channels.rss.render import Unfit, wording_of
from config.calendar_feeds import calendar, coming, group_events
from config.feeds import ASK_EVERY, BEGINNING, Served, in_language, served
from config.settings import Settings
from ledger.connect import Ledger
from ledger.reads.feeds import Published, told_to

ICS = "ics"
PAGE = "page"
ITEMS = 100
MOST_KEPT = 500  # links in use within the same second


@dataclass(frozen=True, slots=True)
class Told:
    """What one link shows: the group's feed, and its events."""

    group: str
    feed: Feed = field(repr=False)  # its addresses hold the secret
    events: Sequence[EventRow]
    school: SchoolRow
    asked: float
    written: dict[str, Served] = field(default_factory=dict, repr=False)

    def to_come(self, *, most: int) -> Sequence[EventRow]:
        """The group's next events, in the school's zone."""
        return coming(self.events, datetime.now(UTC), ZoneInfo(self.school.zone), most=most)


class PrivateFeeds:
    """The private feeds of one school, for any number of threads. Blocks: not for an event loop."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = ledger
        self._locale = settings.school.locale
        self._home = settings.public_url or ""
        self._kept: dict[bytes, Told] = {}
        self._asking = threading.Lock()

    def fetch(self, secret: str, ending: str) -> Served | None:
        """A feed ("rss", "atom", "json") or the calendar ("ics"); None for a link that opens nothing."""
        told = self.told(secret)
        if told is None:
            return None
        if ending not in told.written:
            told.written[ending] = self._write(told, ending)
        return told.written[ending]

    def told(self, secret: str) -> Told | None:
        """What a link shows; None where it opens nothing, for whatever reason."""
        key = digest(secret)
        with self._asking:
            kept = self._kept.get(key)
            if kept is not None and time.monotonic() - kept.asked <= ASK_EVERY.total_seconds():
                return kept
            found = self._read(secret)
            if found is None:
                self._kept.pop(key, None)
                return None
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = found
            return found

    def _read(self, secret: str) -> Told | None:
        with self._ledger.look() as tx:
            group = group_behind(tx, secret)
            if group is None:
                return None
            published = _fit(tx, told_to(tx.hand, group, limit=ITEMS))
            events = group_events(tx, group)
            school = tx.school
        return Told(group, self._feed(secret, group, school, published), events, school, time.monotonic())

    def _feed(self, secret: str, group: str, school: SchoolRow, published: Sequence[Published]) -> Feed:
        home = f"{self._home}/feeds/private/{secret}"
        name = f"{group}, {school.name}"
        return Feed(
            id=uuid5(NAMESPACE_URL, f"carillon:{school.slug}/private/{fold(group)}"),
            title=name,
            description=f"What {group} is told",
            author=school.name,
            language=self._locale,
            home=home,
            addresses={form: f"{home}.{form}" for form in Format},
            updated=max((one.updated_at for one in published), default=BEGINNING),
            items=[
                Item(
                    one.id,
                    f"{home}#{one.id}",
                    one.department,
                    in_language(one.content, self._locale),
                    one.published_at,
                    one.updated_at,
                )
                for one in published
            ],
        )

    def _write(self, told: Told, ending: str) -> Served:
        if ending == ICS:
            zone = ZoneInfo(told.school.zone)
            return calendar(told.feed.title, told.events, zone=zone, host=told.school.slug)
        form = Format(ending)
        return served(MEDIA_TYPES[form], write(told.feed, form))


def addresses(base: str, secret: str) -> Mapping[str, str]:
    """Where a link can be read: as a page, as each format of a feed, and as a calendar."""
    home = f"{base}/feeds/private/{secret}"
    return {PAGE: home, **{ending: f"{home}.{ending}" for ending in (*Format, ICS)}}


def _fit(tx: Transaction, published: Sequence[Published]) -> list[Published]:
    """What names nobody and has no gap for a name: all else was for each family alone."""
    if not published:
        return []
    rules, names, region = tx.rules.current(), tx.people.names(), tx.school.region

    def is_fit(one: Published) -> bool:
        texts = [text for content in one.content for text in content.parts.values()]
        if any(gap in text for text in texts for gap in PERSONAL) or gives_away(texts, rules, names, region):
            return False
        return all(map(_can_be_written, one.content))

    return [one for one in published if is_fit(one)]


def _can_be_written(content: Content) -> bool:
    try:
        wording_of(content)
    except Unfit:
        return False
    return True
