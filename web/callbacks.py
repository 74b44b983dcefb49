"""Where providers tell what became of a message: bounded, signature first, appended to the inbox, 204."""

from __future__ import annotations

import logging
from hashlib import sha256

from fastapi import HTTPException, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from broker.capabilities import SignatureInvalid
from broker.confirm import calling
from broker.errors import SetupError
from broker.ports import Ports
from config.logs import told
from config.settings import Settings
from web.bounded import body_of
from web.door import AGAIN_AFTER, refusal
from web.inbox import Kept, NotNow

log = logging.getLogger(__name__)

WHERE = "/callbacks/"
MOST_BODY = 64 * 1024
MOST_HEADER = 1024
MOST_QUERY = 4096
# What verifying may need later; nothing else of what a stranger sends is kept.
KEPT = frozenset({"content-type"})
SIGNATURE = "signature"  # X-Twilio-Signature and its like
# A bearer token would open the door to whoever reads the inbox: what is kept proves it, and is none.
BEARER, BEARER_DIGEST = "authorization", "authorization-digest"


class CallbackDoor:
    """ASGI middleware: providers go by here, everybody else goes on.

    Before the framework's own way in, which costs more for each request than its signature: a school's families say
    STOP within the same minute.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one callback, or let the request on."""
        if scope["type"] != "http" or not scope["path"].startswith(WHERE):
            await self._app(scope, receive, send)
            return
        answer: Response
        try:
            if scope["method"] != "POST":
                raise HTTPException(405, headers={"Allow": "POST"})
            answer = await callback(Request(scope, receive))
        except HTTPException as error:
            answer = refusal(error)
        await answer(scope, receive, send)


async def callback(request: Request) -> Response:
    """One provider's news about one attempt, or a text that somebody sent to one account."""
    account, _, token = request.scope["path"].removeprefix(WHERE).partition("/")
    if not token or "/" in token:
        raise HTTPException(404)
    body = await body_of(request, MOST_BODY)
    kept = Kept(account, _url(request), _kept(request), body)
    _verify(request.app.state.ports, kept)
    try:
        known = await request.app.state.inbox.keep(kept)
    except NotNow:
        raise HTTPException(503, headers={"Retry-After": AGAIN_AFTER}) from None
    if not known:
        raise HTTPException(404)
    return Response(status_code=204)


def _verify(ports: Ports, kept: Kept) -> None:
    try:
        if calling(ports, kept.account, kept.url, kept.body, kept.headers)[1] is None:
            raise HTTPException(404)
    except SetupError:
        raise HTTPException(404) from None
    except SignatureInvalid:
        raise HTTPException(403) from None
    except HTTPException:
        raise
    except Exception as error:  # noqa: BLE001 - it may have broken before the signature was found to hold
        log.error("a callback of %s could not be read: %s", kept.account, told(error))
        raise HTTPException(400) from None


def _kept(request: Request) -> dict[str, str]:
    kept = {
        name: value
        for name, value in request.headers.items()
        if (name in KEPT or SIGNATURE in name) and len(value) <= MOST_HEADER
    }
    bearer = request.headers.get(BEARER)
    return kept if bearer is None else {**kept, BEARER_DIGEST: sha256(bearer.encode()).hexdigest()}


def _url(request: Request) -> str:
    """The address that the provider called: from our own settings, for Host is the caller's to choose."""
    settings: Settings = request.app.state.settings
    raw: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    if len(query) > MOST_QUERY:
        raise HTTPException(404)
    base = settings.public_url or ""
    return base + raw.decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")
