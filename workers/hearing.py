"""Whether a worker hears: beats are sent to it through the queue, and it tells which arrived."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

# On a busy machine a worker may take that long to come up; nobody is deaf before.
STARTING = timedelta(seconds=60)


@dataclass
class Hearing:
    """What is known of one worker's hearing. Times are of the monotonic clock."""

    clock: Callable[[], float] = time.monotonic
    up: bool = False
    _unheard_since: float | None = None

    def came_up(self) -> None:
        """It has started and listens from now on."""
        self.up, self._unheard_since = True, None

    def heard(self) -> None:
        """A beat arrived."""
        self._unheard_since = None

    def asked(self, *, sent: bool) -> None:
        """A beat was sent, or could not be: while the queue is away nobody is deaf."""
        if not sent:
            self._unheard_since = None
        elif self._unheard_since is None:
            self._unheard_since = self.clock()

    def is_deaf(self, after: timedelta) -> bool:
        """Whether beats have gone unheard for so long."""
        patience = after if self.up else max(after, STARTING)
        since = self._unheard_since
        return since is not None and self.clock() - since > patience.total_seconds()
