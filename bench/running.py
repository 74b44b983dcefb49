"""A real command of Carillon's in a process of its own, told its settings by the environment, as a school's is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil  # type: ignore[import-untyped] # its stubs lag behind it

STOP_WITHIN = 60.0
_ROOT = Path(__file__).resolve().parent.parent


class Running:
    """`carillon …`, from here to the end of the block; it is stopped warmly."""

    def __init__(self, settings: Mapping[str, Any], *command: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", "import sys; from cli.app import main; sys.exit(main())", *command],
            cwd=_ROOT,
            env=_without_ours() | dict(_environ("CARILLON", settings)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def processes(self) -> list[psutil.Process]:
        """Itself and those it started."""
        own = psutil.Process(self._process.pid)
        return [own, *own.children(recursive=True)]

    def close(self) -> None:
        """SIGTERM, patience, and then SIGKILL to all that is left of it."""
        left = self.processes() if self._process.poll() is None else []
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            for process in left:
                if process.is_running():
                    process.send_signal(signal.SIGKILL)
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


def _without_ours() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CARILLON_")}


def _environ(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        key = f"{prefix}_{name.upper()}" if prefix == "CARILLON" else f"{prefix}__{name.upper()}"
        if isinstance(value, Mapping):
            yield from _environ(key, value)
        else:
            yield key, str(value)
