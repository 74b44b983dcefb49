"""The embedded worker: Celery over memory:// beside the web, in one process, with no server to install."""

from __future__ import annotations

import contextlib
import threading
from types import TracebackType
from typing import Self

from config.assembly import House
from config.queue import CORE, URGENT
from workers.app import Consumer, forget_stop, stop_all
from workers.publishing import Publishing
from workers.sole import sole_worker
from workers.workshop import Workshop, threads_for

URGENT_THREADS = 4


class EmbeddedWorker:
    """Two consumers on threads: one for what is urgent alone, for memory:// knows no priorities; one for the rest.

    Use it as a context, or `start()` and `stop()`. A stop is warm: what is in hand is finished.
    """

    def __init__(self, house: House) -> None:
        settings = house.settings
        channels = house.ways_out.names()
        self._house = house
        self._held = contextlib.ExitStack()
        self._workshop = Workshop(house.ports, name="embedded", budget=settings.worker.budget)
        self._publishing = Publishing(house)
        rest = settings.worker.threads or threads_for(len(settings.accounts))
        self._consumers = [
            Consumer(settings.queue_url, channels, self._workshop, names=names, threads=threads)
            for names, threads in (((URGENT,), URGENT_THREADS), ((CORE, *channels), rest))
        ]
        self._threads = [
            threading.Thread(target=consumer.run, name=f"carillon-consumer-{number}", daemon=True)
            for number, consumer in enumerate(self._consumers)
        ]

    def start(self) -> None:
        """Begin to work. Raises SetupError when another process works on this SQLite ledger."""
        self._held.enter_context(sole_worker(self._house.settings.database_url))
        forget_stop()
        self._house.hints.fall_back(self._workshop.by_hand)
        self._workshop.start(alone=self._house.settings.sqlite)
        self._publishing.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is in hand and end; safe to call twice."""
        self._workshop.wind_down()
        stop_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._workshop.stop()
        self._publishing.stop()
        self._held.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()
