"""The processes of the schools: kept alive by us as an init system would, and killed by us as nothing else does."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from tests.support.installed import COMMAND

PR_SET_PDEATHSIG = 1
WARM = timedelta(seconds=40)
_LIBC = ctypes.CDLL(None)


def _die_with_the_nemesis() -> None:
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass
class Kept:
    """One long-running command: started again some seconds after it died."""

    name: str
    words: Sequence[str]
    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    back_after: timedelta = timedelta(seconds=1)
    supervises: bool = False
    _process: subprocess.Popen[bytes] | None = None
    _back_at: float = 0.0
    _seen: set[int] = field(default_factory=set)  # every child there ever was, so that none is left behind

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it. From the main thread: the kernel ends it when the thread that started it ends."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(COMMAND), *self.words],
                env=dict(self.environ),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_the_nemesis,  # noqa: PLW1509  one call of libc, which takes no lock
            )

    def tend(self) -> None:
        """Start it again when it is dead and its time has come; look whom it has started."""
        if self.alive:
            self._seen.update(self.children())
            return
        if not self._back_at:
            self._back_at = time.monotonic() + self.back_after.total_seconds()
        if time.monotonic() >= self._back_at:
            self._back_at = 0.0
            self.start()

    @property
    def pid(self) -> int:
        """Of the command itself; 0 while it is dead."""
        return self._process.pid if self._process is not None and self.alive else 0

    def kill(self) -> bool:
        """SIGKILL; whether it hit a live process."""
        if not self.alive or self._process is None:
            return False
        hit = strike(self._process.pid)
        self._process.wait(timeout=10)
        return hit

    def pause(self) -> None:
        """Hold it still, so that it sees nothing of what comes next."""
        if self._process is not None and self.alive:
            self._process.send_signal(signal.SIGSTOP)

    def children(self) -> list[int]:
        """The live processes it started."""
        if self._process is None:
            return []
        pid = self._process.pid
        try:
            found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            return []
        return [int(child) for child in found if is_live(int(child))]

    def ask_to_stop(self) -> None:
        """Begin a warm stop, so that several stop side by side."""
        self._seen.update(self.children())
        if self._process is not None and self.alive:
            self._process.terminate()

    def stop(self) -> None:
        """A warm stop, then whatever it takes, for it and all it ever started."""
        self.ask_to_stop()
        process = self._process
        if process is not None and process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=WARM.total_seconds())
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=10)
        for child in self._seen:
            if _is_a_worker(child):
                strike(child)


def strike(pid: int) -> bool:
    """SIGKILL to a live process; False when there was none to hit."""
    if not is_live(pid):
        return False
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def threads_of(pid: int) -> int:
    """How many it has: a worker's come one after the other while it starts. 0 for one that is gone."""
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[17])
    return 0


def is_live(pid: int) -> bool:
    """Whether it is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def _is_a_worker(pid: int) -> bool:
    try:
        return b"workers.child" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
