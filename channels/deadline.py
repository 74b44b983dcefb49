"""Reading by a deadline: a socket's own timeout begins anew with every byte, and who drips never runs into it."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def left(until: float) -> float:
    """Seconds until a moment on the monotonic clock. Raises TimeoutError when it has passed."""
    seconds = until - monotonic()
    if seconds <= 0:
        raise TimeoutError("the time limit is over")
    return seconds


def reader(sock: socket.socket, until: Callable[[], float]) -> io.BufferedReader:
    """What `sock.makefile("rb")` gives, but each read ends at `until()`, a moment on the monotonic clock.

    A read that does not end in time raises TimeoutError. Like any file of a socket's, it keeps a socket that is closed
    alive until it is closed itself.
    """
    return io.BufferedReader(_Raw(sock, until))


class _Raw(io.RawIOBase):
    def __init__(self, sock: socket.socket, until: Callable[[], float]) -> None:
        self._sock = sock
        self._file = sock.makefile("rb", buffering=0)
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._sock.settimeout(left(self._until()))
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()
