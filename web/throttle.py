"""So many at once, then so many a second, in this process: for what cannot be guessed, though each guess costs."""

from __future__ import annotations

import time


class Throttle:
    """A bucket that fills again as time goes."""

    def __init__(self, *, at_once: int, per_second: float) -> None:
        self._at_once, self._per_second = at_once, per_second
        self._left, self._at = float(at_once), time.monotonic()

    def allows(self) -> bool:
        """Whether one more may come now."""
        if not self.seems_free():
            return False
        self._left -= 1
        return True

    def seems_free(self) -> bool:
        """Whether one more might come now, without its coming."""
        now = time.monotonic()
        self._left = min(self._at_once, self._left + (now - self._at) * self._per_second)
        self._at = now
        return self._left >= 1
