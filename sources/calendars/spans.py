"""What a stretch of the term calendar is, by the words that schools use for it."""

from __future__ import annotations

import re

from broker.diary.calendar import SpanKind

# In this order: "INSET day, last day of half-term" is an INSET day.
_WORDS = (
    (re.compile(r"\b(inset|staff training|teacher training|training day|non-pupil day)\b"), SpanKind.INSET),
    (re.compile(r"\b(half[ -]?term|mid-?term)\b"), SpanKind.HALF_TERM),
    (re.compile(r"\b(closed|closure|snow day|occasional day)\b"), SpanKind.CLOSED),
    # A day that marks an edge is no term.
    (re.compile(r"\b(begins?|starts?|ends?|first day|last day)\b"), None),
    (re.compile(r"\bterm\b"), SpanKind.TERM),
)


def kind_of(words: str) -> SpanKind | None:
    """What it is; None where the words do not tell."""
    told = words.casefold().replace("_", "-")
    return next((kind for pattern, kind in _WORDS if pattern.search(told)), None)
