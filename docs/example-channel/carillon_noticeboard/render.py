"""From a wording to a notice: pure, no file, no clock."""

from __future__ import annotations

import hashlib

from carillon import Content, Message, Part


def title_of(content: Content) -> str:
    """The heading; "" where none was written."""
    return content.parts.get(Part.TITLE, "")


def text_of(content: Content) -> str:
    """What stands below it."""
    return content.short


def render(content: Content) -> Message:
    """The notice. Fields: title, text. It is the same for everybody, so no recipient is asked for."""
    title, text = title_of(content), text_of(content)
    return Message({"title": title, "text": text}, hashlib.sha256(f"{title}\n{text}".encode()).hexdigest())
