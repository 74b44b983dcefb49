"""A clock that moves only when it is told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class PretendClock:
    """Both clocks in one hand: the wall's (aware, UTC) and the monotonic one (seconds)."""

    def __init__(self, start: datetime = datetime(2026, 11, 2, 9, tzinfo=UTC)) -> None:
        self._start = start
        self._passed = timedelta(0)

    @property
    def now(self) -> datetime:
        """The wall's time."""
        return self._start + self._passed

    def __call__(self) -> datetime:
        """The wall's time, for what takes a function."""
        return self.now

    def monotonic(self) -> float:
        """Seconds since some moment; never runs backwards."""
        return self._passed.total_seconds()

    def advance(self, by: timedelta) -> datetime:
        """Let time pass. A clock cannot go back: ValueError for a negative `by`."""
        if by < timedelta(0):
            raise ValueError("time does not run backwards")
        self._passed += by
        return self.now
