"""The line of an SMTP session: bytes into commands and messages, replies, bounds, waits and TLS."""

from __future__ import annotations

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import cast

from sandbox.faults import FaultBook

MAX_LINE = 2048
HANDSHAKE_S = 10.0


class Gate:
    """How many sessions are open, and how many may be."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.open: set[Line] = set()

    def sweep(self, now: float, idle: timedelta) -> None:
        """Close what has said nothing for `idle`; `now` is the loop's time."""
        for line in list(self.open):
            if not line.busy and now - line.heard_at > idle.total_seconds():
                line.bid_farewell(b"421 4.4.2 Idle for too long")


class Line(asyncio.Protocol, ABC):
    """One connection. One command is in hand at a time; what was pipelined waits in the buffer."""

    transport: asyncio.Transport

    def __init__(self, gate: Gate, faults: FaultBook, max_message: int, tls: bool) -> None:
        self.loop = asyncio.get_running_loop()
        self.heard_at = self.loop.time()
        self.tls = tls
        self.busy = False
        self.in_data = False
        self._gate = gate
        self._faults = faults
        self._max_message = max_message
        self._buffer = bytearray()
        self._searched = 0
        self._replies: list[bytes] = []
        self._delayed: deque[bytes] = deque()

    @abstractmethod
    def greet(self) -> None:
        """The connection is there."""

    @abstractmethod
    def command(self, line: bytes) -> None:
        """Do one command, given without its line end."""

    @abstractmethod
    def message(self, content: bytes) -> None:
        """Take a whole message, its dots unstuffed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        if len(self._gate.open) >= self._gate.most:
            self.bid_farewell(b"421 4.7.0 Too many connections")
            return
        self._gate.open.add(self)
        self.greet()
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gate.open.discard(self)
        self._buffer.clear()

    def data_received(self, data: bytes) -> None:
        self.heard_at = self.loop.time()
        self._buffer += data
        if not self.busy:
            self._pump()
        elif len(self._buffer) > self._max_message:
            self.transport.pause_reading()

    def say(self, reply: bytes) -> None:
        """Add a reply, to leave with the others once the buffer is worked through."""
        self._replies.append(reply)

    def flush(self) -> None:
        """Send the replies gathered so far."""
        if not self._replies or self.transport.is_closing():
            return
        data = b"\r\n".join(self._replies) + b"\r\n"
        self._replies.clear()
        latency = self._faults.pick("smtp", "latency", "any")
        if latency is None and not self._delayed:
            self.transport.write(data)
        else:
            self._delayed.append(data)
            self.loop.call_later(latency.delay.total_seconds() if latency else 0, self._write_delayed)

    def _write_delayed(self) -> None:
        # Whichever timer comes first takes the oldest: replies never overtake each other.
        data = self._delayed.popleft()
        if not self.transport.is_closing():
            self.transport.write(data)

    def bid_farewell(self, reply: bytes) -> None:
        """Say a last word and hang up."""
        self.say(reply)
        for data in (*self._delayed, b"\r\n".join(self._replies) + b"\r\n"):
            self.transport.write(data)
        self._replies.clear()
        self.transport.close()

    def later(self, delay: timedelta, act: Callable[[], None]) -> None:
        """Do `act` after a while, and nothing else until then; not at all when the client has gone."""
        self.busy = True
        self.flush()

        def go_on() -> None:
            self.busy = False
            if not self.transport.is_closing():
                act()
                self.resume()

        self.loop.call_later(delay.total_seconds(), go_on)

    def resume(self) -> None:
        """Take up again what waits in the buffer."""
        if not self.transport.is_closing():
            self.transport.resume_reading()
            self._pump()

    def secure(self, context: ssl.SSLContext, reply: bytes) -> None:
        """Say `reply` and go on in TLS."""
        # What came before the handshake was not protected by it, and must not be taken for what was
        # (CVE-2011-0411).
        if self._buffer:
            self.bid_farewell(b"501 5.5.1 Nothing may follow STARTTLS")
            return
        self.busy = True
        self.transport.pause_reading()
        self.transport.write(reply + b"\r\n")
        self._handshake = asyncio.ensure_future(self._secure(context))

    async def _secure(self, context: ssl.SSLContext) -> None:
        plain = self.transport
        try:
            secured = await self.loop.start_tls(
                plain, self, context, server_side=True, ssl_handshake_timeout=HANDSHAKE_S
            )
        except OSError:
            plain.abort()
            return
        self.transport, self.tls, self.busy = cast(asyncio.Transport, secured), True, False
        self._pump()

    def _pump(self) -> None:
        """Do all that the buffer holds, then send the replies together: that is what PIPELINING is for."""
        while not self.busy and not self.transport.is_closing() and self._step():
            pass
        self.flush()

    def _step(self) -> bool:
        """One command or message out of the buffer; False when none is whole yet."""
        if self.in_data:
            return self._take_message()
        end = self._buffer.find(b"\r\n", 0, MAX_LINE)
        if end < 0:
            if len(self._buffer) >= MAX_LINE:
                self.bid_farewell(b"500 5.5.2 Line too long")
            return False
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        self.command(line)
        return True

    def _take_message(self) -> bool:
        buffer = self._buffer
        if buffer.startswith(b".\r\n"):
            content, taken = b"", 3
        else:
            end = buffer.find(b"\r\n.\r\n", self._searched)
            if end < 0:
                self._searched = max(0, len(buffer) - 4)
                if len(buffer) > self._max_message:
                    self.bid_farewell(b"552 5.3.4 Message too big")
                return False
            content, taken = bytes(buffer[: end + 2]), end + 5
        del buffer[:taken]
        self.in_data, self._searched = False, 0
        if content.startswith(b".") or b"\r\n." in content:
            content = content.removeprefix(b".").replace(b"\r\n..", b"\r\n.")
        self.message(content)
        return True
