"""What a process does at this moment and since when, so that what will never end is noticed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta


class Turns:
    """Every piece of work says when it begins and ends; a turn that takes longer than `after` has stalled."""

    def __init__(self, *, after: timedelta, clock: Callable[[], float] = time.monotonic) -> None:
        self._after = after
        self._clock = clock
        self._begun: dict[object, tuple[str, float]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """One turn of this work, for as long as the block runs."""
        turn = object()
        with self._lock:
            self._begun[turn] = name, self._clock()
        try:
            yield
        finally:
            with self._lock:
                del self._begun[turn]

    def stalled(self) -> str:
        """What has stalled, in words for a log; "" when nothing has."""
        now = self._clock()
        with self._lock:
            late = [name for name, begun in self._begun.values() if now - begun > self._after.total_seconds()]
        return f"{late[0]} has not moved for {self._after.total_seconds():.0f} s" if late else ""
