"""The process's one asyncio loop: senders keep their connections there, however many task threads come and go."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

T = TypeVar("T")
THREADS = 32
# The loop keeps a core busy. With Python's 5 ms a thread that comes back from the database waits as long for its turn,
# at every statement, and the senders run dry meanwhile.
SWITCH = timedelta(milliseconds=1)


class Loop:
    """One loop on one long-lived thread. A connection belongs to the loop it was opened on, so there is only one."""

    def __init__(self) -> None:
        sys.setswitchinterval(SWITCH.total_seconds())
        self._loop = asyncio.new_event_loop()
        # Several accounts at once, each with a claim, a start and a write-back in flight: the default is too few.
        self._loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="carillon-ledger"))
        self._thread = threading.Thread(target=self._run, name="carillon-loop", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` on the loop and wait for it, from any other thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """Cancel what still runs and end the loop; safe to call twice."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()
