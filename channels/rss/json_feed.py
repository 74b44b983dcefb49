"""JSON Feed 1.1 (jsonfeed.org): small enough to write here."""

from __future__ import annotations

import json
import logging
from typing import Any

from channels.rss.feed import Feed, Format, Item, guid
from channels.rss.render import wording_of

log = logging.getLogger(__name__)

VERSION = "https://jsonfeed.org/version/1.1"


def write(feed: Feed) -> bytes:
    """The feed as JSON, UTF-8. An item that cannot be written is left out, with a word in the log."""
    head: dict[str, Any] = {
        "version": VERSION,
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": feed.addresses[Format.JSON],
        "description": feed.description,
        "language": feed.language,
        "authors": [{"name": feed.author}],
    }
    if feed.hub is not None:
        head["hubs"] = [{"type": "WebSub", "url": feed.hub}]
    items = [written for item in feed.items if (written := _written(item, feed.language)) is not None]
    return _bytes(head)[:-1] + b',"items":[' + b",".join(items) + b"]}"


def _written(item: Item, language: str) -> bytes | None:
    try:
        return _bytes(_item(item, language))
    except Exception as error:  # noqa: BLE001 - whatever an item breaks on, the others are still to be read
        log.error("the feed goes without %s: %s", item.id, type(error).__name__)
        return None


def _item(item: Item, language: str) -> dict[str, Any]:
    said = wording_of(item.content)
    told = {
        "id": guid(item.id),
        "url": item.link,
        "title": said.title,
        "content_html": said.html,
        "date_published": item.published.isoformat(),
        "authors": [{"name": item.author}],
        "tags": [item.author],
    }
    if said.summary:
        told["summary"] = said.summary
    if item.updated > item.published:
        told["date_modified"] = item.updated.isoformat()
    if item.content.language not in {"", language}:
        told["language"] = item.content.language
    return told


def _bytes(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
