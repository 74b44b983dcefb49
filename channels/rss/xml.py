"""RSS 2.0 and Atom, through feedgen, with what it lacks or gets wrong put right here.

One item that cannot be written never takes the feed with it: each is written on its own, and left out with a word in
the log.
"""

from __future__ import annotations

import html
import logging
from collections.abc import Sequence
from threading import Lock
from typing import Any

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseExtension
from feedgen.feed import FeedGenerator
from feedgen.util import xml_elem

from channels.rss.feed import MEDIA_TYPES, Feed, Format, Gone, Item, guid
from channels.rss.render import wording_of

log = logging.getLogger(__name__)

ATOM = "{http://www.w3.org/2005/Atom}"
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"  # RFC 6721
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
GENERATOR = "Carillon"

# feedgen writes an RSS date by switching the whole process to the locale C and back: two threads at it could leave it
# switched.
_one_at_a_time = Lock()


def write(feed: Feed, format: Format) -> bytes:
    """The feed as RSS or Atom, UTF-8."""
    with _one_at_a_time:
        generator = _head(feed, format)
        for item in feed.items:
            if (entry := _written(item, format, feed.language)) is not None:
                generator.add_entry(entry, order="append")
        written: bytes = generator.rss_str() if format is Format.RSS else generator.atom_str()
    return written


def _head(feed: Feed, format: Format) -> Any:
    generator = FeedGenerator()
    generator.register_extension("house", _Additions, None, atom=True, rss=True)
    generator.house.feed = feed
    generator.id(guid(feed.id))
    generator.title(feed.title)
    generator.description(feed.description)  # and Atom's subtitle
    generator.author(name=feed.author)
    generator.generator(GENERATOR)
    generator.docs("https://www.rssboard.org/rss-specification")
    generator.language(feed.language)
    generator.updated(feed.updated)
    generator.link(href=feed.addresses[format], rel="self", type=MEDIA_TYPES[format])
    if feed.hub is not None:
        generator.link(href=feed.hub, rel="hub")
    # Last: RSS takes the last link for its own.
    generator.link(href=feed.home, rel="alternate", type="text/html")
    return generator


def _written(item: Item, format: Format, language: str) -> _Entry | None:
    """The item, written already so that a fault of it shows now; None when it cannot be."""
    try:
        entry = _entry(item, language)
        entry.rss_entry() if format is Format.RSS else entry.atom_entry()
    except Exception as error:  # noqa: BLE001 - whatever an item breaks on, the others are still to be read
        log.error("the feed goes without %s: %s", item.id, type(error).__name__)
        return None
    return entry


def _entry(item: Item, language: str) -> _Entry:
    said = wording_of(item.content)
    entry = _Entry(item, language)
    entry.id(guid(item.id))
    entry.title(said.title)
    entry.link(href=item.link, rel="alternate", type="text/html")
    entry.author(name=item.author)
    entry.category(term=item.author)
    entry.published(item.published)
    entry.updated(item.updated)
    if said.summary:
        # RSS reads HTML there; this sets the content too.
        entry.description(html.escape(said.summary, quote=False))
        entry.summary(said.summary, type="text")  # Atom's alone now, for a description stands
    entry.content(said.html, type="html")
    return entry


class _Entry(FeedEntry):  # type: ignore[misc]
    """An entry that is written once, and says its language and when it changed where feedgen would not."""

    def __init__(self, item: Item, feed_language: str) -> None:
        super().__init__()
        self._item = item
        spoken = item.content.language
        self._language = spoken if spoken != feed_language else ""
        self._element: Any = None

    def atom_entry(self, extensions: bool = True) -> Any:
        """The <entry>."""
        if self._element is None:
            self._element = super().atom_entry(extensions)
            if self._language:
                self._element.set(_LANG, self._language)
        return self._element

    def rss_entry(self, extensions: bool = True) -> Any:
        """The <item>; RSS has no word for a change of one, so Atom's is borrowed."""
        if self._element is None:
            self._element = super().rss_entry(extensions)
            if self._item.updated > self._item.published:
                xml_elem(f"{ATOM}updated", self._element).text = self._item.updated.isoformat()
        return self._element


class _Additions(BaseExtension):  # type: ignore[misc]
    """What feedgen does not write: the hub in RSS, the tombstones of Atom."""

    feed: Feed

    def extend_ns(self) -> dict[str, str]:
        """The prefix that readers know the tombstones by."""
        return {"at": TOMBSTONES} if self.feed.gone else {}

    def extend_rss(self, rss: Any) -> Any:
        """A link to the hub, as WebSub wants it."""
        if self.feed.hub is not None:
            xml_elem(f"{ATOM}link", rss[0], rel="hub", href=self.feed.hub)
        return rss

    def extend_atom(self, atom: Any) -> Any:
        """A tombstone for each item taken out: a reader that knows them deletes it, another never notices."""
        for gone in _told(self.feed.gone):
            xml_elem(f"{{{TOMBSTONES}}}deleted-entry", atom, ref=guid(gone.id), when=gone.at.isoformat())
        return atom


def _told(gone: Sequence[Gone]) -> Sequence[Gone]:
    return sorted(gone, key=lambda one: one.at, reverse=True)
