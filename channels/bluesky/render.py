"""From a wording to a post, and back: the short text and the announcement's page; links are cut for the eye. Pure.

A post's text shows as much of an address as the eye needs, and a facet beside it holds the whole one, by places counted
in bytes: https://docs.bsky.app/docs/advanced-guides/post-richtext. The digest is of the text with whole addresses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wcwidth import iter_graphemes

from broker.announcement import Content
from broker.channel import Message, Recipient
from broker.errors import Problem
from channels import posts

MOST = 300  # letters as people see them
MOST_BYTES = 3_000
LINK = "app.bsky.richtext.facet#link"
_URL = re.compile(r"https?://[^\s<>\"]+", re.ASCII)
_BEHIND = re.compile(r"[.,:;!?'\"<>)\]}]+\Z")  # what ends a sentence, and no address
_SEEN = 15  # of the way behind a host's name


@dataclass(frozen=True, slots=True)
class Style:
    """What an account makes of a wording: where its pages are."""

    public_url: str | None = None


def render(content: Content, to: Recipient, style: Style) -> Message:
    """The post. Fields: text; facets, where it has links."""
    page = posts.page_of(style.public_url, to.links.get("announcement", posts.ANYWHERE))
    whole = posts.composed(content, page)
    text, facets = cut(whole)
    return Message({"text": text, "facets": facets}, posts.digest_of(whole))


def check(content: Content, style: Style) -> Sequence[Problem]:
    """What is wrong with this wording as a post."""
    return posts.check(content, style.public_url, service="Bluesky", most=MOST, length=length)


def length(text: str) -> int:
    """How long a text is to Bluesky, of 300: its links cut, letters as people see them; ten bytes a letter at most."""
    shown, _ = cut(text)
    return max(sum(1 for _ in iter_graphemes(shown)), -(-len(shown.encode()) * MOST // MOST_BYTES))


def cut(text: str) -> tuple[str, tuple[Mapping[str, Any], ...]]:
    """A text with its addresses cut for the eye, and the facets that hold them whole."""
    shown, facets, at = b"", [], 0
    for found in _URL.finditer(text):
        address = _BEHIND.sub("", found[0])
        shown += text[at : found.start()].encode()
        start = len(shown)
        shown += _seen(address).encode()
        at = found.start() + len(address)
        place = {"byteStart": start, "byteEnd": len(shown)}
        facets.append({"index": place, "features": [{"$type": LINK, "uri": address}]})
    return (shown + text[at:].encode()).decode(), tuple(facets)


def text_of(record: Mapping[str, Any]) -> str:
    """The text of a post as it was meant: links in full. Raises KeyError, TypeError."""
    text = record["text"]
    if not isinstance(text, str):
        raise TypeError("no text")
    whole, at, data = b"", 0, text.encode()
    for start, end, address in sorted(_links(record.get("facets"))):
        if at <= start < end <= len(data):
            whole += data[at:start] + address.encode()
            at = end
    return (whole + data[at:]).decode("utf-8", "replace")


def _links(facets: Any) -> Sequence[tuple[int, int, str]]:
    """Those facets that are links; whoever else posts there may have made them of anything."""
    found = []
    for facet in facets if isinstance(facets, list | tuple) else ():
        try:
            start, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
            address = next(each["uri"] for each in facet["features"] if each["$type"] == LINK)
        except (KeyError, TypeError, StopIteration):
            continue
        if type(start) is int and type(end) is int and isinstance(address, str) and start >= 0:
            found.append((start, end, address))
    return found


def _seen(address: str) -> str:
    host, slash, way = address.split("://", 1)[1].partition("/")
    return f"{host}/{way[: _SEEN - 2]}…" if len(slash + way) > _SEEN else f"{host}{slash}{way}"
