"""Receipts of stand-ins: what became of a message, POSTed to a school on this machine, after a while, in some order.

Only loopback is ever called: see `sandbox.callbacks`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sandbox.callbacks import MAX_WAITING, SENDERS, TIMEOUT_S, TRIES, Line, loopback_url
from sandbox.faults import Kind

FAULTS = {
    "callback-lost": "Its receipts never come",
    "callback-twice": "Each of its receipts comes twice",
    "callback-disorder": "Its receipts come in reverse",
    "callback-forged": "Its receipts carry a wrong signature",
}


def kinds(door: str) -> dict[str, Kind]:
    """What can befall receipts, by name, to be ordered at the door where messages are made."""
    return {name: Kind(does, "callback", (door,)) for name, does in FAULTS.items()}


@dataclass(frozen=True)
class Call:
    """One request to come: its body, and the headers that vouch for it; `forged` makes them worthless."""

    body: bytes
    headers: Callable[[bool], Mapping[str, str]]


@dataclass
class Teller:
    """Sends what is due; what does not fit is dropped and counted."""

    counts: Counter[str] = field(default_factory=Counter)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _hands: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SENDERS))

    def tell(self, address: str, calls: Sequence[Call], *, every: float, fault: str = "") -> bool:
        """The calls one after the other, `every` so many seconds; False for an address that is none to be called."""
        url = loopback_url(address)
        if url is None:
            self.counts["callback-refused"] += 1
            return False
        if fault == "callback-lost" or len(self._tasks) >= MAX_WAITING:
            self.counts["callback-dropped"] += 1
            return True
        order = list(reversed(calls)) if fault == "callback-disorder" else list(calls)
        twice = [call for call in order for _ in range(2 if fault == "callback-twice" else 1)]
        task = asyncio.get_running_loop().create_task(
            self._course(url, twice, every, forged=fault == "callback-forged")
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _course(self, url: Any, calls: Sequence[Call], every: float, *, forged: bool) -> None:
        for call in calls:
            await asyncio.sleep(every)
            async with self._hands:
                told = await self._send(url, call, forged=forged)
            self.counts["callback-sent" if told else "callback-failed"] += 1

    async def _send(self, url: Any, call: Call, *, forged: bool) -> bool:
        given = "".join(f"{name}: {value}\r\n" for name, value in call.headers(forged).items())
        head = (
            f"POST {url.path or '/'} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(call.body)}\r\n{given}\r\n"
        ).encode()
        for turn in range(TRIES):
            await asyncio.sleep(0.2 * turn)
            line = Line()
            try:
                with suppress(OSError, ValueError, EOFError, TimeoutError, asyncio.LimitOverrunError):
                    async with asyncio.timeout(TIMEOUT_S):
                        if await line.post(url, head + call.body) < 500:
                            return True
            finally:
                line.close()
        return False
