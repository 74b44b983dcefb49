"""From a wording to a notice: the title, the words, the announcement's page. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from broker.announcement import Content
from broker.channel import Message, Recipient
from broker.errors import Problem
from broker.naming import has_placeholder
from channels.markup import to_plain
from channels.posts import page_of


def render(content: Content, to: Recipient, public_url: str | None) -> Message:
    """The notice. Field: `text`. Its digest is all that it can be known by."""
    text = _text(content, page_of(public_url, to.links["announcement"]) if "announcement" in to.links else "")
    return Message({"text": text}, hashlib.sha256(text.encode()).hexdigest())


def check(content: Content, public_url: str | None, most: int) -> Sequence[Problem]:
    """What is wrong with this wording as a notice: nothing said, something personal, longer than the room takes."""
    return tuple(_problems(content, public_url, most))


def _problems(content: Content, public_url: str | None, most: int) -> Iterator[Problem]:
    if not to_plain(content.long).strip():
        yield Problem("empty_text", "long", "there is no text to post", "write the message")
    for part, text in content.parts.items():
        if has_placeholder(text):
            hint = "write it without {pupil}, {guardian} and {class}, or leave apprise out"
            yield Problem("personal_part", part.value, "a whole room reads it, and it names no pupil", hint)
    if (long := len(_text(content, page_of(public_url)))) > most:
        told = f"with its title and its link it has {long:,} characters; this room takes {most:,}"
        yield Problem("text_too_long", "long", told, f"shorten it by {long - most:,}")


def _text(content: Content, page: str) -> str:
    title = " ".join(content.title.split())
    body = to_plain(content.long).strip()
    # A title that is the text's own beginning would be said twice.
    lines = ("" if body.startswith(title.rstrip("…")) else title, body, page)
    return "\n".join(filter(None, lines))
