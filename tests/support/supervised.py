"""A supervisor in a process of its own, over a tower's settings: what it says, whom it has started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.tower import Tower

PROGRAM = (
    "import sys; from config import logs; from config.settings import load; from workers import supervisor\n"
    "logs.set_up(); sys.exit(supervisor.main(load(env_file=None)))"
)


class Workers:
    """A supervisor of its own process, and what it says."""

    def __init__(self, tower: Tower, log: Path) -> None:
        self._log = log
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM], env=tower.environ, stderr=file, cwd=Path(__file__).parents[2]
            )

    def said(self) -> str:
        return self._log.read_text()

    def children(self) -> list[int]:
        found = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(pid) for pid in found]

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(timeout=30)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(timeout=5)


@contextmanager
def workers(tower: Tower, folder: Path) -> Iterator[Workers]:
    running = Workers(tower, folder / "supervisor.log")
    try:
        yield running
    finally:
        running.kill()
