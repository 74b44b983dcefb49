"""The feeds: GET and HEAD of /feeds/<school>.rss, /feeds/departments/<slug>.atom, /feeds/groups/<slug>.json, and each
as .ics.

Plain ASGI, mounted beside the routes: a feed is asked for again and again, by machines that mostly have it already. A
feed that is not there and one that is not public are the same 404.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import anyio
from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from channels.rss.feed import Format
from config.calendar_feeds import CalendarFeeds
from config.feeds import PATH, Feeds, Served
from ledger.reads.feeds import Kind
from web.conditional import is_known, takes_gzip, validators

KINDS = {None: Kind.SCHOOL, "departments": Kind.DEPARTMENT, "groups": Kind.GROUP}
METHODS = ("GET", "HEAD")
ROOT = "/feeds/"
ICS = "ics"

# A copy may be kept, and is asked about each time: that is cheap, and what is withdrawn is gone at once. Anybody's
# script may read it, so that a school's own site can show it.
PUBLIC = {
    "Cache-Control": "public, no-cache",
    "Vary": "Accept-Encoding",
    "Access-Control-Allow-Origin": "*",
}


class FeedsApp:
    """ASGI. Readers, however many, take one thread between them when something is to be read anew."""

    def __init__(self, feeds: Feeds, calendars: CalendarFeeds) -> None:
        self._feeds = feeds
        self._calendars = calendars
        self._one = anyio.CapacityLimiter(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] not in METHODS:
            raise HTTPException(405, headers={"Allow": ", ".join(METHODS)})
        path = scope["path"].removeprefix(ROOT)
        asked = PATH.fullmatch(path)
        served = await self._served(asked) if asked is not None else None
        if served is None:
            raise HTTPException(404)
        status, headers, body = answer(served, Headers(scope=scope), datetime.now(UTC))
        await give(scope, send, status, headers, body)

    async def _served(self, asked: re.Match[str]) -> Served | None:
        whose, slug, ending = asked.groups()
        kind = KINDS[whose]
        if ending == ICS:
            at_hand = self._calendars.at_hand(kind, slug)
            if at_hand is not None:
                return at_hand
            return await anyio.to_thread.run_sync(self._calendars.fetch, kind, slug, limiter=self._one)
        wanted = kind, slug, Format(ending)
        at_hand = self._feeds.at_hand(*wanted)
        if at_hand is not None:
            return at_hand
        return await anyio.to_thread.run_sync(self._feeds.fetch, *wanted, limiter=self._one)


def answer(
    served: Served, asked: Headers, now: datetime, always: Mapping[str, str] = PUBLIC
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body for one asker: 304 and no body when they have this version."""
    packed = takes_gzip(asked)
    headers = {
        **always,
        **validators(served.tag, served.updated, now=now, packed=packed),
        **({"Link": served.links} if served.links else {}),
    }
    if is_known(asked, served.tag, served.updated, now=now):
        return 304, headers, b""
    headers["Content-Type"] = served.media_type
    if packed:
        headers["Content-Encoding"] = "gzip"
    return 200, headers, served.packed if packed else served.body


async def give(scope: Scope, send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    """Send one answer; a HEAD's without its body."""
    if status != 304:
        headers["Content-Length"] = str(len(body))
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
