"""Public pages: one for each announcement that was broadcast, and one that lists the feeds. No script, no cookie."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import anyio
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from broker.announcement import Content
from channels.rss.feed import MEDIA_TYPES, Format
from channels.rss.render import Unfit, wording_of
from config.feeds import Feeds, in_language
from config.settings import Settings
from ledger.reads.feeds import Page
from ledger.reads.feeds import Scope as FeedScope
from web import looks
from web.conditional import is_known, validators

router = APIRouter()

NAMES = {Format.RSS: "RSS", Format.ATOM: "Atom", Format.JSON: "JSON Feed"}
PREVIEW = 200  # characters of the text that a link's preview shows
# Readers of a page, however many, leave the other threads to the providers' callbacks.
_few = anyio.CapacityLimiter(4)

HEADERS = {"Cache-Control": "public, no-cache"}
_HEADING = re.compile(r"(</?h)([1-6])(?=[ >])")


@router.api_route("/a/{public_id}", methods=["GET", "HEAD"])
async def announcement(public_id: str, request: Request) -> Response:
    """One announcement: 404 unless it was broadcast, 410 once it is withdrawn."""
    feeds: Feeds = request.app.state.feeds
    found = await anyio.to_thread.run_sync(_found, feeds, public_id, limiter=_few)
    if found is None:
        return nothing(request)
    if found.withdrawn:
        return _plain(request, 410, "Withdrawn", "The school has taken this announcement back.")
    return _page(request, "announcement.html", found.updated_at, **_announcement(request, found))


@router.api_route("/", methods=["GET", "HEAD"])
async def front(request: Request) -> Response:
    """The bare address, as somebody types it: they are led to what there is to read."""
    return RedirectResponse("feeds")


@router.api_route("/feeds", methods=["GET", "HEAD"])
async def index(request: Request) -> Response:
    """The feeds that there are, for people: where to point a feed reader, or a school's own site."""
    feeds: Feeds = request.app.state.feeds
    scopes = await anyio.to_thread.run_sync(feeds.scopes, limiter=_few)
    if not scopes:
        return _plain(request, 404, "There is nothing here", "This school has no public feeds.")
    listed = [(scope.name, _addresses(feeds, scope)) for scope in scopes]
    return _page(request, "feeds.html", None, title="Feeds", feeds=listed)


def _found(feeds: Feeds, public_id: str) -> Page | None:
    try:
        asked = UUID(public_id)
    except ValueError:
        return None
    return feeds.page(asked) if str(asked) == public_id else None


def _announcement(request: Request, found: Page) -> dict[str, Any]:
    feeds: Feeds = request.app.state.feeds
    settings: Settings = request.app.state.settings
    main = in_language(found.content, feeds.language)
    others = sorted((each for each in found.content if each is not main), key=lambda each: each.language)
    wordings = [wording(each, feeds.language) for each in (main, *others)]
    zone = ZoneInfo(settings.school.zone)
    return {
        "title": wordings[0]["title"],
        "language": wordings[0]["language"],
        "wordings": wordings,
        "preview": _preview(main),
        "link": feeds.link(found.id),
        "department": found.department.name,
        "published": found.published_at.astimezone(zone),
        "updated": found.updated_at.astimezone(zone) if found.updated_at > found.published_at else None,
        "feeds": _addresses(feeds, found.department) if found.in_feeds and feeds.any else [],
    }


def wording(content: Content, language: str) -> dict[str, Any]:
    """What a page says of one wording: title, html, language."""
    try:
        said = wording_of(content)
    except Unfit:  # no intake of ours let it in; what the page can do is not to break on it
        parts = {
            part: re.sub(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]", "", text)
            for part, text in content.parts.items()
        }
        said = wording_of(Content(content.version, content.language, parts))
    # The page has a heading of its own: those of the text come below it.
    html = _HEADING.sub(lambda found: f"{found[1]}{min(int(found[2]) + 1, 6)}", said.html)
    safe = Markup(html)  # noqa: S704 - nh3 let through what is harmless
    return {"title": said.title, "html": safe, "language": content.language or language}


def _preview(content: Content) -> str:
    text = " ".join(content.short.split())
    return text if len(text) <= PREVIEW else text[: PREVIEW - 1].rstrip() + "…"


def _addresses(feeds: Feeds, scope: FeedScope) -> list[tuple[str, str, str]]:
    listed = [(NAMES[form], MEDIA_TYPES[form], feeds.address(scope, form)) for form in Format]
    return [
        *listed,
        ("Calendar", "text/calendar", feeds.address(scope, Format.RSS).removesuffix("rss") + "ics"),
    ]


def nothing(request: Request, headers: Mapping[str, str] = HEADERS) -> Response:
    """The page for what is not there, and for what nobody may know to be there."""
    return _plain(request, 404, "There is nothing here", "Check the address, or ask the school.", headers)


def _plain(
    request: Request, status: int, title: str, sentence: str, headers: Mapping[str, str] = HEADERS
) -> Response:
    return html(request, "plain.html", title=title, sentence=sentence, status=status, headers=headers)


def _page(request: Request, template: str, changed: datetime | None, **values: Any) -> Response:
    """A page with a tag, so that asking for it again is cheap on the line."""
    page = html(request, template, **values)
    tag, now = hashlib.sha256(page.body).hexdigest()[:32], datetime.now(UTC)
    page.headers.update(validators(tag, changed, now=now, packed=False))
    if is_known(request.headers, tag, changed, now=now):
        kept = ("etag", "last-modified", "cache-control")
        return Response(
            status_code=304, headers={name: page.headers[name] for name in kept if name in page.headers}
        )
    return page


def html(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] = HEADERS,
    **values: Any,
) -> Response:
    """A page in the house's style."""
    shown = looks.page(request.app.state.settings, template, **values)
    return HTMLResponse(shown, status_code=status, headers=headers)
