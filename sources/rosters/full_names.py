"""A whole name in one cell, as reports have it: "Lee, Mary", "Mrs Mary Lee", "Anna van der Berg"."""

from __future__ import annotations

_TITLES = {
    *("mr", "mrs", "ms", "miss", "mx", "master", "dr", "prof", "professor", "rev", "revd", "reverend"),
    *("sir", "lady", "lord", "dame", "herr", "frau", "mme", "mlle"),
}
_PARTICLES = {
    "van",
    "von",
    "der",
    "den",
    "de",
    "del",
    "della",
    "di",
    "da",
    "dos",
    "la",
    "le",
    "ter",
    "bin",
    "al",
}


def split(whole: str) -> tuple[str, str]:
    """Given and family name; a name of one word is a family name, as a letter would use it."""
    if "," in whole:
        family, _, given = whole.partition(",")
        return " ".join(_untitled(given.split())), " ".join(_untitled(family.split()))
    words = _untitled(whole.split())
    at = max(len(words) - 1, 0)
    while at > 1 and words[at - 1].casefold() in _PARTICLES:
        at -= 1
    return " ".join(words[:at]), " ".join(words[at:])


def _untitled(words: list[str]) -> list[str]:
    """Without the titles before a name; somebody called Master alone keeps it."""
    at = 0
    while at < len(words) - 1 and words[at].rstrip(".").casefold() in _TITLES:
        at += 1
    return words[at:]
