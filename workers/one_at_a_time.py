"""One at a time: of hints for the same work, a process runs one and remembers that another came."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable


class OneAtATime:
    """Keeps task threads free: a second hint for work in hand marks it "again" and returns at once."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: dict[Hashable, bool] = {}  # key → again

    def run(self, key: Hashable, work: Callable[[], object]) -> bool:
        """Run `work`, and once more as long as a hint came meanwhile. False when it was in hand already."""
        with self._changed:
            if key in self._running:
                self._running[key] = True
                return False
            self._running[key] = False
        try:
            while True:
                work()
                if self._is_over(key):
                    return True
        except BaseException:
            self._forget(key)
            raise

    def wait(self) -> None:
        """Until nothing is in hand."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running)

    def _is_over(self, key: Hashable) -> bool:
        with self._changed:
            again, self._running[key] = self._running[key], False
            if not again:
                self._forget(key)
            return not again

    def _forget(self, key: Hashable) -> None:
        with self._changed:
            self._running.pop(key, None)
            self._changed.notify_all()
