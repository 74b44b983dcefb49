"""Notifications, for whoever holds a private link: /push/<secret>. No account, no number, no foreign script.

The page's script asks the browser, the browser asks whoever sits there, and what it gives is sent here. The worker
beside it shows what comes. The link alone opens all of it: no cookie, and what changes something comes from our page.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

import anyio
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from broker.errors import NotFound, Problem, RuleBroken
from broker.office import subscribers
from broker.ports import Ports
from config.logs import told
from config.settings import Settings
from ledger.trouble import is_away
from web import looks
from web.bounded import body_of
from web.door import AGAIN_AFTER
from web.origin import is_ours
from web.pages import html, nothing
from web.throttle import Throttle

log = logging.getLogger(__name__)
router = APIRouter()

NAME = re.compile(r"([A-Za-z0-9_-]{43})(\.webmanifest)?", re.ASCII)
MOST_BODY = 4_096  # bytes; a subscription has about 500
HEADERS = {"Cache-Control": "no-store"}
SCRIPT = "text/javascript; charset=utf-8"
MANIFEST = "application/manifest+json"
LONGEST_NAME = 30  # of the icon on a telephone
BEGIN, END, LOOK = "begin", "end", "look"
_few = anyio.CapacityLimiter(2)  # push services are looked up by name, which may last
_begun = Throttle(at_once=60, per_second=2)


@router.api_route("/push/{name}", methods=["GET", "HEAD"])
async def look(name: str, request: Request) -> Response:
    """The page of a link, its script, its worker, and what makes a web app of it."""
    if name in looks.PUSH_SCRIPTS:
        return Response(looks.PUSH_SCRIPTS[name], media_type=SCRIPT, headers={"Cache-Control": "no-cache"})
    found = NAME.fullmatch(name)
    if found is None:
        return nothing(request, HEADERS)
    secret, manifest = found.groups()
    offered = await anyio.to_thread.run_sync(subscribers.offer, request.app.state.ports, secret, limiter=_few)
    if offered is None:
        return nothing(request, HEADERS)
    settings: Settings = request.app.state.settings
    if manifest:
        return _manifest(secret, offered.group, settings.school.name)
    shown: dict[str, Any] = {
        "title": f"Notifications: {offered.group}",
        "group": offered.group,
        "secret": secret,
    }
    return html(request, "push.html", headers=HEADERS, key=offered.key, **shown)


@router.post("/push/{name}")
async def act(name: str, request: Request) -> Response:
    """What the page's script asks: begin, end, or only look, with the browser's own subscription."""
    if NAME.fullmatch(name) is None or name.endswith(".webmanifest"):
        raise HTTPException(404)
    if not is_ours(request):
        return _problem(403, Problem("refused", "", "this may be asked by the school's own page alone"))
    wanted, asked = _asked(await body_of(request, MOST_BODY))
    if wanted == BEGIN and not _begun.allows():
        busy = Problem("busy", "", "too many are subscribing at this moment", "try again in a minute")
        return _problem(429, busy, {"Retry-After": AGAIN_AFTER})
    try:
        stands = await anyio.to_thread.run_sync(
            _do, request.app.state.ports, name, wanted, asked, limiter=_few
        )
    except NotFound as gone:
        return _problem(404, gone.problem)
    except RuleBroken as refused:
        return _problem(422, refused.problem)
    except Exception as error:
        if not is_away(error):
            raise
        log.error("a subscription could not be kept: %s", told(error))
        return _problem(
            503, Problem("away", "", "this cannot be done just now"), {"Retry-After": AGAIN_AFTER}
        )
    return JSONResponse({"subscribed": stands}, headers=HEADERS)


def _do(ports: Ports, secret: str, wanted: str, asked: Mapping[str, Any]) -> bool:
    if wanted == BEGIN:
        subscribers.begin(ports, secret, asked)
        return True
    if wanted == END:
        subscribers.end(ports, secret, asked)
        return False
    return subscribers.is_subscribed(ports, secret, asked)


def _asked(body: bytes) -> tuple[str, Mapping[str, Any]]:
    """What is wanted, and the subscription. Raises HTTPException 400 for what is no such thing."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400) from None
    wanted, asked = (said.get("do"), said.get("subscription")) if isinstance(said, dict) else (None, None)
    if wanted not in (BEGIN, END, LOOK) or not isinstance(asked, dict):
        raise HTTPException(400)
    return wanted, asked


def _manifest(secret: str, group: str, school: str) -> Response:
    """A web app of this one page: on an iPhone nothing else may show notifications."""
    about = {
        "name": f"{group}, {school}",
        "short_name": group[:LONGEST_NAME],
        "start_url": secret,
        "scope": secret,
        "display": "standalone",
    }
    return JSONResponse(about, media_type=MANIFEST, headers=HEADERS)


def _problem(status: int, problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(problem.as_dict(), status, headers={**HEADERS, **(headers or {})})
