"""Files behind links: what a mail carries, a text leads to. By a random word that nobody guesses, for some weeks."""

from __future__ import annotations

import re
from urllib.parse import quote

import anyio
from fastapi import APIRouter, Request, Response

from broker.errors import Problem
from ledger.connect import Ledger
from ledger.reads.files import Linked, linked
from web.door import problem

router = APIRouter()

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_TYPE = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,80}", re.ASCII | re.IGNORECASE)
# A file is at most some megabytes, and is held whole while it is sent.
_few = anyio.CapacityLimiter(4)


@router.api_route("/f/{token}", methods=["GET", "HEAD"])
async def file(token: str, request: Request) -> Response:
    """One file, to be kept and not shown: 404 for a link that was never given, 410 for one that is over."""
    found = None
    if _TOKEN.fullmatch(token):
        found = await anyio.to_thread.run_sync(_found, request.app.state.ports.ledger, token, limiter=_few)
    if found is None:
        return problem(404, Problem("not_found", "", "there is nothing here", "check the address"))
    if found.over:
        return problem(410, Problem("link_over", "", "this link is over", "ask the school for the file"))
    return Response(found.data, media_type=_safe(found.media_type), headers=_headers(found))


def _found(ledger: Ledger, token: str) -> Linked | None:
    with ledger.reading() as hand:
        return linked(hand, token)


def _safe(media_type: str) -> str:
    return media_type if _TYPE.fullmatch(media_type) else "application/octet-stream"


def _headers(found: Linked) -> dict[str, str]:
    """Whatever it is, no browser runs it in the school's name."""
    plain = re.sub(r"[^A-Za-z0-9 ._-]", "_", found.name)[:100] or "file"
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(found.name[:200], safe='')}",
    }
