"""What a group is told, for whoever holds a private link: /feeds/private/<secret>, and the same with .rss, .atom, .json
and .ics behind it. A link that was taken back and one that never was are the same 404.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import anyio
from fastapi import APIRouter, HTTPException, Request, Response
from starlette.datastructures import Headers

from broker.office import subscribers
from channels.rss.feed import MEDIA_TYPES, Format
from config.private_feeds import ICS, PrivateFeeds, Told
from config.settings import Settings
from web.feeds import answer
from web.pages import NAMES, html, nothing, wording

router = APIRouter()

NAME = re.compile(r"([A-Za-z0-9_-]{43})(?:\.(rss|atom|json|ics))?", re.ASCII)
EVENTS = 20
# Its reader alone may keep it, and no search engine lists it.
ALWAYS = {
    "Cache-Control": "private, no-cache",
    "Vary": "Accept-Encoding",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
_one = anyio.CapacityLimiter(1)  # who guesses at links makes no reader of the public feeds wait


@router.api_route("/feeds/private/{name}", methods=["GET", "HEAD"])
async def private(name: str, request: Request) -> Response:
    """The page of a private link, its feeds, and its calendar."""
    feeds: PrivateFeeds = request.app.state.private
    found = NAME.fullmatch(name)
    if found is None:
        raise HTTPException(404)
    secret, ending = found.groups()
    if ending is None:
        told = await anyio.to_thread.run_sync(feeds.told, secret, limiter=_one)
        if told is None:
            return nothing(request, ALWAYS)
        ports = request.app.state.ports
        offered = await anyio.to_thread.run_sync(subscribers.offer, ports, secret, limiter=_one)
        push = f"../../push/{secret}" if offered is not None else None
        return html(request, "private.html", headers=ALWAYS, push=push, **_page(request, told))
    served = await anyio.to_thread.run_sync(feeds.fetch, secret, ending, limiter=_one)
    if served is None:
        raise HTTPException(404)
    status, headers, body = answer(served, Headers(scope=request.scope), datetime.now(UTC), ALWAYS)
    return Response(body, status, headers)


def _page(request: Request, told: Told) -> dict[str, Any]:
    settings: Settings = request.app.state.settings
    zone, locale = ZoneInfo(settings.school.zone), settings.school.locale
    notices = []
    for item in told.feed.items:
        said = wording(item.content, locale)
        spoken = said["language"] if said["language"] != locale else ""
        about = {"id": item.id, "department": item.author, "published": item.published.astimezone(zone)}
        notices.append({**said, **about, "language": spoken})
    addresses = told.feed.addresses
    return {
        "title": told.group,
        "notices": notices,
        "board": {"events": told.to_come(most=EVENTS)},
        "feeds": [(NAMES[form], MEDIA_TYPES[form], addresses[form]) for form in Format],
        "calendar": f"{told.feed.home}.{ICS}",
    }
