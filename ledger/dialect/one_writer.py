"""Writers of one process, one after the other, in the order in which they came.

SQLite has one writer at a time, and whoever finds it busy sleeps, longer each time, and tries again: beside a bulk
send, whose threads write without a pause, an urgent announcement waited for seconds (measured). Here they queue.
Between processes SQLite's own lock decides, as before.
"""

from __future__ import annotations

import threading
from collections import deque
from datetime import timedelta


class OneWriter:
    """A lock that is handed on in the order in which it was asked for, but for what is urgent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._waiting = deque[threading.Event]()

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._waiting)

    def take(self, patience: timedelta, *, ahead: bool = False) -> bool:
        """Wait for one's turn, `ahead` of those who wait; False when it did not come within `patience`."""
        with self._lock:
            if not self._taken:
                self._taken = True
                return True
            turn = threading.Event()
            if ahead:
                self._waiting.appendleft(turn)
            else:
                self._waiting.append(turn)
        if turn.wait(patience.total_seconds()):
            return True
        with self._lock:
            if turn.is_set():  # it was handed on in this very moment
                return True
            self._waiting.remove(turn)
            return False

    def give_back(self) -> None:
        """The next one's turn."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False
