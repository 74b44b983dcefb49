"""A consumer hears again after its Redis was killed under load: this decides which Celery set is pinned."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from broker.values import DeliverHint, Lane
from config.queue import Publisher
from tests.support.redis import RedisServer
from tests.support.tower import within

ROOT = Path(__file__).parents[2]
LOAD_EVERY = timedelta(milliseconds=3)

pytestmark = pytest.mark.timeout(120)


class Hearing:
    """The real consumer in a process of its own, and the diary of what it heard."""

    def __init__(self, redis_server: RedisServer, folder: Path) -> None:
        self._diary = folder / "diary"
        self._diary.touch()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.hearing", redis_server.url, str(self._diary)],
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )

    def lines(self) -> list[str]:
        return self._diary.read_text().splitlines()

    def hears(self, more: int, seconds: float) -> bool:
        """Whether so many more hints are heard in this time."""
        before = len(self.lines())
        return within(
            seconds, lambda: self.process.poll() is not None or len(self.lines()) > before + more
        ) and (self.process.poll() is None)

    def end(self) -> None:
        self.process.kill()
        self.process.wait(timeout=5)


@pytest.fixture
def hearing(redis_server: RedisServer, tmp_path: Path) -> Iterator[Hearing]:
    started = Hearing(redis_server, tmp_path)
    yield started
    started.end()


@pytest.fixture
def load(redis_server: RedisServer) -> Iterator[None]:
    """More hints than the threads can do at once, for as long as the test runs."""
    ending = threading.Event()
    publisher = Publisher(redis_server.url, ["bell"])

    def publish() -> None:
        number = 0
        while not ending.wait(LOAD_EVERY.total_seconds()):
            number += 1
            publisher.publish(DeliverHint(f"a{number}", "bell", Lane.URGENT if number % 2 else Lane.ROUTINE))

    thread = threading.Thread(target=publish, daemon=True)
    thread.start()
    yield
    ending.set()
    thread.join()
    publisher.close()


def kill_and_hear_again(redis_server: RedisServer, hearing: Hearing, away: float) -> None:
    redis_server.kill()
    time.sleep(away)
    redis_server.restart()
    assert hearing.hears(300, 30), f"deaf or gone after Redis was away for {away} s"


@pytest.mark.usefixtures("load")
def test_hints_are_heard_again_after_redis_was_killed_under_load(
    redis_server: RedisServer, hearing: Hearing
) -> None:
    assert hearing.hears(300, 30)
    for away in (0.2, 1.5):
        kill_and_hear_again(redis_server, hearing, away)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("load")
def test_hints_are_heard_again_after_many_kills(redis_server: RedisServer, hearing: Hearing) -> None:
    assert hearing.hears(300, 30)
    for away in (0.0, 0.1, 0.3, 0.5, 1, 2, 3, 5, 8, 12) * 3:
        kill_and_hear_again(redis_server, hearing, away)


@pytest.mark.slow
@pytest.mark.usefixtures("load")
def test_hints_are_heard_again_after_redis_hung(redis_server: RedisServer, hearing: Hearing) -> None:
    assert hearing.hears(300, 30)
    redis_server.pause()
    time.sleep(12)  # longer than the socket's timeout
    redis_server.resume()
    assert hearing.hears(300, 30)


@pytest.mark.usefixtures("load")
def test_a_stop_under_load_is_seen_at_once(hearing: Hearing) -> None:
    assert hearing.hears(100, 30)
    start = time.monotonic()
    hearing.process.terminate()
    assert hearing.process.wait(timeout=10) == 0
    assert time.monotonic() - start < 5
    assert hearing.lines()[-1] == "ended"
