"""What is done by night, and what providers are still to forget: on threads of their own, beside the sending."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from broker.actor import Actor, ActorKind
from broker.privacy import keeping, redact
from config.assembly import House
from config.epochs import prune_record
from workers.every import Every

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(minutes=1)
FORGET_EVERY = timedelta(seconds=5)


class Nights:
    """Takes away what has had its time, once a night; `start()` and `stop()` it with the worker."""

    def __init__(self, house: House, *, name: str) -> None:
        self._house = house
        self._actor = Actor(ActorKind.SYSTEM, name)
        self._stopping = threading.Event()
        self._every = [
            Every("the night", LOOK_EVERY, self.keep),
            Every("redactions", FORGET_EVERY, self._forget),
        ]

    def start(self) -> None:
        """Begin, with a first look at once."""
        for each in self._every:
            each.start()

    def stop(self) -> None:
        """End after the chunk in hand; safe to call twice."""
        self._stopping.set()
        for each in self._every:
            each.stop()

    def keep(self) -> None:
        """What is left of this night's work, if it is night."""
        went = keeping.tonight(
            self._house.ports, actor=self._actor, stopping=self._stopping.is_set, last=self._prune_record
        )
        if went:
            log.info("kept no longer: %s", ", ".join(f"{n} {what}" for what, n in went.items()))

    def _prune_record(self) -> int:
        return prune_record(self._house, actor=self._actor).entries

    def _forget(self) -> None:
        if not self._stopping.is_set():
            redact.forget_due(self._house.ports, actor=self._actor)
