"""A player: one process that plays rounds when told to, and says what each cost. It ends when we do."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

LIMIT = 180.0  # seconds a round may take
_ROOT = Path(__file__).resolve().parent.parent


class Player:
    """The parent's end: `play()` sends one line of JSON and waits for one."""

    def __init__(self, kind: str, *, limit: float = LIMIT, **known: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.stage", kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_ROOT,
        )
        self._kind, self._limit = kind, limit
        self._said = b""
        self.play(**known)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def play(self, **order: Any) -> dict[str, Any]:
        """One round. Raises TimeoutError, with the player ended, when it takes too long."""
        self.begin(**order)
        return self.end()

    def begin(self, **order: Any) -> None:
        """Let a round begin, and do not wait."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()

    def end(self) -> dict[str, Any]:
        """Wait for the round that has begun."""
        assert self._process.stdout is not None
        until = time.monotonic() + self._limit
        descriptor = self._process.stdout.fileno()
        while b"\n" not in self._said:
            if not select.select([descriptor], [], [], max(0.0, until - time.monotonic()))[0]:
                self._process.kill()
                raise TimeoutError(f"{self._kind} took longer than {self._limit:.0f} s")
            piece = os.read(descriptor, 65536)
            if not piece:
                raise RuntimeError(f"{self._kind} ended; its own words are on standard error")
            self._said += piece
        line, _, self._said = self._said.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Send it home."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()
