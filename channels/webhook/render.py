"""From a wording to what a receiver is told. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from broker.announcement import Content, Part
from broker.channel import Message, Recipient
from channels.markup import plain_words, to_html, to_plain

PUBLISHED, WITHDRAWN = "announcement.published", "announcement.withdrawn"
URN = "urn:uuid:"


def render(content: Content, to: Recipient, school: str, public_url: str | None) -> Message:
    """What is told. Fields: `about`, the announcement's public id ("" in a preview), and `body`, the JSON."""
    about = to.links.get("announcement", "")
    data = {
        "id": f"{URN}{about}",
        "school": school,
        "language": content.language,
        "title": " ".join(content.title.split()),
        "summary": plain_words(content).strip(),
        "text": to_plain(content.long),
        "html": to_html(content.long).strip(),
        "url": f"{public_url}/a/{about}" if public_url and about else None,
    }
    body = body_of(PUBLISHED, data)
    return Message({"about": about, "body": body}, hashlib.sha256(body.encode()).hexdigest())


def withdrawal(urn: str) -> str:
    """What is told when it is taken back: whose id it was, and nothing else."""
    return body_of(WITHDRAWN, {"id": urn})


def body_of(kind: str, data: Mapping[str, Any]) -> str:
    """One message, the same bytes in every try. (Its time stands in a header, for rendering knows no clock.)"""
    return json.dumps({"type": kind, "data": data}, ensure_ascii=True, separators=(",", ":"))


def is_empty(content: Content) -> bool:
    """Whether there is nothing to tell."""
    return not any(content.parts.get(part, "").strip() for part in (Part.SHORT, Part.LONG))
