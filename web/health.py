"""Whether this process can be given requests, and whether the house's work goes on.

`/healthz` asks the ledger for its time: whoever gives out requests asks this. `/readyz` looks at what waits in the
ledger: a process that answers while nothing is planned, sent or sealed any more is what it finds, and it is for
whoever rings somebody up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from broker.ports import Ports
from ledger.connect import Ledger
from ledger.reads.progress import Progress, progress

router = APIRouter()

# Long for a sweep that comes every second, and for a slow provider's turn.
STANDS_AFTER = timedelta(minutes=2)
LOOK_EVERY = timedelta(seconds=1)  # strangers may ask as often as they like


class Readiness:
    """What of the house's work stands still, looked at once a second at most; for any number of threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._looking = threading.Lock()
        self._seen: tuple[float, Sequence[str]] | None = None

    def stands(self) -> Sequence[str]:
        """The kinds of work that stand still, none when all goes on. Blocks. Raises when the ledger is away."""
        with self._looking:
            if self._seen is None or time.monotonic() - self._seen[0] > LOOK_EVERY.total_seconds():
                self._seen = None
                with self._ledger.reading() as hand:
                    found = standing_still(progress(hand))
                self._seen = time.monotonic(), found
            return self._seen[1]


def standing_still(seen: Progress) -> Sequence[str]:
    """What waits although nothing holds it: "planning", "sending", "confirming", "sealing"."""

    def old(since: datetime | None) -> bool:
        return since is not None and seen.at - since > STANDS_AFTER

    # A long queue is no standstill while anybody takes from it.
    sends = seen.in_hand or (seen.began is not None and not old(seen.began))
    found = {
        "planning": old(seen.to_plan),
        "sending": old(seen.to_send) and not sends,
        "confirming": old(seen.to_confirm),
        "sealing": old(seen.to_seal),
    }
    return [kind for kind, stands in found.items() if stands]


@router.get("/healthz")
async def healthz(request: Request) -> Response:
    """200 when the ledger answers, 503 when it does not."""
    try:
        await run_in_threadpool(_ask, request.app.state.ports)
    except Exception:  # noqa: BLE001 - why it does not answer is the doctor's to find out
        return JSONResponse({"ok": False}, status_code=503)
    return JSONResponse({"ok": True})


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """200 when the ledger's work goes on, 503 with what stands still."""
    readiness: Readiness = request.app.state.readiness
    try:
        stands = await run_in_threadpool(readiness.stands)
    except Exception:  # noqa: BLE001 - as above
        stands = ["ledger"]
    return JSONResponse({"ready": not stands, "stands": list(stands)}, status_code=503 if stands else 200)


def _ask(ports: Ports) -> None:
    with ports.ledger.look() as tx:
        _ = tx.now
