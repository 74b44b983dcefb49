"""The supervisor: `carillon worker`. It starts worker processes and replaces one that died or went deaf.

After a Redis loss a Celery worker may live on and hear nothing. A ping over Celery's own control would not tell, so the
supervisor sends each child a beat through the queue: while Redis takes beats and none is heard, the child is deaf.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from types import FrameType

import redis

from broker.errors import Problem, SetupError
from config.assembly import secret_of
from config.queue import BEAT, Publisher, beat_queue, connect, forget, is_redis
from config.queue import queues as all_queues
from config.registry import Registry
from config.settings import Settings
from config.signer import HmacSigner
from ledger.connect import open_ledger
from workers.child import WRONG_SETUP
from workers.hearing import Hearing
from workers.left_behind import LeftBehind

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(milliseconds=200)
GRACE = timedelta(seconds=50)  # for a warm stop; container runtimes are told to allow a minute
HEALTHY = timedelta(seconds=30)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=0.5), timedelta(seconds=30)


class Child:
    """One worker process and what is known of its hearing."""

    def __init__(self, name: str, queues: Sequence[str]) -> None:
        self.name = name
        self.started = time.monotonic()
        self.hearing = Hearing()
        self.terminated: float | None = None
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
            [sys.executable, "-m", "workers.child", name, *queues],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the supervisor, which then stops its children warmly
        )
        threading.Thread(target=self._listen, name=f"carillon-{name}", daemon=True).start()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def ended(self) -> int | None:
        """Its exit code, None while it lives."""
        return self._process.poll()

    def terminate(self) -> None:
        """Ask for a warm stop, once."""
        if self.terminated is None and self.ended() is None:
            self.terminated = time.monotonic()
            self._process.terminate()

    def kill_if_late(self, grace: timedelta) -> None:
        """Kill it when its warm stop takes longer than this."""
        if self.terminated is not None and time.monotonic() - self.terminated > grace.total_seconds():
            self._process.kill()

    def close(self) -> None:
        """Let go of its leash."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for above
        with self._process.stdout as told:
            for line in told:
                if line.startswith(b"up"):
                    self.hearing.came_up()
                elif line.startswith(b"heard "):
                    self.hearing.heard()


class Supervisor:
    """Keeps `processes` workers of these queues alive until told to stop."""

    def __init__(
        self, settings: Settings, queues: Sequence[str], *, processes: int = 1, grace: timedelta = GRACE
    ) -> None:
        self._settings = settings
        self._queues = queues
        self._processes = processes
        self._grace = grace
        self._stopping = False
        self._wrong_setup = False
        self._one_came_up = False
        # By its number alone two containers would have the same worker, hear each other's beats, and bury the living.
        self._name = f"worker-{os.getpid()}-{secrets.token_hex(4)}"
        self._number = 0
        self._beats = 0
        self._wait = FIRST_WAIT
        self._next_start = 0.0
        self._next_beat = 0.0
        self._children: list[Child] = []
        self._publisher = Publisher(settings.queue_url, ())
        self._ledger = open_ledger(settings.database_url, HmacSigner(secret_of(settings)), pool_size=1)
        self._left_behind = LeftBehind(self._ledger)

    def run(self) -> int:
        """Work until `stop` and until every child has ended; the exit code."""
        self._left_behind.start()
        try:
            while not (self._stopping and not self._children):
                self._look()
                time.sleep(LOOK_EVERY.total_seconds())
        finally:
            for child in self._children:
                child.close()
            self._publisher.close()
            self._left_behind.stop()
            with suppress(Exception):  # of one that was killed late just now; else its lease ends by itself
                self._left_behind.give_back()
            self._ledger.close()
        return WRONG_SETUP if self._wrong_setup else os.EX_OK

    def stop(self) -> None:
        """Stop warmly; from a signal handler or another thread."""
        self._stopping = True

    def _look(self) -> None:
        for child in tuple(self._children):
            if child.ended() is not None:
                self._bury(child)
            elif self._stopping:
                child.terminate()
            child.kill_if_late(self._grace)
        if not self._stopping:
            self._beat()
            self._fill_up()

    def _fill_up(self) -> None:
        while len(self._children) < self._processes and time.monotonic() >= self._next_start:
            self._number += 1
            self._children.append(Child(f"{self._name}-{self._number}", self._queues))

    def _bury(self, child: Child) -> None:
        self._children.remove(child)
        child.close()
        self._forget(child)
        self._left_behind.died(child.name)
        self._one_came_up = self._one_came_up or child.hearing.up
        code = child.ended()
        if self._stopping:
            return
        # What was right once is not wrong by its set-up: a database that is away comes back.
        if code == WRONG_SETUP and not self._one_came_up:
            self._wrong_setup = self._stopping = True
            return
        lived = time.monotonic() - child.started
        self._wait = FIRST_WAIT if lived > HEALTHY.total_seconds() else min(self._wait * 2, LONGEST_WAIT)
        self._next_start = time.monotonic() + self._wait.total_seconds()
        log.warning(
            "%s ended with code %s; another one starts in %.1f s",
            child.name,
            code,
            self._wait.total_seconds(),
        )

    def _beat(self) -> None:
        every = min(self._settings.worker.deaf_after / 6, timedelta(seconds=10))
        if time.monotonic() < self._next_beat:
            return
        self._next_beat = time.monotonic() + every.total_seconds()
        self._beats += 1
        for child in self._children:
            child.hearing.asked(
                sent=self._publisher.send(BEAT, str(self._beats), queue=beat_queue(child.name))
            )
            if child.terminated is None and child.hearing.is_deaf(self._settings.worker.deaf_after):
                log.warning("%s hears no hints though the queue takes them; it is replaced", child.name)
                child.terminate()

    def _forget(self, child: Child) -> None:
        if not is_redis(self._settings.queue_url):
            return  # RabbitMQ drops an unheard queue by itself
        try:
            with connect(self._settings.queue_url) as client:
                forget(client, beat_queue(child.name))
        except redis.RedisError:
            pass  # a few bytes in a Redis that is away


def main(settings: Settings, *, queues: Sequence[str] = (), processes: int = 1) -> int:
    """Run workers in the foreground until SIGTERM or SIGINT; the exit code. Raises SetupError for what cannot work.

    `queues` are all of them when none is named: "urgent", "core", and one for every channel.
    """
    known = all_queues(Registry().names())
    _check(settings, queues, known, processes)
    supervisor = Supervisor(settings, tuple(queues) or known, processes=processes)
    with _signals(supervisor):
        return supervisor.run()


def _check(settings: Settings, queues: Sequence[str], known: Sequence[str], processes: int) -> None:
    problems = []
    if settings.embedded:
        hint = "start `carillon up`, which works by itself, or set it to redis://localhost:6379/0"
        problems.append(
            Problem("no_queue", "CARILLON_QUEUE_URL", "memory:// cannot be heard from another process", hint)
        )
    if settings.sqlite and processes > 1:
        hint = "start one, or move to PostgreSQL"
        problems.append(
            Problem("one_worker", "CARILLON_DATABASE_URL", "SQLite allows one worker process", hint)
        )
    if unknown := sorted(set(queues) - set(known)):
        hint = f"there are: {', '.join(known)}"
        problems.append(
            Problem("unknown_queue", "queues", f"there is no queue named {', '.join(unknown)}", hint)
        )
    if problems:
        raise SetupError(problems)


@contextmanager
def _signals(supervisor: Supervisor) -> Iterator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        supervisor.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
