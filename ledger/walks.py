"""How far claims have come along the index of what is due: where the next one goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta

Place = tuple[datetime, int]  # due_at and id, as the index is ordered

# After so long a walk begins anew: for what came back to be sent before the rest (released, or planned late).
AT_MOST = timedelta(seconds=1)


class Walks:
    """One a process, for each account and lane.

    What was claimed stands in PostgreSQL's index until the next vacuum, and a claim that began at its beginning each
    time went over all of it: 60 pages more for every 10,000 deliveries, in the millionth as much as all its other work.
    """

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._places: dict[Hashable, tuple[Place, float]] = {}

    def place(self, of: Hashable) -> Place | None:
        """Where to go on; None is the beginning."""
        place, since = self._places.get(of, (None, 0.0))
        return place if self._ticks() - since < AT_MOST.total_seconds() else None

    def came_to(self, of: Hashable, place: Place | None, *, afresh: bool) -> None:
        """A claim took all up to here, `afresh` from the beginning on; None where it found too little to go on."""
        if place is None:
            self._places.pop(of, None)
            return
        since = self._ticks() if afresh else self._places.get(of, (place, self._ticks()))[1]
        self._places[of] = (place, since)
