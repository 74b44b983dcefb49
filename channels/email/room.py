"""A loop in a thread of its own, for callers that are no coroutines: one mail at a time, over one kept connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Event, Thread

from broker.channel import Item, Key, Outcome
from channels.email.errand import Errand
from channels.email.lines import CLOSE_WITHIN, Lines


class Room:
    """Lives from the first mail to `close()`."""

    def __init__(self, open_lines: Callable[[], Lines]) -> None:
        self._open_lines = open_lines
        self._ready = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._stay()), name="carillon-email", daemon=True)
        self._thread.start()
        self._ready.wait()

    def send(self, item: Item) -> Outcome:
        """What one try comes to. The lines' own limits bound the wait."""
        return asyncio.run_coroutine_threadsafe(self._send(item), self._loop).result()

    def close(self) -> None:
        """Close the lines, end the thread."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(2 * CLOSE_WITHIN.total_seconds())

    async def _stay(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._lines = self._open_lines()
        self._ready.set()
        await self._over.wait()
        await self._lines.close()

    async def _send(self, item: Item) -> Outcome:
        told: asyncio.Future[Outcome] = self._loop.create_future()

        def done(_: Key, outcome: Outcome) -> None:
            if not told.done():
                told.set_result(outcome)

        self._lines.offer(Errand(item, lambda _: True, done))
        return await told
