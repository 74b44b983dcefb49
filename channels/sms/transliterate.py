"""Typographic characters that cost more than they give in a text, and what is written for them.

One curly quote makes a whole text UCS-2, and its price double. Letters are never touched: a pupil called Zoë is not
called Zoe.
"""

from __future__ import annotations

from channels.sms.segments import is_gsm

_PLAIN = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u00b4`",
    '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb",
    "<": "\u2039",
    ">": "\u203a",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2022\u2043",
    "...": "\u2026",
    "/": "\u2044",
    "x": "\u00d7",
    " ": "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "": "\u00ad\u200b\u200c\u200d\u2060\ufe0e\ufe0f\ufeff",
    "\n": "\u2028\u2029",
}
_TABLE = str.maketrans({character: plain for plain, several in _PLAIN.items() for character in several})


def transliterate(text: str) -> str:
    """The text in the short alphabet, or the very same text when plain typography would not bring it there."""
    if text.isascii() and is_gsm(text):
        return text
    plain = text.translate(_TABLE)
    return plain if is_gsm(plain) else text
