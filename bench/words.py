"""What every side of a comparison says, and to whom: the same words, generated numbers, addresses of nobody."""

from __future__ import annotations

SENDER = "+447400123456"
DOMAIN = "stbrides.example.org"
MAIL_SENDER = f"office@{DOMAIN}"
SUBJECT = "The coach leaves at eight"
TEXT = "The coach to the concert leaves at eight from the main gate. Please bring a coat. St Bride's Music"
LETTER = """\
The coach to the **summer concert** leaves at eight from the main gate.

* Please bring a coat and something to drink
* We are back by eleven

Families are welcome.
"""
HTML = f"<html><body>{LETTER * 3}</body></html>"  # about as long as what our own template makes of it


def mobile(n: int) -> str:
    """A generated number, valid and of nobody we know: it never leaves loopback."""
    return f"+4479{11_000_000 + n:08d}"


def email(n: int) -> str:
    """An address of nobody."""
    return f"parent{n}@families.example.org"
