"""Carillon's worker process: the real assembly and workshop, with brake, sweep and write-back."""

from __future__ import annotations

import gc
import threading
import time
from typing import Any

from sqlalchemy import Engine, event

from broker.values import Lane
from config.assembly import assemble
from config.settings import Settings
from workers.workshop import Workshop

STANDING = frozenset(f"carillon-{chore}" for chore in ("brake", "sweep", "look-ups", "retractions"))
BRAKE_READ = 0.3  # seconds in which the brake has surely been read once


class Peer:
    """One worker process. It starts and stops its workshop around each round, so that it costs others nothing."""

    def __init__(self, **settings: Any) -> None:
        self._house = assemble(Settings.of(**settings), serves=True)
        self._statements = 0
        self._standing = 0
        event.listen(Engine, "before_cursor_execute", self._count)

    def play(self, *, account: str) -> dict[str, Any]:
        """Deliver everything that is due on one account: from before the first claim to after the last write-back.

        CPU is counted on, until what was written is also sealed and folded: the clock's end must not hide that.
        """
        workshop = Workshop(self._house.ports, name="bench", budget=self._house.settings.worker.budget)
        workshop.start(alone=False)
        time.sleep(BRAKE_READ)
        self._statements = self._standing = 0
        cpu, began = time.process_time(), time.monotonic()
        workshop.deliver(account, Lane.ROUTINE)
        told = {
            "seconds": time.monotonic() - began,
            "statements": self._statements,
            "standing": self._standing,
        }
        workshop.sweep()
        told["cpu"] = time.process_time() - cpu
        workshop.stop()
        # With the round its loop is over, and its connections, which only a collection lets go of: the workshop's start
        # froze what there was. A worker has one loop for life.
        gc.unfreeze()
        gc.collect()
        return told

    def _count(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        """What goes by the second however much is sent (brake, sweep, health of gateways) is told apart."""
        if threading.current_thread().name in STANDING or "FROM gateway" in statement:
            self._standing += 1
        else:
            self._statements += 1
