"""How many segments a text takes: what Twilio bills, and what a phone joins together again.

GSM 03.38 (3GPP TS 23.038) holds 160 septets in one segment and 153 in each of several; anything outside its alphabet
makes the whole text UCS-2 with 70 and 67 units. A character of two septets or two units is never parted.
"""

from __future__ import annotations

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")  # two septets each
_GSM = _BASIC | _EXTENDED


def is_gsm(text: str) -> bool:
    """Whether the text fits the short alphabet, 160 characters to a segment."""
    return _GSM.issuperset(text)


def strangers(text: str) -> list[str]:
    """The characters that keep a text out of the short alphabet, each once, in order."""
    return [character for character in dict.fromkeys(text) if character not in _GSM]


def segments(text: str) -> int:
    """The number of segments, 1 for an empty text."""
    if is_gsm(text):
        if _EXTENDED.isdisjoint(text):
            return _parts(len(text), single=160, several=153)
        return _parts_of([2 if character in _EXTENDED else 1 for character in text], single=160, several=153)
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    if units == len(text):
        return _parts(units, single=70, several=67)
    return _parts_of([2 if character > "\uffff" else 1 for character in text], single=70, several=67)


def _parts(units: int, *, single: int, several: int) -> int:
    return 1 if units <= single else -(-units // several)


def _parts_of(widths: list[int], *, single: int, several: int) -> int:
    if sum(widths) <= single:
        return 1
    parts, used = 1, 0
    for width in widths:
        if used + width > several:
            parts, used = parts + 1, 0
        used += width
    return parts
