"""What a text that somebody sent us asks for, where it is one of a few words: stop, start, help. The words are data."""

from __future__ import annotations

import tomllib
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

MOST_WORDS = 3  # of a text that is still taken for a stop when it begins with one
LONGEST = 200  # characters that are looked at; every keyword is far shorter


class Asked(StrEnum):
    """What a text asks for."""

    STOP = "stop"
    START = "start"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Keyword:
    """What is asked for; `alone`: the text says nothing beside it, so that nobody need read it."""

    asked: Asked
    alone: bool = True


def keyword_of(text: str, told: str = "") -> Keyword | None:
    """The keyword that a text is, or None for words that a person should read.

    `told` is what the provider took it for, whose own words may differ (STOP, START, HELP): where it has acted, so
    must we. Capitals, blanks and marks do not matter: " Stop. " and "STOP ALL" are stops.
    """
    lists, begins = _lists()
    words = _words(text)
    found = lists.get("".join(words))
    if told.lower() in set(Asked):
        asked = Asked(told.lower())
        return Keyword(asked, alone=found is asked)
    if found is not None:
        return Keyword(found)
    if words and len(words) <= MOST_WORDS and words[0] in begins:
        return Keyword(Asked.STOP, alone=False)
    return None


def _words(text: str) -> list[str]:
    """Without capitals and marks, accents as they are."""
    folded = unicodedata.normalize("NFKC", text[:LONGEST]).casefold()
    if len(text) > LONGEST:
        return []
    kept = (
        character if unicodedata.category(character)[0] in "LMN" else " " if character != "'" else ""
        for character in folded
        if unicodedata.category(character) != "Cf"
    )
    return "".join(kept).split()


@cache
def _lists() -> tuple[dict[str, Asked], frozenset[str]]:
    told = tomllib.loads((files("broker.incoming") / "data" / "keywords.toml").read_text("utf-8"))
    lists: dict[str, Asked] = {}
    for asked in (Asked.HELP, Asked.START, Asked.STOP):  # a word of two lists is a stop
        for words in told[asked.value].values():
            lists |= {"".join(_words(word)): asked for word in words}
    begins = frozenset(word for words in told["stop_begins"].values() for word in words)
    return lists, begins
