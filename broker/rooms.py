"""Rooms: how much may be started and not yet written back in one process, and what is in each.

They bound what a process killed at any moment can leave uncertain (design §6.2): two windows an account, both lanes
together where nobody can be asked afterwards.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, TypeVar

from broker.channel import Outcome
from broker.errors import AccountRejected
from broker.outcomes import Tried
from broker.values import Lane

T = TypeVar("T")


class Rooms:
    """One process's room for windows. One object a process, used on its loop."""

    WINDOWS = 2

    def __init__(self) -> None:
        self._rooms: dict[tuple[str, Lane | None], Room] = {}

    def of(self, account: str, lane: Lane | None) -> Room:
        """The room of an account, or of one of its lanes."""
        return self._rooms.setdefault((account, lane), Room(self.WINDOWS))


class Room:
    """One account's: who comes first goes in first."""

    def __init__(self, windows: int) -> None:
        self._free = asyncio.Semaphore(windows)
        self._waiting = 0

    @property
    def wanted(self) -> bool:
        """Whether somebody waits to come in: whoever is in leaves with its window, the urgent lane need not starve."""
        return self._waiting > 0

    async def enter(self, *, within: timedelta) -> bool:
        """Come in with one window, if there is room in time."""
        self._waiting += 1
        try:
            async with asyncio.timeout(within.total_seconds()):
                return await self._free.acquire()
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1

    def leave(self) -> None:
        """What was started is written back."""
        self._free.release()


@dataclass(slots=True)
class Window:
    """What was started in one commit: how many answers are missing, and those that are there."""

    left: int = 0
    done: list[tuple[Tried, Outcome]] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def heard(self, tried: Tried, outcome: Outcome) -> None:
        """One of its tries came to this."""
        self.done.append((tried, outcome))
        self.left -= 1
        if not self.left:
            self.ended.set()

    def deliveries(self) -> Iterator[int]:
        """Those that are answered."""
        return (tried.key.delivery for tried, _ in self.done)

    @property
    def account_rejected(self) -> str:
        """Why the provider rejected the whole account, if it did."""
        return next((outcome.why for _, outcome in self.done if isinstance(outcome, AccountRejected)), "")


class Cutter(Generic[T]):
    """What is claimed ahead, a chunk at a time, given out by windows; one chunk waits beside the one being cut."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._chunks: asyncio.Queue[Sequence[T] | None] = asyncio.Queue(maxsize=1)
        self._cut: deque[Sequence[T]] = deque()
        self._turn = asyncio.Lock()
        self._all = False

    async def put(self, chunk: Sequence[T] | None) -> None:
        """Claimed; None for the end. Waits while one chunk waits already."""
        await self._chunks.put(chunk)

    async def next(self) -> Sequence[T] | None:
        """The next window, waited for; None when there will be no more."""
        async with self._turn:
            while not self._cut and not self._all:
                self._take(await self._chunks.get())
            return self._cut.popleft() if self._cut else None

    def at_hand(self) -> Sequence[T] | None:
        """The next window if it is there, and nobody waits for it."""
        if self._turn.locked():
            return None
        if not self._cut and not self._chunks.empty():
            self._take(self._chunks.get_nowait())
        return self._cut.popleft() if self._cut else None

    def _take(self, chunk: Sequence[T] | None) -> None:
        self._all = chunk is None
        for at in range(0, len(chunk or ()), self._size):
            self._cut.append((chunk or ())[at : at + self._size])
