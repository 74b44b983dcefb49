"""Striking somebody out of words: their whole name, their numbers and emails, wherever and however they are written.

A whole name is safe to strike. A single one may be a word of the language ("Will you come?", "in May"), so it is struck
only where somebody asks for it. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

import phonenumbers

from broker.address import AddressKind

ERASED = "erased person"
SHORTEST_ID = 5  # characters: a shorter id is a number like any other in a sentence
# What a telephone types for what a roster spells: one stands for all of its kind.
APOSTROPHES, HYPHENS = "'’‘`´", "-\u2010\u2011\u2012\u2013"
_BETWEEN = r"[\s().\-]*"
_MARKS = "\u0300-\u036f"  # an accent that is a character of its own belongs to the letter before it
_TITLE = (
    r"(?:Mrs?|Ms|Miss|Mx|Dr|Prof(?:essor)?|Sir|Lady|Madam|Dame|Rev(?:erend)?|Revd|F(?:r|ather)|Canon|Capt|Lord)"
    r"\.?\s+(?:[^\W\d_]\.?\s+){0,3}"  # initials
)
_NOBODY = re.compile(r"(?!)")

Striker = Callable[[str], str]


def whole_names(given: str, family: str, preferred: str | None) -> tuple[str, ...]:
    """Every way in which somebody's name is written whole."""
    firsts = [name for name in (given, preferred) if name]
    ways = [
        way
        for first in firsts
        for way in (
            (f"{first} {family}", f"{family} {first}", f"{family}, {first}", f"{family},{first}")
            if family
            else (first,)
        )
    ]
    return tuple(dict.fromkeys(ways or [family]))


def pattern(
    names: Iterable[str],
    values: Iterable[tuple[str, str]] = (),
    ids: Iterable[str] = (),
    *,
    titled: Iterable[str] = (),
) -> re.Pattern[str]:
    """What finds these in words: names, addresses as (kind, value), and ids that are long enough to be nothing else.

    `titled` are family names that go where a title stands before them.
    """
    found = [
        rf"(?<!\w){_TITLE}{_spaced(name)}(?![{HYPHENS}]?[\w{_MARKS}])" for name in titled if name.strip()
    ]
    found += [rf"(?<!\w){_spaced(name)}(?![\w{_MARKS}])" for name in names if name.strip()]
    for kind, value in values:
        found.append(_number(value) if kind == AddressKind.MOBILE.value else _email(value))
    found += [rf"(?<!\w){re.escape(one)}(?!\w)" for one in ids if len(one) >= SHORTEST_ID]
    # The longest first: of "Ann Lee-Jones" and "Ann Lee" the whole of it goes.
    return re.compile("|".join(sorted(found, key=len, reverse=True)), re.IGNORECASE) if found else _NOBODY


def striker(found: re.Pattern[str], instead: str = ERASED) -> Striker:
    """Puts a word in the place of whatever the pattern finds."""
    return lambda words: found.sub(instead, words)


def _spaced(name: str) -> str:
    return r"\s+".join(map(_part, name.split()))


def _part(part: str) -> str:
    composed = unicodedata.normalize("NFC", part)
    alike = "".join(map(_alike, composed))
    return alike if composed == part else f"(?:{alike}|{re.escape(part)})"


def _alike(character: str) -> str:
    """However a letter with an accent is put together, and whichever apostrophe or hyphen it is."""
    for kind in (APOSTROPHES, HYPHENS):
        if character in kind:
            return f"[{re.escape(kind)}]"
    apart = unicodedata.normalize("NFD", character)
    return re.escape(character) if apart == character else f"(?:{re.escape(character)}|{re.escape(apart)})"


def _email(value: str) -> str:
    """As it is written, and as it stands in a web address: %40 for its @."""
    written = re.escape(value).replace("@", "(?:@|%40)")
    return rf"(?:(?<!\w)|(?<=%2F)){written}(?!\w)"


def _number(value: str) -> str:
    """A number in E.164 as people write it: with its country or without, in groups of any kind."""
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException:
        return re.escape(value)
    digits = _BETWEEN.join(phonenumbers.national_significant_number(number))
    code = _BETWEEN.join(str(number.country_code))
    return rf"(?<!\d)(?:(?:\+|00){_BETWEEN}{code}{_BETWEEN})?(?:\(?0\)?{_BETWEEN})?{digits}(?!\d)"
