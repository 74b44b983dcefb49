"""Figures: what was sent, counted by the hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

Counted = tuple[
    str, int, str, int
]  # the hour by the school's clocks, the department's id, the channel, the span


@dataclass(frozen=True, slots=True)
class FiguresRead:
    """Attempts that are over: those after one, up to another, as they count."""

    after: int
    until: int
    counts: Mapping[Counted, int]


class Figures(Protocol):
    """What was sent, counted."""

    def read(self, *, most: int) -> FiguresRead | None:
        """The next attempts that are over, in their order; None where there are none. Reads only."""

    def fold(self, read: FiguresRead) -> int:
        """Add them, and return how many they are; none where somebody else has. The caller holds the sweeper's lock."""
