"""A worker process that only hears: the real consumer over a pretend work that writes down each hint it was given.

Run as `python -m tests.support.hearing URL FILE`. Each delivering takes some milliseconds, so that the consumer is busy
when its Redis is killed.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from uuid import UUID

from broker.values import Lane
from config.queue import CORE, URGENT
from workers.app import Consumer, stop_all

CHANNELS = ("bell",)
SLOW = 0.02


class Diary:
    """Writes one line a hint; stands where the workshop stands."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)
        self._lock = threading.Lock()

    def note(self, line: str) -> None:
        with self._lock:
            self._file.write(line + "\n")

    def fan_out(self, announcement: UUID) -> None:
        self.note(f"fan_out {announcement}")

    def deliver(self, account: str, lane: Lane) -> None:
        time.sleep(SLOW)
        self.note(f"deliver {account} {lane.value}")

    def sweep(self) -> None:
        self.note("sweep")


def main() -> None:
    url, path = sys.argv[1], Path(sys.argv[2])
    diary = Diary(path)
    consumer = Consumer(url, CHANNELS, diary, names=(URGENT, CORE, *CHANNELS), threads=8)
    signal.signal(signal.SIGTERM, lambda *_: stop_all())
    diary.note("ready")
    consumer.run()
    diary.note("ended")


if __name__ == "__main__":
    main()
