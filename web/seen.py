"""The page behind "I have seen this": it shows, and a button counts. Looking changes nothing, for mail scanners look.

What opens the page is the link alone: no cookie, no sign-in, and no picture that would count who looked.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

import anyio
from fastapi import APIRouter, Request, Response

from broker.actor import Actor, ActorKind
from broker.ladders import links, seen
from broker.ladders.seen import Link
from broker.naming import fill
from broker.ports import Ports
from web.bounded import body_of
from web.optouts import HEADERS
from web.pages import html

router = APIRouter()

MOST_FORM = 1024
SEEN = [("do", "seen")]
ACTOR = Actor(ActorKind.PERSON, "whoever holds the link")
_few = anyio.CapacityLimiter(4)


@router.api_route("/s/{token}", methods=["GET", "HEAD"])
async def look(token: str, request: Request) -> Response:
    """What it is about, and one button; changes nothing."""
    return await _answer(request, token, says=False)


@router.post("/s/{token}")
async def act(token: str, request: Request) -> Response:
    """Somebody says that it was seen: counted once for each duty, however often it is said."""
    body = await body_of(request, MOST_FORM)
    if not _is_said(body):
        return _plain(request, 400, "This was not understood", "Open the link again and press the button.")
    return await _answer(request, token, says=True)


async def _answer(request: Request, token: str, *, says: bool) -> Response:
    ports: Ports = request.app.state.ports
    # Before the ledger is asked: whoever makes links up costs nothing.
    known = links.delivery_of(ports.signer, token) is not None
    found = await anyio.to_thread.run_sync(_do, ports, token, says, limiter=_few) if known else None
    if found is None:
        sentence = (
            "This link is not whole, or it is about somebody whom the school no longer writes to you about."
        )
        return _plain(request, 404, "There is nothing here", sentence)
    if found.over and not found.said:
        sentence = "Its time has passed, or the school has said something else since. Nothing was noted."
        return _plain(request, 410, "This is over", sentence)
    return _page(request, found)


def _do(ports: Ports, token: str, says: bool) -> Link | None:
    with ports.ledger.look() as tx:
        found = seen.look(ports, tx, token)
    if found is None or not says or found.over or found.said:
        return found
    return ports.ledger.transact(lambda tx: seen.by_link(ports, tx, token, actor=ACTOR))


def _is_said(body: bytes) -> bool:
    """One field, once; anything else is nothing."""
    try:
        return parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=4) == SEEN
    except ValueError:
        return False


def _page(request: Request, found: Link) -> Response:
    settings = request.app.state.settings
    about = fill(found.title, ())
    return html(
        request,
        "seen.html",
        headers=HEADERS,
        title="Thank you" if found.said else "Have you seen this?",
        about=about,
        said=found.said,
        sentence=f"{settings.school.name} knows that you have seen this."
        if found.said
        else f"{settings.school.name} would like to know that this has reached you.",
    )


def _plain(request: Request, status: int, title: str, sentence: str) -> Response:
    return html(request, "plain.html", title=title, sentence=sentence, status=status, headers=HEADERS)
