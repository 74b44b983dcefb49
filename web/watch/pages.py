"""The pages: an overview, one announcement, whom nothing reached, and the stream of what changes."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from broker.office.reach import kinds_of
from broker.ports.approvals import OperatorRole
from config.settings import Settings
from ledger.hand import Hand
from ledger.reads.approvals import decided, looked_at
from ledger.reads.duties import is_for_anybody
from ledger.reads.reached import reached
from ledger.reads.watch import awaiting, one, wording, zone
from web.watch.hub import EventStream, Full, Hub
from web.watch.paint import page
from web.watch.signing_in import HEADERS, NoPage, Signed, depth_of, ledger_of, signed_in
from web.watch.topics import FILTERS, Detail, Overview, Painted, Topic

router = APIRouter()
Watching = Annotated[Signed, Depends(signed_in)]

NAMES = 100
WAITING = 50
LARGEST = 2**62


@router.get("/watch")
def overview(request: Request, signed: Watching) -> Response:
    """What needs looking at first, and the announcements, newest first."""
    before = request.query_params.get("before")
    topic = Overview(_id(before) if before else None, signed.department)
    with ledger_of(request.app.state.ports).reading() as hand:
        painted = topic.paint(hand, _hub(request).counts, exact=True)
    live = "watch/events" if topic.before is None else None
    return _page(request, signed, "overview", painted, live=live)


@router.get("/watch/events")
async def events(request: Request, signed: Watching) -> Response:
    """Parts of a page as they change; what a page itself shows of them is the same."""
    asked = request.query_params
    topic: Topic = Overview(department=signed.department)
    if "of" in asked:
        topic = _detail(asked["of"], request, signed)
        if not await run_in_threadpool(_is_there, request, topic):
            raise NoPage(404, "not_found")
    last = request.headers.get("last-event-id", "")[:64]
    try:
        return EventStream(_hub(request).watch(topic, signed.digest, last))
    except Full:
        return Response(status_code=503, headers={"Retry-After": "60"})


@router.get("/watch/waiting")
def waiting(request: Request, signed: Watching) -> Response:
    """All that waits for a second person's yes, what should have gone first before the rest."""
    asked = request.query_params.get("after")
    after = _id(asked) if asked else None
    with ledger_of(request.app.state.ports).reading() as hand:
        if after is not None and one(hand, after, signed.department) is None:
            raise NoPage(404, "not_found")
        found = awaiting(hand, after=after, department=signed.department, limit=WAITING + 1, in_mid_send=True)
        local = zone(hand)
    more = found[WAITING - 1].announcement.public_id if len(found) > WAITING else None
    html = _render(request, signed, "waiting", found=found[:WAITING], after=after, more=more, zone=local)
    return HTMLResponse(html, headers=HEADERS)


@router.get("/watch/{public_id}")
def announcement(public_id: str, request: Request, signed: Watching) -> Response:
    """One announcement and its deliveries."""
    topic = _detail(public_id, request, signed)
    with ledger_of(request.app.state.ports).reading() as hand:
        painted = topic.paint(hand, _hub(request).counts, exact=True)
        said = wording(hand, topic.announcement) if painted else ()
        decides = OperatorRole.APPROVER in signed.session.roles and _waits(hand, topic.announcement)
        decisions, local = decided(hand, topic.announcement), zone(hand)
    if painted is None:
        raise NoPage(404, "not_found")
    asked = f"events?of={topic.announcement}&show={topic.show}"
    asked += f"&channel={topic.channel}" if topic.channel else ""
    live = asked if topic.before is None else None
    return _page(
        request,
        signed,
        "announcement",
        painted,
        live=live,
        said=said,
        decides=decides,
        decisions=decisions,
        zone=local,
        id=topic.announcement,
    )


@router.get("/watch/{public_id}/people")
def people(public_id: str, request: Request, signed: Watching) -> Response:
    """Whom nothing reached yet, by name and with the reason: somebody has to ring them.

    On a page of its own, asked for on purpose, and not on the one that hangs open on a wall.
    """
    after = _number(request.query_params.get("after"))
    with ledger_of(request.app.state.ports).reading() as hand:
        row = one(hand, _id(public_id), signed.department)
        if row is None:
            raise NoPage(404, "not_found")
        kinds = kinds_of(request.app.state.ports.channels, row.announcement)
        told = reached(hand, row.announcement, after=after or 0, limit=NAMES, unmet=True, kinds=kinds)
        for_anybody = not told and is_for_anybody(hand, row.announcement)
        local = zone(hand)
    more = told[-1].duty if len(told) == NAMES else None
    html = _render(
        request, signed, "people", shown=row, told=told, more=more, for_anybody=for_anybody, zone=local
    )
    return HTMLResponse(html, headers=HEADERS)


def _page(
    request: Request, signed: Signed, name: str, painted: Painted, *, live: str | None, **known: object
) -> Response:
    parts = [Markup(part) for part in painted.parts.values()]  # noqa: S704 - each was escaped when it was painted
    return HTMLResponse(_render(request, signed, name, parts=parts, live=live, **known), headers=HEADERS)


def _render(request: Request, signed: Signed, name: str, **known: object) -> str:
    settings: Settings = request.app.state.settings
    return page(
        name,
        depth=depth_of(request),
        school=settings.school.name,
        sandbox=settings.sandbox,
        signed=signed,
        **known,
    )


def _detail(public_id: str, request: Request, signed: Signed) -> Detail:
    asked = request.query_params
    show, channel = asked.get("show", "all"), asked.get("channel") or None
    if show not in FILTERS or (channel is not None and not _is_name(channel)):
        raise NoPage(404, "not_found")
    return Detail(_id(public_id), show, channel, _number(asked.get("before")), signed.department)


def _waits(hand: Hand, public_id: UUID) -> bool:
    looked = looked_at(hand, public_id)
    return looked is not None and looked.waits


def _is_there(request: Request, topic: Detail) -> bool:
    with ledger_of(request.app.state.ports).reading() as hand:
        return one(hand, topic.announcement, topic.department) is not None


def _is_name(text: str) -> bool:
    return len(text) <= 63 and text.isascii() and text.replace("_", "").replace("-", "").isalnum()


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NoPage(404, "not_found") from None


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20) or int(text) > LARGEST:
        raise NoPage(404, "not_found")
    return int(text)


def _hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub
