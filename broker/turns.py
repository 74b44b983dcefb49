"""Turns: at a pace, each send has its moment; what a stall made late is not made up for in a burst."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

# Seconds. Who waits for a moment sleeps no shorter, and what falls due meanwhile goes with it: woken a thousand times a
# second, a worker spent 757 us on a text where 523 are enough, and whoever took it 182 where 116 are.
TICK = 0.02
REMEMBERED = 10.0  # seconds: as long as the window that a provider counts in


class Turns:
    """The turns of one run on one account, from the claim that reserves them to the send that uses them."""

    def __init__(self, per_second: float | None) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._last = 0.0  # monotonic seconds
        self._unused = 0
        self._late = 0.0  # seconds after its moment, of the last turn that was used
        self._worst, self._worst_at = 0.0, 0.0  # of late, and when (monotonic seconds)

    def reserved(self, how_many: int) -> None:
        """So many were claimed, each with its turn."""
        self._unused += how_many

    def dropped(self) -> None:
        """One of these will not be used: its delivery is somebody else's."""
        self._unused -= 1

    def are_behind(self, late: timedelta) -> bool:
        """Whether turns are used so late that more would only wait, and all go at once with those of other workers."""
        return self._unused > 0 and self._late > late.total_seconds()

    def worst(self) -> timedelta:
        """How long after its moment a turn was used, at most, in the last seconds; what the next ones make up for."""
        recent = time.monotonic() - self._worst_at < REMEMBERED
        return timedelta(seconds=self._worst if recent else self._late)

    async def use(self, turn: float) -> None:
        """Wait for this moment (monotonic seconds; 0: at once)."""
        if turn:
            moment = max(turn, self._last + self._interval)
            delay = moment - time.monotonic()
            if delay > 0:
                await asyncio.sleep(max(delay, TICK))
            now = time.monotonic()
            self._last = max(moment, now - TICK)
            self._late = now - turn
            if self._late >= self._worst or now - self._worst_at >= REMEMBERED:
                self._worst, self._worst_at = self._late, now
        self._unused -= 1


def until_turns(wait: timedelta, horizon: timedelta) -> timedelta:
    """How long to rest when every turn within the horizon is taken: until half of it is free again.

    Whoever slept until the first free turn had none in hand then, and what came before it was lost to all workers.
    """
    return min(max(wait - horizon / 2, timedelta(milliseconds=10)), horizon)
