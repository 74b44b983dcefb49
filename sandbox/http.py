"""A small HTTP/1.1 server: kept connections, pipelining, bounds, and answers that can be made to go wrong.

Our own, because faults need the bare transport (resets, answers cut short), and the bench a stand-in that costs little:
64 µs of CPU a create with all that belongs to it, where aiohttp's server takes 73 before doing anything. One request of
a connection is in hand at a time, so that answers leave in the order of the questions.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qsl

log = logging.getLogger(__name__)

MAX_HEAD = 16 * 1024
MAX_BODY = 256 * 1024
MAX_HEADERS = 64
MAX_FIELDS = 64


class BadRequest(Exception):
    """Raised when the bytes of a client are no request this server takes."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(slots=True)
class Request:
    """What a client asked; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""

    def form(self) -> dict[str, str]:
        """The body as form fields; the last of several with one name counts."""
        return fields(self.body.decode("latin-1"))

    def parameters(self) -> dict[str, str]:
        """The query as fields."""
        return fields(self.query)


def fields(text: str) -> dict[str, str]:
    """Form-encoded fields; raises BadRequest when they are too many or not UTF-8."""
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"))
    except ValueError as fault:
        raise BadRequest(400, "fields cannot be read") from fault


Handler = Callable[[Request, "Exchange"], None]


class Gate:
    """How many connections are open, and how many may be."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.open: set[Exchange] = set()

    def sweep(self, now: float, idle: timedelta) -> None:
        """Close what has said nothing for `idle`; `now` is the loop's time."""
        for exchange in list(self.open):
            if not exchange.busy and now - exchange.heard_at > idle.total_seconds():
                exchange.close()


class Exchange(asyncio.Protocol):
    """One connection, and the answer to the request it has in hand: answer it exactly once, now or later."""

    def __init__(self, handler: Handler, gate: Gate) -> None:
        self._handler = handler
        self._gate = gate
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._keep = True
        self.busy = False
        self.heard_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.heard_at = self._loop.time()
        if len(self._gate.open) >= self._gate.most:
            self._keep = False
            self.answer(503, {"message": "too many connections"})
        else:
            self._gate.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._gate.open.discard(self)
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._loop.time()
        self._buffer = self._buffer + data if self._buffer else data
        if not self.busy:
            self._next()
        elif len(self._buffer) > MAX_HEAD + MAX_BODY:
            self._transport.pause_reading()

    def answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        """Answer with JSON (or bytes that are to pass for it) and take up the next request."""
        if self._transport.is_closing():
            return
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._transport.write(_head(status, len(content), self._keep, headers) + content)
        self._done()

    def answer_later(self, delay: timedelta, act: Callable[[], None]) -> None:
        """Do `act`, which must answer, after a while; not at all when the client has gone by then."""
        self._loop.call_later(delay.total_seconds(), lambda: None if self._transport.is_closing() else act())

    def truncate(self, status: int, body: Any) -> None:
        """Promise the whole of a JSON body, send half of it, and hang up."""
        body = json.dumps(body).encode()
        self._transport.write(_head(status, len(body), False, None) + body[: len(body) // 2])
        self.close()

    def reset(self) -> None:
        """Hang up with a TCP reset."""
        reset(self._transport)

    def close(self) -> None:
        """Hang up when all that was written has left."""
        self._transport.close()

    def _done(self) -> None:
        self.busy = False
        if not self._keep:
            self.close()
        elif self._buffer:
            self._transport.resume_reading()
            # Not at once: a long pipeline would nest as deep as it is long.
            self._loop.call_soon(self._resume)

    def _resume(self) -> None:
        if not self.busy and not self._transport.is_closing():
            self._next()

    def _next(self) -> None:
        try:
            request = self._take()
            if request is None:
                return
            self.busy = True
            self._handler(request, self)
        except BadRequest as fault:
            self._keep = False
            self.answer(fault.status, {"status": fault.status, "message": str(fault)})
        except Exception as fault:  # noqa: BLE001 (one bad request must not end the sandbox)
            # Only the type: a message could carry what was in the request.
            log.error("a request failed with %s", type(fault).__name__)
            self._keep = False
            self.answer(500, {"status": 500, "message": "internal error"})

    def _take(self) -> Request | None:
        """The next whole request of the buffer, or None while it has not all come."""
        end = self._buffer.find(b"\r\n\r\n", 0, MAX_HEAD)
        if end < 0:
            if len(self._buffer) >= MAX_HEAD:
                raise BadRequest(431, "head too long")
            return None
        request, self._keep = _parse_head(self._buffer[:end].decode("latin-1"))
        length = request.headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or len(length) > 9:
            raise BadRequest(400, "bad Content-Length")
        if int(length) > MAX_BODY:
            raise BadRequest(413, "body too long")
        start, stop = end + 4, end + 4 + int(length)
        if len(self._buffer) < stop:
            return None
        request.body, self._buffer = self._buffer[start:stop], self._buffer[stop:]
        return request


def _parse_head(head: str) -> tuple[Request, bool]:
    line, *rest = head.split("\r\n")
    parts = line.split(" ")
    if len(parts) != 3 or not parts[1].startswith("/") or parts[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise BadRequest(400, "bad request line")
    if len(rest) > MAX_HEADERS:
        raise BadRequest(431, "too many headers")
    headers: dict[str, str] = {}
    for each in rest:
        name, colon, value = each.partition(":")
        name = name.lower()
        if not colon or not name or name != name.strip() or (name == "content-length" and name in headers):
            raise BadRequest(400, "bad header")
        headers[name] = value.strip()
    if "transfer-encoding" in headers:
        raise BadRequest(411, "a Content-Length is needed")
    path, _, query = parts[1].partition("?")
    keep = parts[2] == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    return Request(parts[0], path, query, headers), keep


# One for each status there is: an ordered fault may ask for any.
_HEADS = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
    for status in HTTPStatus
}


def _head(status: int, length: int, keep: bool, headers: dict[str, str] | None) -> bytes:
    extra = "".join(f"{name}: {value}\r\n" for name, value in headers.items()) if headers else ""
    close = "" if keep else "Connection: close\r\n"
    return f"{_HEADS[status]}Content-Length: {length}\r\n{extra}{close}\r\n".encode()


def reset(transport: asyncio.Transport) -> None:
    """Hang up so that the other side sees a TCP reset, not an orderly end."""
    fd = os.dup(transport.get_extra_info("socket").fileno())
    with socket.socket(fileno=fd) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
