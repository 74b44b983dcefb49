"""The doctor at the bedside of a process that runs on: one look at a time, on a thread of its own, waited for so long.

A provider that does not answer keeps a look going for as long as its own patience lasts; nobody at a page waits for
that. What was found last stays until a newer look has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from config.doctor import examine
from config.findings import Finding
from config.settings import Settings

PATIENCE = timedelta(seconds=8)  # of whoever pressed the button: a browser's own is longer
GIVEN_UP = timedelta(minutes=5)  # a look that has not ended by then never will, and another may begin


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found last and when; `since`: a newer look is going on, begun then."""

    findings: Sequence[Finding] = ()
    at: datetime | None = None
    since: datetime | None = None


class Bedside:
    """Looks at everything when asked to; threads may share it."""

    def __init__(self, settings: Settings, look: Callable[[Settings], Sequence[Finding]] = examine) -> None:
        self._settings, self._look = settings, look
        self._lock = threading.Lock()
        self._last = Looked()
        self._since: datetime | None = None
        self._ended = threading.Event()

    def last(self) -> Looked:
        """What is known, without looking."""
        with self._lock:
            return Looked(self._last.findings, self._last.at, self._since)

    def look(self, patience: timedelta = PATIENCE) -> Looked:
        """Look now, or wait for the look that is going on; what is known when patience is at its end."""
        now = datetime.now(UTC)
        with self._lock:
            if self._since is None or now - self._since > GIVEN_UP:
                self._since, self._ended = now, threading.Event()
                threading.Thread(
                    target=self._run, args=(now, self._ended), name="doctor", daemon=True
                ).start()
            ended = self._ended
        ended.wait(patience.total_seconds())
        return self.last()

    def _run(self, begun: datetime, ended: threading.Event) -> None:
        findings: Sequence[Finding] = ()
        try:
            findings = self._look(self._settings)
        finally:
            with self._lock:
                if self._since == begun:
                    self._last, self._since = Looked(findings, datetime.now(UTC)), None
            ended.set()
