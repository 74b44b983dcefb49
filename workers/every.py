"""A thread that does one thing again and again: the brake's refresh, and the sweep. Time needs no Celery, no Redis."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta

from config.logs import told
from workers.turns import Turns

log = logging.getLogger(__name__)


class Every:
    """Calls `work` every `interval`, measured from start to start; an error is logged once and does not end it."""

    def __init__(
        self, name: str, interval: timedelta, work: Callable[[], object], *, turns: Turns | None = None
    ) -> None:
        self._name = name
        self._turns = turns
        self._interval = interval.total_seconds()
        self._work = work
        self._ending = threading.Event()
        self._failing = ""
        self._thread = threading.Thread(target=self._run, name=f"carillon-{name}", daemon=True)

    def start(self) -> None:
        """Begin, with a first call at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the call in hand; safe to call twice, and before `start`."""
        self._ending.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while not self._ending.is_set():
            start = time.monotonic()
            self._once()
            self._ending.wait(max(0.0, self._interval - (time.monotonic() - start)))

    def _once(self) -> None:
        try:
            with self._turns.of(self._name) if self._turns else nullcontext():
                self._work()
        except Exception as error:  # noqa: BLE001 - a database that is away comes back; the thread must be there then
            kind = type(error).__name__
            if kind != self._failing:
                log.error("%s failed and is tried again: %s", self._name, told(error))
            self._failing = kind
        else:
            if self._failing:
                log.warning("%s works again", self._name)
            self._failing = ""
