"""A pretend queue of hints, which keeps, drops, doubles or reorders them as a real one may."""

from __future__ import annotations

import random
from enum import StrEnum

from broker.values import Hint


class Mood(StrEnum):
    """How the queue treats what it is given."""

    KEEP = "keep"
    DROP = "drop"
    DOUBLE = "double"
    REORDER = "reorder"


class PretendHints:
    """A `Hints` whose mood may change at any time: the ledger must end the same under each."""

    def __init__(self, mood: Mood = Mood.KEEP, *, seed: int = 0) -> None:
        self.mood = mood
        self.published = 0
        self._waiting: list[Hint] = []
        self._chance = random.Random(seed)

    def publish(self, hint: Hint) -> None:
        """Take a hint; never raises."""
        self.published += 1
        if self.mood is Mood.DROP:
            return
        copies = 2 if self.mood is Mood.DOUBLE else 1
        self._waiting.extend([hint] * copies)
        if self.mood is Mood.REORDER:
            self._chance.shuffle(self._waiting)

    def take(self) -> Hint | None:
        """The next hint for a worker, or None."""
        return self._waiting.pop(0) if self._waiting else None

    def flush(self) -> None:
        """Lose everything, as FLUSHALL does."""
        self._waiting.clear()

    def __len__(self) -> int:
        return len(self._waiting)
