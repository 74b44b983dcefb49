"""From a wording to the text that one person gets. Pure; what is not personal is worked out once a wording."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from broker.announcement import Content
from broker.channel import Message, Recipient
from broker.errors import Problem
from broker.naming import fill, has_placeholder
from channels.markup import plain_words
from channels.sms.segments import is_gsm, segments, strangers
from channels.sms.transliterate import transliterate

LONGEST_NAME = 40
ANY_TOKEN = "x" * 22  # as long as a real one, for what is looked at before there is one
ANY_STOP = "x" * 28
STOP_WORDS = "No more texts: "
KEPT = 256  # wordings: more than are ever in hand at once


@dataclass(frozen=True, slots=True)
class Style:
    """How an account wants its texts."""

    transliterate: bool = True
    max_segments: int = 6
    public_url: str | None = None  # where links to files lead; without it they stay behind
    price: Decimal = Decimal(0)  # of a segment
    stop_link: bool = False  # nobody can answer STOP to a name as sender: each text says where instead
    prefix: str = ""  # what the provider puts before each text by itself: it counts in its length


def render(content: Content, to: Recipient, style: Style) -> Message:
    """The text for one recipient, with its segments and what was done to it."""
    text = _words(content, style)
    if style.stop_link:
        words = fill(text, to.names, to.guardians, to.classes).strip()
        return _message(f"{words}\n{STOP_WORDS}{to.links.get('unsubscribe') or _any_link(style)}", style)
    if len(to.names) < 2 and not has_placeholder(text):
        return _impersonal(text, style)
    if not (to.names or to.guardians or to.classes):
        return _impersonal(text, style)
    return _message(fill(text, to.names, to.guardians, to.classes), style)


def check(content: Content, style: Style) -> Sequence[Problem]:
    """What is wrong with this wording as a text: nothing to say, or more than the account allows."""
    text = _words(content, style)
    if not plain_words(content).strip():
        return (Problem("empty_text", "short", "there is no text to send", "write a short text"),)
    if style.stop_link:
        text = f"{text.strip()}\n{STOP_WORDS}{_any_link(style)}"
    message = _impersonal(text, style)
    if message.parts <= style.max_segments:
        return ()
    told = f"it is as long as {message.parts} texts; at most {style.max_segments} go to one person"
    return (Problem("text_too_long", "short", told, _shorten(str(message.fields["body"]))),)


def _words(content: Content, style: Style) -> str:
    """The text, and behind it where each file can be fetched."""
    if not (content.attachments and style.public_url):
        return plain_words(content)
    links = (
        f"{file.name[:LONGEST_NAME]} {style.public_url}/f/{file.token or ANY_TOKEN}"
        for file in content.attachments
    )
    return "\n".join((plain_words(content), *links))


def _any_link(style: Style) -> str:
    return f"{style.public_url}/u/{ANY_STOP}"


@lru_cache(maxsize=KEPT)
def _impersonal(text: str, style: Style) -> Message:
    return _message(fill(text, ()), style)


def _message(text: str, style: Style) -> Message:
    text = text.strip()
    body = transliterate(text) if style.transliterate else text
    digest = hashlib.sha256(body.encode()).hexdigest()
    costly = () if is_gsm(body) else tuple(strangers(body))
    return Message({"body": body}, digest, segments(style.prefix + body), _notes(text, body), costly)


def _notes(text: str, body: str) -> tuple[str, ...]:
    if body is not text and body != text:
        changed = " ".join(character for character in strangers(text) if character.isprintable())
        return (
            f"typographic characters are written plainly, so that a text holds 160 characters: {changed}".strip(),
        )
    if not is_gsm(body):
        return (f"{_dearer(body)}a text holds 70 characters instead of 160 because of: {_odd(body)}",)
    return ()


def _dearer(body: str) -> str:
    """What the characters outside the short alphabet cost: without them it would be as long, in fewer segments."""
    odd = frozenset(strangers(body))
    plain = segments("".join("?" if character in odd else character for character in body))
    now = segments(body)
    return f"{now} texts, each of them paid, instead of {plain}: " if now > plain else ""


def _odd(body: str) -> str:
    """The characters, each with the place where it stands first."""
    return ", ".join(
        f"{character} (character {body.index(character) + 1})" for character in strangers(body)[:10]
    )


def _shorten(body: str) -> str:
    if is_gsm(body):
        return "shorten it, or add a mail for the long version"
    odd = " ".join(strangers(body)[:5])
    return f"shorten it, or do without {odd}: a text holds 70 characters with it, instead of 160"
