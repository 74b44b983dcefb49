"""How far a roster has been read, for whoever waits for it."""

from __future__ import annotations

import gc
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, Protocol, cast

from sources.rosters.limits import Limits

Tell = Callable[[float], None]  # how much of it all has been read, from 0 to 1


class Files(Protocol):
    """Named files that can be opened; names are lower case."""

    @property
    def limits(self) -> Limits:
        """How much of them is read."""

    def __contains__(self, name: str) -> bool: ...

    def open(self, name: str) -> IO[bytes]:
        """One of them."""

    def called(self, name: str) -> str:
        """What whoever gave it calls it: one CSV is read as people.csv, whatever its name."""


class Sized(Files, Protocol):
    """Files that know how large they are together, in bytes."""

    @property
    def size(self) -> int:
        """All of them."""


@contextmanager
def nothing_to_collect() -> Iterator[None]:
    """No garbage is looked for while a roster is read: each search would walk through everybody read so far.

    A tenth of the time of a large school. What is read makes no cycles, so nothing is left behind.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def quiet(share: float) -> None:
    """Tell nobody."""


class ToldFiles:
    """Files that tell how far they have been read."""

    def __init__(self, files: Sized, tell: Tell) -> None:
        self._files = files
        self._tell = tell
        self._read = 0

    @property
    def limits(self) -> Limits:
        """Those of the files."""
        return self._files.limits

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def open(self, name: str) -> IO[bytes]:
        """One file; what is read of it is told."""
        counted: Any = _Counted(self._files.open(name), self._count)
        return cast(IO[bytes], counted)

    def called(self, name: str) -> str:
        """What whoever gave it calls it."""
        return self._files.called(name)

    def _count(self, size: int) -> None:
        self._read += size
        self._tell(min(self._read / max(self._files.size, 1), 1.0))


class _Counted(io.RawIOBase):
    def __init__(self, stream: IO[bytes], count: Callable[[int], None]) -> None:
        super().__init__()
        self._stream = stream
        self._count = count

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._count(len(data))
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()
