"""The truth log: one JSON line per message a stand-in truly accepted, written before the answer leaves.

Lines are gathered for one turn of the event loop and written with a single O_APPEND write; only then are the
answers released. So a killed sandbox has never answered "accepted" for a message that is not in the log. (No
fsync: the log outlives the process, not the machine.) Memory holds an index of offsets; the file is the only
copy.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.settings import BadSandbox

Entry = dict[str, Any]
Written = Callable[[bool], None]

_dumps = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


class TruthLog:
    """An append-only file of accepted messages, with look-up by id and by recipient.

    One process at a time.
    """

    def __init__(self, path: Path) -> None:
        self._fd = _open_locked(path)
        self._offsets = array("Q")
        self._times = array("d")
        self._channels: list[str] = []
        self._by_id: dict[str, int] = {}
        self._by_to: dict[str, array[int]] = {}
        self._size = 0
        self._lines: list[bytes] = []
        self._waiting: list[tuple[Entry, int, Written]] = []
        self._reload()

    def __len__(self) -> int:
        return len(self._offsets)

    def append(self, entry: Entry, written: Written) -> None:
        """Note an accepted message; `written(True)` is called once the line is with the operating system.

        `written(False)` means that it could not be written (a full disk), so it must not be called accepted.
        """
        line = _dumps(entry).encode() + b"\n"
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self._lines.append(line)
        self._waiting.append((entry, len(line), written))

    def flush(self) -> None:
        """Write what has gathered, index it, and release the answers."""
        waiting, lines = self._waiting, self._lines
        if not waiting:
            return
        self._waiting, self._lines = [], []
        ok = self._write(b"".join(lines))
        for entry, length, written in waiting:
            if ok:
                self._index(entry, self._size)
                self._size += length
            written(ok)

    def entry(self, number: int) -> Entry:
        """The entry of that number, counted from 0."""
        start = self._offsets[number]
        end = self._offsets[number + 1] if number + 1 < len(self._offsets) else self._size
        found: Entry = json.loads(os.pread(self._fd, end - start, start))
        return found

    def number_of(self, id: str) -> int | None:
        """Where the message with this provider's id stands, or None."""
        return self._by_id.get(id)

    def newest_first(self, channel: str, to: str | None, before: int | None) -> Iterator[int]:
        """Numbers of a channel's entries, newest first; `before` leaves out that entry and all later ones."""
        stop = len(self) if before is None else before
        numbers: range | array[int] = range(len(self)) if to is None else self._by_to.get(to, array("Q"))
        for number in reversed(numbers[: bisect_left(numbers, stop)]):
            if self._channels[number] == channel:
                yield number

    def time_of(self, number: int) -> float:
        """When the entry was accepted, in seconds since 1970."""
        return self._times[number]

    def close(self) -> None:
        """Write what is left and give the file back."""
        self.flush()
        os.close(self._fd)

    def _write(self, data: bytes) -> bool:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            # Half a line would spoil the next one.
            os.ftruncate(self._fd, self._size)
            return False
        return True

    def _reload(self) -> None:
        with open(os.dup(self._fd), "rb") as file:
            file.seek(0)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                try:
                    self._index(json.loads(line), self._size)
                except (ValueError, KeyError, TypeError) as fault:
                    raise BadSandbox(
                        "truth", f"line {len(self) + 1} is not an entry of a truth log"
                    ) from fault
                self._size += len(line)
        # A line cut off by a kill was never answered, so it was never accepted.
        os.ftruncate(self._fd, self._size)

    def _index(self, entry: Mapping[str, Any], offset: int) -> None:
        number = len(self._offsets)
        time = datetime.fromisoformat(entry["at"]).timestamp()
        sid, to, channel = entry["id"], entry["to"], entry["channel"]
        self._offsets.append(offset)
        self._times.append(time)
        self._channels.append(channel)
        self._by_id[sid] = number
        self._by_to.setdefault(to, array("Q")).append(number)


def read_truth(path: Path, since: int = 0) -> list[Entry]:
    """All entries of a truth log from number `since` on, read from the file itself, whoever is writing it."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    whole = data[: data.rfind(b"\n") + 1]
    return [json.loads(line) for line in whole.splitlines()[since:]]


def _open_locked(path: Path) -> int:
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as fault:
        raise BadSandbox("truth", f"cannot be opened: {os.strerror(fault.errno or errno.EIO)}") from fault
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        os.close(fd)
        raise BadSandbox("truth", "another sandbox is writing this truth log", "give each its own") from fault
    return fd
