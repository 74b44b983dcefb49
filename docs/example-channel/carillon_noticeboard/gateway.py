"""The one place that touches the screen's file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from carillon import AccountRejected, Uncertain, Unreachable


class Board:
    """A file that grows by one line at a time."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def append(self, line: Mapping[str, object]) -> None:
        """Write one line. Raises Unreachable, AccountRejected, or Uncertain when part of it may stand there."""
        # It begins a line of its own: where a full disk broke the last one off, only that one is lost.
        told = b"\n" + json.dumps(line).encode() + b"\n"
        board = self._open()
        try:
            # One write, so that the lines of several workers never mix.
            written = os.write(board, told)
        except OSError as fault:
            raise _uncertain(fault.errno) from None
        finally:
            os.close(board)
        if written < len(told):
            raise _uncertain(None)

    def _open(self) -> int:
        # Never waiting: a pipe that nobody reads would hold the worker for ever.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            return os.open(self._file, flags, 0o644)
        except (PermissionError, IsADirectoryError) as fault:
            why = "the screen's file may not be written: see to its rights"
            raise AccountRejected(why, code=str(fault.errno)) from None
        except OSError as fault:
            why = "the screen's file cannot be opened: is its disk there?"
            raise Unreachable(why, code=str(fault.errno)) from None


def _uncertain(errno: int | None) -> Uncertain:
    return Uncertain("the screen's file broke off while it was written", code=str(errno or ""))
