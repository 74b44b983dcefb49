"""Many hands for an SDK that waits: threads beside the caller's loop, each with a client and connections of its own.

An SDK that stands on requests is not for several threads at once, and has no loop. So each loop that sends (the
urgent lane's, the routine one's) has threads of its own, for a busy lane must not keep an urgent one waiting.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar


class Client(Protocol):
    """What a thread works with."""

    def close(self) -> None:
        """Let go of connections."""


C = TypeVar("C", bound=Client)
T = TypeVar("T")


class Crew(Generic[C]):
    """The threads of one account at one provider; at most `hands` for each loop, and as many for callers without."""

    def __init__(self, open_client: Callable[[], C], *, hands: int, name: str) -> None:
        self._open = open_client
        self._hands = hands
        self._name = name
        self._shifts: dict[asyncio.AbstractEventLoop | None, _Shift[C]] = {}
        self._door = threading.Lock()

    async def ask(self, ask: Callable[[C], T]) -> T:
        """What `ask` gives or raises, on a thread of the running loop's. Cancelled before it began, it never does."""
        return await asyncio.wrap_future(self._shift(asyncio.get_running_loop()).begin(ask))

    def wait_for(self, ask: Callable[[C], T]) -> T:
        """The same for whoever is no coroutine; the client's own timeout bounds the wait."""
        return self._shift(None).begin(ask).result()

    def close(self) -> None:
        """Let go of every connection; what is in hand comes to its end. Safe to call twice."""
        with self._door:
            shifts, self._shifts = self._shifts, {}
        for shift in shifts.values():
            shift.close()

    def _shift(self, loop: asyncio.AbstractEventLoop | None) -> _Shift[C]:
        with self._door:
            shift = self._shifts.get(loop)
            if shift is None:
                for gone in [other for other in self._shifts if other is not None and other.is_closed()]:
                    self._shifts.pop(gone).close()
                shift = self._shifts[loop] = _Shift(self._open, self._hands, self._name)
            return shift


class _Shift(Generic[C]):
    def __init__(self, open_client: Callable[[], C], hands: int, name: str) -> None:
        self._open = open_client
        self._pool = ThreadPoolExecutor(hands, thread_name_prefix=name)
        self._mine = threading.local()
        self._clients: list[C] = []

    def begin(self, ask: Callable[[C], T]) -> Future[T]:
        return self._pool.submit(self._with_client, ask)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        for client in self._clients:
            client.close()

    def _with_client(self, ask: Callable[[C], T]) -> T:
        client: C | None = getattr(self._mine, "client", None)
        if client is None:
            client = self._mine.client = self._open()
            self._clients.append(client)
        return ask(client)
