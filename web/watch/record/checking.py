"""One check of the record at a time, on a thread of its own: asked for by anybody who may read it, seen by all of them.

It reads all there is, which may take minutes. So it neither keeps a request waiting nor runs twice at once, and it ends
by itself after a while.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from broker.scrutiny.heads import Head
from ledger.connect import Ledger
from ledger.scrutiny.audit import Audit, audit

LONGEST = timedelta(minutes=20)  # a record of many years is read in a few
AT_ONCE = timedelta(seconds=2)  # that somebody waits for the answer before they are shown how far it is


class TakesTooLong(Exception):
    """Raised inside a check that has gone on for so long that something must be wrong."""


@dataclass(slots=True)
class Check:
    """One check: who asked for it and when, how far it is, and what came of it."""

    by: str
    began_at: datetime
    given: int  # heads that somebody brought
    entries: int = 0
    announcements: int = 0
    found: Audit | None = None
    failed: str = ""
    took: timedelta = timedelta(0)
    ended: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def runs(self) -> bool:
        """Whether it is not over."""
        return not self.ended.is_set()


class Checks:
    """The check that runs, or the last one that did, in this process."""

    def __init__(self, ledger: Ledger, longest: timedelta = LONGEST) -> None:
        self._ledger, self._longest = ledger, longest
        self._lock = threading.Lock()
        self._last: Check | None = None

    @property
    def last(self) -> Check | None:
        """The one that runs, or the last one; None while nobody has asked for any."""
        return self._last

    def begin(self, by: str, now: datetime, heads: Sequence[Head] = ()) -> Check:
        """Begin one, or join the one that runs."""
        with self._lock:
            if self._last is not None and self._last.runs:
                return self._last
            check = self._last = Check(by, now, len(heads))
            threading.Thread(target=self._run, args=(check, heads), name="record-check", daemon=True).start()
        return check

    def _run(self, check: Check, heads: Sequence[Head]) -> None:
        began = time.monotonic()

        def heard(entries: int, announcements: int) -> None:
            check.entries, check.announcements = entries, announcements
            if time.monotonic() - began > self._longest.total_seconds():
                raise TakesTooLong

        try:
            check.found = audit(self._ledger, heads, heard=heard)
        except TakesTooLong:
            check.failed = "it went on for too long, and was ended"
        except Exception as fault:  # noqa: BLE001 - whatever it is, whoever asked is told that there is no answer
            check.failed = f"it could not be done: {type(fault).__name__}"
        finally:
            check.took = timedelta(seconds=time.monotonic() - began)
            check.ended.set()
