"""From a wording to what a feed's item says. Pure; the same function feeds the item, the preview and the check."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from broker.announcement import Content, Part
from broker.channel import Message, Recipient
from channels.markup import to_html

KEPT = 1_000  # renderings of long texts: as many as the largest feed has items

# What XML 1.0 can hold (§2.2). One other character, and a parser refuses not the item but the feed.
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKS = "#>*-+ "


class Unfit(ValueError):
    """Raised when a wording holds a character that no feed can carry."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What an item says: plain title, plain summary ("" when the text is all there is), the full text as HTML."""

    title: str
    summary: str
    html: str


def wording_of(content: Content) -> Wording:
    """The item's wording. Raises Unfit."""
    if any(_UNFIT.search(text) for text in content.parts.values()):
        raise Unfit("the wording holds a character that no feed can carry")
    title = " ".join(content.title.split())
    if not content.parts.get(Part.TITLE):
        title = title.lstrip(_MARKS)  # the beginning of a Markdown text: its marks are none of the title's
    # A summary that is the text itself would be shown twice.
    both = content.parts.get(Part.SHORT) and content.parts.get(Part.LONG)
    return Wording(title, content.short.strip() if both else "", _html(content.long))


def render(content: Content, to: Recipient) -> Message:
    """The item as a message. Fields: guid, title, summary, html."""
    worded = wording_of(content)
    told = "\0".join((worded.title, worded.summary, worded.html))
    fields = {
        "guid": to.links.get("announcement", ""),
        "title": worded.title,
        "summary": worded.summary,
        "html": worded.html,
    }
    return Message(fields, sha256(told.encode()).hexdigest())


@lru_cache(maxsize=KEPT)
def _html(markdown: str) -> str:
    return to_html(markdown).strip()
