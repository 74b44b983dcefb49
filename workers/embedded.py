"""The embedded worker: Celery over memory:// beside the web, in one process, with no server to install."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Self

from config.assembly import House
from config.queue import BEAT, CORE, URGENT, Publisher, beat_queue
from workers.app import Consumer, forget_stop, stop_all
from workers.hearing import Hearing
from workers.mailroom import LookingAfter
from workers.nights import Nights
from workers.publishing import Publishing
from workers.sole import sole_worker
from workers.workshop import Workshop, threads_for

URGENT_THREADS = 4
# What another process says, a command line's, comes with no hint: an urgent announcement waits for this look.
LOOKS_EVERY = timedelta(milliseconds=200)


@dataclass
class _Ear:
    """One consumer on its thread, and what is known of its hearing: the beats of a supervisor, in one process."""

    name: str
    beats: str  # its own queue
    thread: threading.Thread
    hearing: Hearing = field(default_factory=Hearing)


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
            looks_every=LOOKS_EVERY,
        )
        self._publishing = Publishing(house)
        self._looking_after = LookingAfter(house, name="embedded")
        self._nights = Nights(house, name="embedded")
        self._publisher = Publisher(settings.queue_url, ())  # of beats
        rest = settings.worker.threads or threads_for(len(settings.accounts))
        self._ears = [
            self._ear("urgent hints", (URGENT,), URGENT_THREADS),
            self._ear("hints", (CORE, *house.ways_out.names()), rest),
        ]

    def start(self) -> None:
        """Begin to work. Raises SetupError when another process works on this SQLite ledger."""
        self._held.enter_context(sole_worker(self._house.settings.database_url))
        forget_stop()
        self._house.hints.fall_back(self._workshop.by_hand)
        self._workshop.start(alone=self._house.settings.sqlite)
        self._publishing.start()
        self._looking_after.start()
        self._nights.start()
        for ear in self._ears:
            ear.thread.start()

    @property
    def hears_all(self) -> bool:
        """Whether every consumer has come up and heard a beat."""
        return all(ear.hearing.up for ear in self._ears)

    def trouble(self) -> str:
        """What is wrong here and will not mend by itself, in words for a log; "" while all goes on. Ask it often."""
        for number, ear in enumerate(self._ears):
            if not ear.thread.is_alive():
                return f"the thread that hears {ear.name} has ended"
            ear.hearing.asked(sent=self._publisher.send(BEAT, str(number), queue=ear.beats))
            if ear.hearing.is_deaf(self._house.settings.worker.deaf_after):
                return f"the thread that hears {ear.name} hears none"
        return self._workshop.stalled()

    def _ear(self, name: str, names: Sequence[str], threads: int) -> _Ear:
        beats = beat_queue(f"embedded.{name}")
        consumer = Consumer(
            self._house.settings.queue_url,
            self._house.ways_out.names(),
            self._workshop,
            names=(*names, beats),
            threads=threads,
            heard=self._heard,
        )
        return _Ear(name, beats, threading.Thread(target=consumer.run, name=f"carillon-{name}", daemon=True))

    def _heard(self, beat: str) -> None:
        # Which ear it was for stands in the beat: Celery runs every consumer's tasks as those of the last one made.
        hearing = self._ears[int(beat)].hearing
        if hearing.up:
            hearing.heard()
        else:
            hearing.came_up()

    def stop(self) -> None:
        """Finish what is in hand and end; safe to call twice."""
        self._workshop.wind_down()
        stop_all()
        for ear in self._ears:
            if ear.thread.is_alive():
                ear.thread.join()
        self._workshop.stop()
        self._publishing.stop()
        self._looking_after.stop()
        self._nights.stop()
        self._publisher.close()
        self._held.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()
