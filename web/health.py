"""Whether this process is well enough to be given requests."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from broker.ports import Ports

router = APIRouter()


@router.get("/healthz")
async def healthz(request: Request) -> Response:
    """200 when the ledger answers, 503 when it does not."""
    try:
        await run_in_threadpool(_ask, request.app.state.ports)
    except Exception:  # noqa: BLE001 - why it does not answer is the doctor's to find out
        return JSONResponse({"ok": False}, status_code=503)
    return JSONResponse({"ok": True})


def _ask(ports: Ports) -> None:
    with ports.ledger.look() as tx:
        _ = tx.now
