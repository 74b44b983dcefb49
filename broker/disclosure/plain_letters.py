"""A text as it looks: accents, invisible marks, fancy letters and look-alikes of other scripts become plain letters.

What somebody reads as "Zoë" must be found as Zoe, whether the accent is one character or two, the letters are
full-width, or the o is a Cyrillic one. What looks like nothing of ours stays as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

# Letters that Unicode does not take apart, as English keyboards write them.
_LETTERS = {
    "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th",
    "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ß": "ss", "ẞ": "Ss", "ı": "i", "ħ": "h", "Ħ": "H",
    "ŧ": "t", "Ŧ": "T", "ŋ": "n", "Ŋ": "N", "ə": "e", "Ə": "E", "ɓ": "b", "ɗ": "d", "ƙ": "k", "ƴ": "y",
}  # fmt: skip
_APOSTROPHES = frozenset("'`´‘’‚‛′ʹʻʼʽʾʿˈ＇")
BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")  # Hangul fillers, the blank Braille cell
# Small capitals, hooks and strokes, and the letters that flags are made of: Unicode's own names say which they are.
_ONE_OF_OURS = re.compile(
    r"LATIN (?:SMALL LETTER|CAPITAL LETTER|LETTER SMALL CAPITAL) ([A-Z])(?: WITH .+)?"
    r"|REGIONAL INDICATOR SYMBOL LETTER ([A-Z])"
)
_BY_CATEGORY = {"Mn": "", "Me": "", "Cf": "", "Pd": "-", "Zs": " ", "Zl": "\n", "Zp": "\n"}


@dataclass(frozen=True, slots=True)
class Plain:
    """A text in plain letters; `places` tells where each character stood, None where nothing moved."""

    text: str
    places: Sequence[int] | None = None

    def place(self, position: int) -> int:
        """Where in the text as written a character of the plain one stands."""
        if self.places is None:
            return position
        return (
            self.places[position]
            if position < len(self.places)
            else (self.places[-1] + 1 if self.places else 0)
        )


def plain(text: str) -> Plain:
    """The text in plain letters; its case and its spaces stay."""
    if text.isascii():
        return Plain(text)
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for letter in _plain(character):
            letters.append(letter)
            places.append(place)
    return Plain("".join(letters), places)


@lru_cache(maxsize=8_192)
def _plain(character: str) -> str:
    if character.isascii():
        return character
    if character in _APOSTROPHES:
        return "'"
    if character in _LETTERS:
        return _LETTERS[character]
    if character in BLANK_LETTERS:
        return " "
    apart = unicodedata.normalize("NFKD", character)
    if apart != character:
        return "".join(_plain(each) for each in apart)
    if ours := _ONE_OF_OURS.fullmatch(unicodedata.name(character, "")):
        letter = ours[1] or ours[2]
        return letter.lower() if character.islower() else letter
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return looks_like(character) if category[0] == "L" else _BY_CATEGORY.get(category, character)


@cache
def _confusables() -> Any:
    # On the first letter of another script: few texts have one, and a megabyte of tables is read with it.
    return import_module("confusable_homoglyphs.confusables").confusables_data


@lru_cache(maxsize=8_192)
def looks_like(character: str) -> str:
    """The plain letter that a letter of another script is taken for (Unicode's confusables), else itself."""
    if character.isascii() or unicodedata.name(character, "").startswith("LATIN"):
        return character
    alike = [each["c"] for each in _confusables().get(character, ())]
    plain_ones = [each for each in alike if len(each) == 1 and each.isascii() and each.isalpha()]
    same_case = [each for each in plain_ones if each.isupper() == character.isupper()]
    return next(iter(same_case or plain_ones), character)


def mixes_scripts(word: str) -> bool:
    """Whether a word has a letter of another script among Latin ones, which looks like one of them."""
    if word.isascii():
        return False
    latin = any(c.isalpha() and (c.isascii() or unicodedata.name(c, "").startswith("LATIN")) for c in word)
    return latin and any(
        not c.isascii() and c.isalpha() and looks_like(c).isascii()
        for c in unicodedata.normalize("NFKC", word)
    )
