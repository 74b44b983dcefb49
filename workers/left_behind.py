"""What a dead worker left behind: given back at once, where a lease would only end after a minute and a half.

A lease knows that its holder is silent; a supervisor knows that its child is dead, for the kernel told it so. What had
not started goes out by somebody else within a second or two, what had is looked up that much sooner.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from broker.ports import Ledger
from workers.every import Every

EVERY = timedelta(seconds=1)
# A commit that was on its way when the process died may arrive after its death was told: so it is looked again.
UNTIL = timedelta(seconds=6)


class LeftBehind:
    """Tell it who died; it looks each second, on a thread of its own, for a database may be away for a while."""

    def __init__(self, ledger: Ledger, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._clock = clock
        self._dead: dict[str, float] = {}  # holder → when it died
        self._lock = threading.Lock()
        self._every = Every("what dead workers held", EVERY, self.give_back)

    def start(self) -> None:
        """Begin."""
        self._every.start()

    def stop(self) -> None:
        """End; safe to call twice, and before `start`."""
        self._every.stop()

    def died(self, holder: str) -> None:
        """This process is dead, surely."""
        with self._lock:
            self._dead[holder] = self._clock()

    def give_back(self) -> int:
        """Let their leases end now; how many. Raises what the database raises, and then forgets nobody."""
        with self._lock:
            dead = dict(self._dead)
        ended = 0
        for holder, at in dead.items():
            asked = self._clock()
            ended += self._end(holder)
            if asked - at >= UNTIL.total_seconds():
                with self._lock:
                    del self._dead[holder]
        return ended

    def _end(self, holder: str) -> int:
        return self._ledger.transact(lambda tx: tx.sweeps.expire_leases_of(holder))
