"""What a text may hold: the checks that every wording passes at intake, whatever its channel."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from broker.announcement import Part
from broker.errors import InvalidAnnouncement, Problem

LONGEST = {Part.TITLE: 200, Part.SHORT: 5_000, Part.LONG: 50_000}
MOST_MARKS = 4  # real scripts stack two or three combining marks on one letter (Vietnamese, Hebrew, Thai)
_ALLOWED_CONTROLS = frozenset("\n\t")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE_CATEGORIES = frozenset({"Cf", "Cc", "Zs", "Zl", "Zp", "Mn", "Me", "Cn", "Co"})
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")  # Hangul fillers, the blank Braille cell


def check_parts(parts: Mapping[Part, str]) -> dict[Part, str]:
    """The parts, NFC-normalised with plain line ends. Raises InvalidAnnouncement at the first fault.

    At least one of `short` and `long` must be there, and neither may be invisible.
    """
    checked = {part: check_text(text, part) for part, text in parts.items()}
    if not checked.get(Part.SHORT) and not checked.get(Part.LONG):
        raise _bad(Part.SHORT, "empty_text", "there is nothing to announce", "write the message")
    if "\n" in checked.get(Part.TITLE, ""):
        raise _bad(Part.TITLE, "title_lines", "a title is one line", "take the line break out")
    return checked


def check_text(text: str, part: Part) -> str:
    """One part, checked and normalised. Raises InvalidAnnouncement naming the part and the fault."""
    if len(text) > LONGEST[part]:
        message = f"it is {len(text):,} characters long; at most {LONGEST[part]:,} can be kept"
        raise _bad(part, "text_too_long", message, "shorten it, or attach the rest")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    marks = 0
    for position, character in enumerate(text, start=1):
        category = unicodedata.category(character)
        if category == "Cs":
            raise _at(part, position, "lone_surrogate", "half a character (broken encoding)")
        if category == "Cc" and character not in _ALLOWED_CONTROLS:
            raise _at(part, position, "control_character", "a control character")
        if character in _BIDI:
            raise _at(part, position, "bidi_override", "a mark that turns the direction of reading")
        if category == "Cn" or character in "\ufffe\uffff":
            raise _at(part, position, "no_character", "a code that is no character")
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks > MOST_MARKS:
            raise _at(part, position, "too_many_marks", "a pile of accents on one letter")
    if text and not any(_visible(c) for c in text):
        raise _bad(part, "invisible_text", "it holds nothing that can be seen", "write the message")
    return unicodedata.normalize("NFC", text).strip("\n")


def _visible(character: str) -> bool:
    return unicodedata.category(character) not in _INVISIBLE_CATEGORIES and character not in _BLANK_LETTERS


def _at(part: Part, position: int, code: str, what: str) -> InvalidAnnouncement:
    return _bad(
        part, code, f"character {position} is {what}", "type that passage again instead of pasting it"
    )


def _bad(part: Part, code: str, message: str, hint: str) -> InvalidAnnouncement:
    return InvalidAnnouncement(Problem(code, part.value, message, hint))
