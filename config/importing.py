"""Files that somebody chose on a page: read, compared and taken in, one at a time, while the page shows how far it is.

On a thread of its own: a large school's roster takes longer than a browser waits. What comes of it is in the ledger, so
that any page of any process shows it, and a process that ends in the middle has taken nothing in.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any
from uuid import UUID

from broker.actor import Actor
from broker.errors import NotFound, NotToBeChanged, Problem, RuleBroken
from broker.ports import Ports
from broker.rosters import staging
from broker.rosters.staged import StagedFile, StagedRow, StagedStage
from config.import_kinds import KINDS, ChangedSince, NotMapped, Work
from config.logs import told as fault_told
from ledger.connect import Ledger
from sources.rosters.progress import Tell

log = logging.getLogger(__name__)

A_MOMENT = timedelta(seconds=2)  # so long a page rather waits than shows how far it is
SAID_EVERY = 1.0  # seconds: how far it has come
READING = 0.6  # of the work; the rest is comparing, of which nobody knows how far it is
MOST_FAULTS = 100  # of a file that is refused: whoever mends it begins at its top


class Importing:
    """Reads and takes in what is staged; one for a process, one import at a time."""

    def __init__(self, ports: Ports, ledger: Ledger, region: str) -> None:
        self._ports = ports
        self._ledger = ledger
        self._region = region
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="importing")

    def read(self, public_id: UUID) -> None:
        """Read what is staged and compare it; comes back when it is done, or after a moment."""
        self._for_a_moment(self._pool.submit(self._guarded, public_id, self._read))

    def take(self, public_id: UUID, leaving: int | None, *, actor: Actor) -> None:
        """Take in what was read, as it was seen; comes back when it is done, or after a moment."""

        def work(staged: UUID) -> None:
            self._take(staged, leaving, actor)

        self._for_a_moment(self._pool.submit(self._guarded, public_id, work))

    def close(self) -> None:
        """Let what is in hand come to its end."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _for_a_moment(self, work: Future[None]) -> None:
        wait([work], A_MOMENT.total_seconds())

    def _guarded(self, public_id: UUID, work: Callable[[UUID], None]) -> None:
        """Whatever goes wrong is told on the page: nobody else hears of this thread."""
        try:
            work(public_id)
        except NotFound:
            return  # it was thrown away meanwhile
        except ChangedSince as changed:
            why = changed.problem
            self._guarded(public_id, lambda staged: self._read(staged, why))
        except RuleBroken as refused:
            self._refused(public_id, refused)
        except Exception as fault:  # noqa: BLE001 - whatever it was, the page tells it calmly
            log.error("an import failed: %s", fault_told(fault))
            message = "this could not be done just now, and nothing was changed"
            self._refused(public_id, NotToBeChanged(Problem("failed", "", message, "try again in a minute")))

    def _refused(self, public_id: UUID, refused: RuleBroken) -> None:
        problems: Sequence[Problem] = getattr(refused, "problems", (refused.problem,))
        faults = [problem.as_dict() for problem in problems[:MOST_FAULTS]]
        try:
            row, _ = staging.one(self._ports, public_id)
        except NotFound:
            return
        if row.stage is StagedStage.TAKING:  # what was seen stays to be seen
            staging.told(self._ports, public_id, StagedStage.READ, {**row.told, "refused": faults})
        else:
            staging.told(self._ports, public_id, StagedStage.REFUSED, {"refused": faults})

    def _read(self, public_id: UUID, why: Problem | None = None) -> None:
        row, files = staging.files_of(self._ports, public_id)
        work = self._work(row, files, self._teller(public_id))
        try:
            found = KINDS[row.kind].look(work)
        except NotMapped as unmapped:
            asks = {"refused": [unmapped.why.as_dict()] if unmapped.why else []}
            staging.told(self._ports, public_id, StagedStage.ASKING, asks)
            return
        told: dict[str, Any] = {**found, "seen": _digest(found)}
        if why is not None:
            told["refused"] = [why.as_dict()]
        staging.told(self._ports, public_id, StagedStage.READ, told)

    def _take(self, public_id: UUID, leaving: int | None, actor: Actor) -> None:
        row, files = staging.files_of(self._ports, public_id)
        work = self._work(row, files, self._teller(public_id))
        KINDS[row.kind].take(
            work, leaving=leaving, actor=actor, finished=lambda tx: staging.taken(tx, public_id, actor=actor)
        )

    def _work(self, row: StagedRow, files: Sequence[StagedFile], tell: Tell) -> Work:
        return Work(self._ports, self._ledger, row, files, self._region, tell)

    def _teller(self, public_id: UUID) -> Tell:
        """Says how far it has come, so seldom that it slows nothing."""
        last = time.monotonic()

        def tell(share: float) -> None:
            nonlocal last
            if time.monotonic() - last >= SAID_EVERY:
                last = time.monotonic()
                staging.heard(self._ports, public_id, share * READING)

        return tell


def _digest(found: Mapping[str, Any]) -> str:
    """Which comparison it is, for the form that takes it in."""
    numbers = [found["before"], found["leaving"], found["table"]]
    return hashlib.sha256(json.dumps(numbers).encode()).hexdigest()[:16]
