"""Where providers tell what became of a message: bounded, signature first, appended to the inbox, 204."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from broker.channel import ConfirmsDelivery, SignatureInvalid
from broker.errors import SetupError
from broker.ports import Ports
from config.logs import told
from config.settings import Settings
from web.bounded import body_of

log = logging.getLogger(__name__)
router = APIRouter()

MOST_BODY = 64 * 1024
MOST_HEADER = 1024
MOST_QUERY = 4096
# What verifying may need later; nothing else of what a stranger sends is kept.
KEPT = frozenset({"content-type"})
SIGNATURE = "signature"  # X-Twilio-Signature and its like


@router.post("/callbacks/{account}/{token}", status_code=204)
async def callback(account: str, token: str, request: Request) -> Response:
    """One provider's news about one attempt."""
    body = await body_of(request, MOST_BODY)
    headers = _kept(request)
    await run_in_threadpool(_take, request.app.state.ports, account, _url(request), body, headers)
    return Response(status_code=204)


def _take(ports: Ports, account: str, url: str, body: bytes, headers: Mapping[str, str]) -> None:
    try:
        channel = ports.channels.open(account)
    except SetupError:
        raise HTTPException(404) from None
    if not isinstance(channel, ConfirmsDelivery):
        raise HTTPException(404)
    try:
        channel.confirmations(url, body, headers)
    except SignatureInvalid:
        raise HTTPException(403) from None
    except Exception as error:  # noqa: BLE001 - it may have broken before the signature was found to hold
        log.error("a callback of %s could not be read: %s", account, told(error))
        raise HTTPException(400) from None
    with ports.ledger.begin() as tx:
        row = tx.accounts.named(account)
        if row is None:
            raise HTTPException(404)
        tx.receipts.append(row.id, url, headers, body)


def _kept(request: Request) -> dict[str, str]:
    return {
        name: value
        for name, value in request.headers.items()
        if (name in KEPT or name.endswith(SIGNATURE)) and len(value) <= MOST_HEADER
    }


def _url(request: Request) -> str:
    """The address that the provider called: from our own settings, for Host is the caller's to choose."""
    settings: Settings = request.app.state.settings
    raw: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    if len(query) > MOST_QUERY:
        raise HTTPException(404)
    base = settings.public_url or ""
    return base + raw.decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")
