"""What time it is at X, for the moment that each request is signed with (RFC 5849, 3.3).

X refuses what was signed five minutes away from its own time just as it refuses wrong credentials, and says which of
the two it was by nothing but the Date of its answer. A worker whose clock is wrong would have the account paused.
"""

from __future__ import annotations

import re
import time
from datetime import timedelta
from email.utils import parsedate_to_datetime

NEAR = timedelta(minutes=1)  # of a request's way to X and of its whole seconds; X itself allows five
_SIGNED = re.compile(r'\boauth_timestamp="(\d{1,12})"')


class Clock:
    """This process's clock until X shows another time with a refusal; from then on X's, whatever ours does."""

    def __init__(self) -> None:
        self._told: tuple[float, float] | None = None  # X's time, and ours that never jumps

    def now(self) -> int:
        """Seconds since 1970."""
        if self._told is None:
            return int(time.time())
        then, since = self._told
        return int(then + time.monotonic() - since)

    def set(self, moment: float) -> None:
        """By what X just said."""
        self._told = (moment, time.monotonic())


def shown_at(authorization: str, date: str) -> tuple[float, timedelta] | None:
    """X's time, and how far what was signed is from it; None where they are near, or nobody can tell."""
    signed = _SIGNED.search(authorization)
    try:
        there = parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    if signed is None:
        return None
    away = timedelta(seconds=float(signed[1]) - there)
    return (there, away) if abs(away) > NEAR else None
