"""The link by which somebody says "I have seen this": signed, of one message, and where it stands in a wording."""

from __future__ import annotations

from dataclasses import replace

from broker.announcement import Content, Part
from broker.ports.outside import Signer

PURPOSE = "seen"
LONGEST = 64  # characters of a token; longer is none of ours
ANY_TOKEN = "x" * 36  # as long as a real one, for what is looked at before there is one
SHORT_WORDS = "Please show that you have seen this: "
LONG_WORDS = "I have seen this: "
_LARGEST = 2**63


def link_of(signer: Signer, base: str, delivery: int) -> str:
    """The link of one message."""
    return f"{base}/s/{signer.sign(PURPOSE, str(delivery))}"


def delivery_of(signer: Signer, token: str) -> int | None:
    """The delivery that a link was made for; None for what nobody here signed."""
    if len(token) > LONGEST or not token.isascii():
        return None
    value = signer.verify(PURPOSE, token)
    if value is None or not value.isdecimal():
        return None
    delivery = int(value)
    return delivery if 0 < delivery < _LARGEST else None


def with_link(content: Content, link: str) -> Content:
    """The wording with the link at its end; the title stays what it was."""
    title = content.parts.get(Part.TITLE) or content.title.lstrip("#>*-+ ")
    parts = {**content.parts, Part.TITLE: title}
    if Part.SHORT in parts:
        parts[Part.SHORT] = f"{parts[Part.SHORT].rstrip()}\n{SHORT_WORDS}{link}"
    if Part.LONG in parts:
        parts[Part.LONG] = f"{parts[Part.LONG].rstrip()}\n\n{LONG_WORDS}<{link}>\n"
    return replace(content, parts=parts)


def with_any_link(content: Content, base: str | None) -> Content:
    """The wording as long as each message's will be, before there is one; `base`: the school's public address."""
    return with_link(content, f"{base}/s/{ANY_TOKEN}") if content.seen and base else content
