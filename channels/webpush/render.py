"""From a wording to a notification. Pure: for how long it is kept is worked out in the gateway, by the clock."""

from __future__ import annotations

import hashlib
import json

from broker.announcement import Content, Urgency
from broker.channel import Message, Recipient
from broker.naming import fill
from channels.markup import plain_words

# A push service takes 4,096 bytes (RFC 8030 §7.2), of which encryption and its header use 103 (RFC 8188, RFC 8291).
MOST_BYTES = 3_000  # of JSON, all in all
TITLE_BYTES, BODY_BYTES = 300, 2_000
CUT = "…"
_TWICE = '"\\\n'  # letters that JSON writes as two


def render(content: Content, to: Recipient) -> Message:
    """What a browser shows. Fields: `body` (JSON), `about` (the public id), `text`, `expires_at`, `urgent`."""
    about = to.links.get("announcement", "")
    title = _within(" ".join(content.title.split()), TITLE_BYTES)
    text = _within(fill(plain_words(content).strip(), ()), BODY_BYTES)
    told = {"id": about, "title": title, "body": text, "lang": content.language}
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    cut = text.endswith(CUT) and _bytes(text) > BODY_BYTES - 10
    return Message(
        {
            "subject": title,
            "text": text,
            "body": body,
            "about": about,
            "expires_at": to.expires_at,
            "urgent": to.urgency is Urgency.URGENT,
        },
        hashlib.sha256(body.encode("utf-8", "replace")).hexdigest(),
        notes=("it is too long for a notification, which shows its beginning",) if cut else (),
    )


def _within(text: str, most: int) -> str:
    """The beginning that fits, whole letters, with a sign that there is more; counted as JSON writes it."""
    kept, left = "", most
    for letter in text:
        shown = letter if letter.isprintable() or letter == "\n" else " "
        left -= len(shown.encode("utf-8", "replace")) + (shown in _TWICE)
        if left < 0:
            while kept and most - _bytes(kept) < len(CUT.encode()):
                kept = kept[:-1]
            return kept.rstrip() + CUT
        kept += shown
    return kept


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace")) + sum(letter in _TWICE for letter in text)
