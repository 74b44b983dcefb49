"""The embedded worker: Celery over memory:// beside the web, in one process, with no server to install."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType
from typing import Self

from config.assembly import House
from config.queue import BEAT, CORE, URGENT, Publisher, beat_queue
from workers.app import Consumer, forget_stop, stop_all
from workers.publishing import Publishing
from workers.sole import sole_worker
from workers.workshop import Workshop, threads_for

URGENT_THREADS = 4


class _Ear:
    """One consumer on its thread, and whether it hears: the beats of a supervisor, in one process."""

    def __init__(
        self, house: House, workshop: Workshop, name: str, names: Sequence[str], threads: int
    ) -> None:
        settings = house.settings
        self._beats = beat_queue(f"embedded.{name}")
        self._unheard_since: float | None = None
        self._consumer = Consumer(
            settings.queue_url,
            house.ways_out.names(),
            workshop,
            names=(*names, self._beats),
            threads=threads,
            heard=self._heard,
        )
        self.name = name
        self.thread = threading.Thread(target=self._consumer.run, name=f"carillon-{name}", daemon=True)

    def ask(self, publisher: Publisher) -> None:
        """Send a beat."""
        if publisher.send(BEAT, "1", queue=self._beats) and self._unheard_since is None:
            self._unheard_since = time.monotonic()

    def deaf_for(self) -> timedelta:
        """How long beats have gone unheard."""
        since = self._unheard_since
        return timedelta(0) if since is None else timedelta(seconds=time.monotonic() - since)

    def _heard(self, _beat: str) -> None:
        self._unheard_since = None


class EmbeddedWorker:
    """Two consumers on threads: one for what is urgent alone, for memory:// knows no priorities; one for the rest.

    Use it as a context, or `start()` and `stop()`. A stop is warm: what is in hand is finished.
    """

    def __init__(self, house: House) -> None:
        settings = house.settings
        self._house = house
        self._held = contextlib.ExitStack()
        self._workshop = Workshop(
            house.ports,
            name="embedded",
            budget=settings.worker.budget,
            stalled_after=settings.worker.stalled_after,
        )
        self._publishing = Publishing(house)
        self._publisher = Publisher(settings.queue_url, ())  # of beats
        rest = settings.worker.threads or threads_for(len(settings.accounts))
        self._ears = [
            _Ear(house, self._workshop, "urgent hints", (URGENT,), URGENT_THREADS),
            _Ear(house, self._workshop, "hints", (CORE, *house.ways_out.names()), rest),
        ]

    def start(self) -> None:
        """Begin to work. Raises SetupError when another process works on this SQLite ledger."""
        self._held.enter_context(sole_worker(self._house.settings.database_url))
        forget_stop()
        self._house.hints.fall_back(self._workshop.by_hand)
        self._workshop.start(alone=self._house.settings.sqlite)
        self._publishing.start()
        for ear in self._ears:
            ear.thread.start()

    def trouble(self) -> str:
        """What is wrong here and will not mend by itself, in words for a log; "" while all goes on. Ask it often."""
        for ear in self._ears:
            if not ear.thread.is_alive():
                return f"the thread that hears {ear.name} has ended"
            ear.ask(self._publisher)
            if ear.deaf_for() > self._house.settings.worker.deaf_after:
                return f"the thread that hears {ear.name} hears none"
        return self._workshop.stalled()

    def stop(self) -> None:
        """Finish what is in hand and end; safe to call twice."""
        self._workshop.wind_down()
        stop_all()
        for ear in self._ears:
            if ear.thread.is_alive():
                ear.thread.join()
        self._workshop.stop()
        self._publishing.stop()
        self._publisher.close()
        self._held.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()
