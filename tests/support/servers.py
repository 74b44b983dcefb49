"""What a real server on loopback has in common: a port, a folder, a leash, and ways to hurt it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from datetime import timedelta
from pathlib import Path
from typing import Self

LEASH = Path(__file__).with_name("leash.py")
START_LIMIT = timedelta(seconds=90)  # of a RabbitMQ on a machine that does much else


class CannotBeHadError(Exception):
    """Raised when a server the tests need is not on this machine and cannot be brought."""


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server(ABC):
    """One real server, alone on a free loopback port, in a folder of its own under /tmp."""

    name: str
    quit_at_once = False  # SIGQUIT rather than SIGTERM: for PostgreSQL, "leave without waiting for anybody"
    user: int | None = None
    group: int | None = None

    def __init__(self) -> None:
        # Not $TMPDIR: it may lie where the unprivileged user cannot look.
        self.folder = Path(tempfile.mkdtemp(prefix=f"carillon-test-{self.name}-", dir=self.below()))
        if self.user is not None and self.group is not None:
            os.chown(self.folder, self.user, self.group)
        self.port = free_port()
        self.pid = 0
        self._leash: subprocess.Popen[str] | None = None

    def below(self) -> str:
        """Where its folder is made: on a disk, for what is durable has to be."""
        return "/tmp"

    @property
    @abstractmethod
    def url(self) -> str:
        """Where a client finds it."""

    @abstractmethod
    def command(self) -> list[str]:
        """What starts it in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it serves a client."""

    def start(self) -> Self:
        """Start it and wait until it answers."""
        limit = time.monotonic() + START_LIMIT.total_seconds()
        while True:
            self._launch()
            while self._alive() and time.monotonic() < limit:
                if self.answers():
                    return self
                time.sleep(0.02)
            # A port taken in between, or shared memory a killed PostgreSQL's children still hold: once more.
            if time.monotonic() >= limit:
                break
            time.sleep(0.2)
        tail = self.log.read_text(errors="replace")[-800:]
        self.stop()
        raise CannotBeHadError(
            f"{self.name} did not start within {START_LIMIT.seconds} s; its log ends: {tail}"
        )

    def kill(self) -> None:
        """Kill it with signal 9: no good-bye, no flush."""
        os.kill(self.pid, signal.SIGKILL)
        self._wait()

    def pause(self) -> None:
        """Stop it from answering while its connections stay open."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        os.kill(self.pid, signal.SIGCONT)

    def restart(self) -> None:
        """Start it again on the same port and the same data, after a kill or without one."""
        if self._alive():
            self._end("keep\n")
        self.start()

    def stop(self) -> None:
        """End it and remove its folder; harmless when it has ended."""
        if self._alive():
            self._end("")
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self) -> Path:
        """What the server itself says."""
        return self.folder / "log"

    def _launch(self) -> None:
        if self._leash is not None:
            self._wait()
        order = {
            "command": self.command(),
            "user": self.user,
            "group": self.group,
            "folder": str(self.folder),
            "log": str(self.log),
            "quit": self.quit_at_once,
        }
        self._leash = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LEASH), json.dumps(order)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for pytest, which then ends the servers in order
        )
        assert self._leash.stdout is not None
        self.pid = int(self._leash.stdout.readline())

    def _alive(self) -> bool:
        return self._leash is not None and self._leash.poll() is None

    def _end(self, word: str) -> None:
        assert self._leash is not None
        assert self._leash.stdin is not None
        with contextlib.suppress(OSError):
            self._leash.stdin.write(word)
            self._leash.stdin.close()
        self._wait()

    def _wait(self) -> None:
        assert self._leash is not None
        try:
            self._leash.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._leash.kill()
            self._leash.wait()
        for pipe in (self._leash.stdin, self._leash.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
