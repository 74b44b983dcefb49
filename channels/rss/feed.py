"""What a feed is, whatever its format: the items that stand in it, and what was taken out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from broker.announcement import Content


class Format(StrEnum):
    """The formats, each by the ending of its address."""

    RSS = "rss"
    ATOM = "atom"
    JSON = "json"


MEDIA_TYPES: Mapping[Format, str] = {
    Format.RSS: "application/rss+xml",
    Format.ATOM: "application/atom+xml",
    Format.JSON: "application/feed+json",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One announcement in a feed. `id` stays through corrections, which change `content` and `updated` (aware)."""

    id: UUID
    link: str
    author: str
    content: Content
    published: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class Gone:
    """An item that was taken out of the feed, and when (aware)."""

    id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Feed:
    """A whole feed, newest item first. `addresses` is where each format of it is fetched, `home` a page for people."""

    id: UUID
    title: str
    description: str
    author: str
    language: str
    home: str
    addresses: Mapping[Format, str]
    updated: datetime
    items: Sequence[Item]
    gone: Sequence[Gone] = ()
    hub: str | None = None


def guid(of: UUID) -> str:
    """The name of an item in every format: no address, so that it outlives a move of the school's site."""
    return of.urn
