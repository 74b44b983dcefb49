"""Keeping the feeds' files, where an account asks for them: beside the sending, on a thread of its own."""

from __future__ import annotations

from datetime import timedelta

from config.assembly import House
from config.feed_files import FeedFiles
from workers.every import Every

KEEP_EVERY = timedelta(seconds=2)


class Publishing:
    """`start()` it with the worker, `stop()` it after. Raises SetupError when a folder cannot be written to."""

    def __init__(self, house: House) -> None:
        files = FeedFiles(house.ledger, house.settings)
        self._every = Every("feed files", KEEP_EVERY, files.keep) if files.wanted else None

    def start(self) -> None:
        """Begin, if there is anything to keep."""
        if self._every is not None:
            self._every.start()

    def stop(self) -> None:
        """End after the writing in hand; safe to call twice."""
        if self._every is not None:
            self._every.stop()
