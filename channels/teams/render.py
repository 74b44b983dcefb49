"""From a wording to an adaptive card. Pure.

What is said stands in text runs, which know no Markdown: Teams would read a wording's asterisks its own way, and an
at-sign as a mention.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from broker.announcement import Content
from broker.channel import Message, Recipient
from broker.errors import Problem
from broker.naming import has_placeholder
from channels.markup import to_plain
from channels.posts import page_of

# Microsoft names about 28 KB for a post, with all that Teams makes of it; others saw refusals from 21 KB of JSON on.
# https://learn.microsoft.com/microsoftteams/limits-specifications-teams, https://learn.microsoft.com/connectors/teams
MOST_BYTES = 21_000
VERSION = "1.4"


def render(content: Content, to: Recipient, place: str, public_url: str | None) -> Message:
    """The card. Fields: `body`, what is posted as JSON; `text`, what stands in it; `place`, whose workflow posts it."""
    body = _body(content, page_of(public_url, to.links["announcement"]) if "announcement" in to.links else "")
    fields = {
        "body": body,
        "text": "\n\n".join(filter(None, (_title(content), to_plain(content.long)))),
        "place": place,
    }
    return Message(fields, hashlib.sha256(body.encode()).hexdigest())


def check(content: Content, public_url: str | None) -> Sequence[Problem]:
    """What is wrong with this wording as a card: nothing said, something personal, too long."""
    return tuple(_problems(content, public_url))


def _problems(content: Content, public_url: str | None) -> Iterator[Problem]:
    if not to_plain(content.long).strip():
        yield Problem("empty_text", "long", "there is no text to post", "write the message")
    for part, text in content.parts.items():
        if has_placeholder(text):
            hint = "write it without {pupil}, {guardian} and {class}, or leave teams out"
            yield Problem(
                "personal_part", part.value, "a whole class reads a card, and it names no pupil", hint
            )
    size = len(_body(content, page_of(public_url)).encode())
    if size > MOST_BYTES:
        told = f"as a card it has {size:,} bytes; Teams surely takes {MOST_BYTES:,}"
        yield Problem("text_too_long", "long", told, "shorten it, and say the rest on a page or in a file")


def _body(content: Content, page: str) -> str:
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": VERSION,
        "fallbackText": _title(content),
        "body": [_heading(_title(content)), *_lines(to_plain(content.long))],
        "msteams": {"width": "Full"},
    }
    if content.language:
        card["lang"] = content.language
    if page:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Read it on its page", "url": page}]
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return json.dumps(
        {"type": "message", "attachments": [attachment]}, ensure_ascii=False, separators=(",", ":")
    )


def _title(content: Content) -> str:
    return " ".join(content.title.split())


def _heading(title: str) -> dict[str, Any]:
    return {
        "type": "RichTextBlock",
        "inlines": [{"type": "TextRun", "text": title, "weight": "Bolder", "size": "Large"}],
    }


def _lines(text: str) -> Iterator[dict[str, Any]]:
    """A block a line, for a run shows no line break; paragraphs stand apart."""
    for paragraph in text.split("\n\n"):
        spacing = "Medium"
        for line in filter(None, (line.rstrip() for line in paragraph.split("\n"))):
            yield {
                "type": "RichTextBlock",
                "spacing": spacing,
                "inlines": [{"type": "TextRun", "text": line}],
            }
            spacing = "None"
