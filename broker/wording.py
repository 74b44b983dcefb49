"""What a text may hold: the checks that every wording passes at intake, whatever its channel."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from broker.announcement import Part
from broker.disclosure.plain_letters import BLANK_LETTERS
from broker.errors import InvalidAnnouncement, Problem
from broker.naming import PERSONAL, unknown_placeholder

LONGEST = {Part.TITLE: 200, Part.SHORT: 5_000, Part.LONG: 50_000, Part.QUOTE: 200}
MOST_MARKS = 4  # real scripts stack two or three combining marks on one letter (Vietnamese, Hebrew, Thai)
_ALLOWED_CONTROLS = frozenset("\n\t")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE_CATEGORIES = frozenset({"Cf", "Cc", "Zs", "Zl", "Zp", "Mn", "Me", "Cn", "Co"})
# Where Unicode puts new emoji each year: a telephone knows them before this Python does.
_LATER_EMOJI = frozenset(
    character for code in range(0x1F000, 0x1FB00) if unicodedata.category(character := chr(code)) == "Cn"
)


def check_parts(parts: Mapping[Part, str], *, gaps: bool = False) -> dict[Part, str]:
    """The parts, NFC-normalised with plain line ends. Raises InvalidAnnouncement at the first fault.

    At least one of `short` and `long` must be there, and neither may be invisible. `gaps`: a template may have some
    of its own, such as {time}, which somebody fills in before it is announced.
    """
    checked = {part: check_text(text, part) for part, text in parts.items()}
    if not checked.get(Part.SHORT) and not checked.get(Part.LONG):
        raise _bad(Part.SHORT, "empty_text", "there is nothing to announce", "write the message")
    for part, text in checked.items():
        if not gaps:
            _check_placeholders(text, part)
    if "\n" in checked.get(Part.TITLE, ""):
        raise _bad(Part.TITLE, "title_lines", "a title is one line", "take the line break out")
    return checked


def _check_placeholders(text: str, part: Part) -> None:
    """Eight hundred families must not read {name} because somebody took it for {pupil}."""
    if (unknown := unknown_placeholder(text)) is not None:
        written, meant = unknown
        hint = (
            f"did you mean {meant}?"
            if meant
            else f"there are {', '.join(PERSONAL)}; or leave out the brackets"
        )
        raise _bad(part, "unknown_placeholder", f"nothing belongs where {written} stands", hint)


def check_text(text: str, part: Part) -> str:
    """One part, checked and normalised. Raises InvalidAnnouncement naming the part and the fault."""
    if len(text) > LONGEST[part]:
        message = f"it is {len(text):,} characters long; at most {LONGEST[part]:,} can be kept"
        raise _bad(part, "text_too_long", message, "shorten it, or attach the rest")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    _check_characters(text, part)
    if text and not any(_visible(c) for c in text):
        raise _bad(part, "invisible_text", "it holds nothing that can be seen", "write the message")
    normal = unicodedata.normalize("NFC", text).strip("\n")
    # A few characters come apart in NFC, so that what is kept may be longer than what was looked at.
    return normal if normal in text else check_text(normal, part)


def _check_characters(text: str, part: Part) -> None:
    marks = 0
    for position, character in enumerate(text, start=1):
        category = unicodedata.category(character)
        if category == "Cs":
            raise _at(part, position, "lone_surrogate", "half a character (broken encoding)")
        if category == "Cc" and character not in _ALLOWED_CONTROLS:
            raise _at(part, position, "control_character", "a control character")
        if character in _BIDI:
            raise _at(part, position, "bidi_override", "a mark that turns the direction of reading")
        if category == "Cn" and character not in _LATER_EMOJI:
            raise _at(part, position, "no_character", "a code that is no character")
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks > MOST_MARKS:
            raise _at(part, position, "too_many_marks", "a pile of accents on one letter")


def _visible(character: str) -> bool:
    if character in BLANK_LETTERS:
        return False
    return unicodedata.category(character) not in _INVISIBLE_CATEGORIES or character in _LATER_EMOJI


def _at(part: Part, position: int, code: str, what: str) -> InvalidAnnouncement:
    return _bad(
        part, code, f"character {position} is {what}", "type that passage again instead of pasting it"
    )


def _bad(part: Part, code: str, message: str, hint: str) -> InvalidAnnouncement:
    return InvalidAnnouncement(Problem(code, part.value, message, hint))
