"""What differs between two wordings, word by word: what was taken out, and what is new."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

MOST = 3_000  # words of both: comparing takes the square of it at the worst
_WORDS = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of words: the "same" in both, "gone", or "new"."""

    how: str
    text: str = field(repr=False)


def difference(before: str, after: str) -> Sequence[Piece]:
    """The pieces, in order; of what is very long all of the one, then all of the other."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if before == after:
        return [Piece("same", before)] if before else []
    if len(old) + len(new) > MOST:
        return [piece for piece in (Piece("gone", before), Piece("new", after)) if piece.text]
    return list(_pieces(old, new))


def _pieces(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    for kind, at, to, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, fresh = "".join(old[at:to]), "".join(new[start:end])
        if kind == "equal":
            yield Piece("same", gone)
            continue
        if gone:
            yield Piece("gone", gone)
        if fresh:
            yield Piece("new", fresh)
