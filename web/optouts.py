"""The page behind a message's link: to get no more, and to undo that. And the button of a mail program (RFC 8058).

Looking changes nothing: mail scanners and previews open every link. A person presses a button, a mail program POSTs.
What opens the page is the link alone: no cookie, no sign-in.
"""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import anyio
from fastapi import APIRouter, Request, Response

from broker.actor import Actor, ActorKind
from broker.address import AddressKind
from broker.consent import optouts
from broker.consent.optouts import Holder
from broker.ports import Ports
from config.logs import told
from ledger.trouble import is_away
from web.bounded import body_of
from web.door import AGAIN_AFTER
from web.pages import html
from web.watch.signing_in import Throttle

log = logging.getLogger(__name__)
router = APIRouter()

MOST_FORM = 4096
HEADERS = {"Cache-Control": "no-store"}
STOP, START = "stop", "start"
ONE_CLICK = ("List-Unsubscribe", "One-Click")
# RFC 8058 §3.2 lets a mail program send it as multipart, too.
_MULTIPART = re.compile(
    rb'\A--[^\r\n]{1,70}\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n'
    rb"(?:[^\r\n]{1,200}\r\n){0,3}\r\nOne-Click\r\n--[^\r\n]{1,70}--\r\n?\Z",
    re.IGNORECASE,
)
ACTOR = Actor(ActorKind.PERSON, "whoever holds the address")
SAY = {AddressKind.MOBILE: "text messages", AddressKind.EMAIL: "emails"}

# Guesses: some at once, then few a second. Whoever guesses makes the others wait a moment, and stops nobody: beyond it
# each comes in turn, slowly, and only a long queue is sent away.
_guesses = Throttle(at_once=30, per_second=1)
_turns = anyio.CapacityLimiter(1)
_few = anyio.CapacityLimiter(4)
SLOWLY = timedelta(milliseconds=250)
MOST_WAITING = 20


@router.api_route("/u/{token}", methods=["GET", "HEAD"])
async def look(token: str, request: Request) -> Response:
    """What stands, and one button; changes nothing."""
    found = await _patiently(request, token, "")
    return found if isinstance(found, Response) else _page(request, *found)


@router.post("/u/{token}")
async def act(token: str, request: Request) -> Response:
    """Stop or begin again: by the page's button, or by a mail program's."""
    wanted, one_click = _wanted(await body_of(request, MOST_FORM), request.headers.get("content-type", ""))
    if not wanted:
        return _plain(request, 400, "This was not understood", "Open the link again and press the button.")
    found = await _patiently(request, token, wanted)
    if isinstance(found, Response):
        return found
    return Response(status_code=204) if one_click else _page(request, *found, done=True)


async def _patiently(request: Request, token: str, wanted: str) -> Response | tuple[Holder, bool]:
    """Whose link it is and whether it is opted out by now; or what is answered to a guess."""
    if not _guesses.seems_free():
        if _turns.statistics().tasks_waiting >= MOST_WAITING:
            busy = _plain(request, 429, "One moment, please", "Too many are asking. Try again in a minute.")
            busy.headers["Retry-After"] = "60"
            return busy
        async with _turns:
            await asyncio.sleep(SLOWLY.total_seconds())
    try:
        found = await anyio.to_thread.run_sync(_do, request.app.state.ports, token, wanted, limiter=_few)
    except Exception as error:
        if not is_away(error):
            raise
        log.error("a link to stop could not be looked at: %s", told(error))
        title, sentence = "Not just now", "This could not be done. Please open the link again in a minute."
        away = _plain(request, 503, title, sentence)
        away.headers["Retry-After"] = AGAIN_AFTER
        return away
    if found is None:
        _guesses.allows()
        return _plain(
            request,
            404,
            "There is nothing here",
            "This link is not whole, or the school no longer holds this address and will not write to it.",
        )
    return found


def _do(ports: Ports, token: str, wanted: str) -> tuple[Holder, bool] | None:
    if not wanted:
        with ports.ledger.look() as tx:
            holder = optouts.holder_of(ports, tx, token)
            return (holder, optouts.is_opted_out(tx, holder) is not None) if holder else None

    with ports.ledger.look() as tx:  # a guess takes no writer's turn
        if optouts.holder_of(ports, tx, token) is None:
            return None
    return ports.ledger.transact(
        lambda tx: optouts.by_link(ports, tx, token, stop_it=wanted == STOP, actor=ACTOR)
    )


def _wanted(body: bytes, media_type: str) -> tuple[str, bool]:
    """("stop" | "start" | "", whether a mail program asks). One field, once; anything else is nothing."""
    if media_type.lower().startswith("multipart/form-data"):
        return (STOP, True) if _MULTIPART.match(body) else ("", False)
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=8)
    except ValueError:
        return "", False
    if ONE_CLICK in fields and len({name for name, _ in fields}) == len(fields):
        return STOP, True
    match fields:
        case [("do", "stop" | "start" as wanted)]:
            return wanted, False
    return "", False


def _page(request: Request, holder: Holder, opted_out: bool, *, done: bool = False) -> Response:
    kind = request.app.state.ports.channels.traits(holder.channel).address_kind
    what = SAY.get(kind, "messages")
    school = request.app.state.settings.school.name
    to = f" to {holder.shown}" if holder.shown else ""
    shown: dict[str, Any]
    if opted_out:
        shown = {
            "title": f"No more {what}",
            "sentence": f"{school} sends no more {what}{to}.",
            "button": f"Send me {what} again",
            "remark": "Did you not mean to? The button undoes it.",
            "done": f"Done: you will get no more {what} from the school." if done else "",
        }
    else:
        shown = {
            "title": f"Stop {what} from {school}?",
            "sentence": f"{school} sends {what}{to}: about the school day, trips and events, urgent ones among them.",
            "button": f"Send no more {what}",
            "remark": "It takes effect at once, for everything that the school sends this way. You can undo it here.",
            "done": f"Done: the school may send you {what} again." if done else "",
        }
    return html(request, "optout.html", headers=HEADERS, opted_out=opted_out, **shown)


def _plain(request: Request, status: int, title: str, sentence: str) -> Response:
    return html(request, "plain.html", title=title, sentence=sentence, status=status, headers=HEADERS)
