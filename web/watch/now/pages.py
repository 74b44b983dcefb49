"""The first page, and the stream of what changes on any page that is live."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from broker.incoming import answers
from web.watch.announcement.pages import there
from web.watch.desk import At, Desk, at_desk
from web.watch.hub import EventStream, Full, Hub
from web.watch.navigation import WRITES
from web.watch.now.concerns import closed_to
from web.watch.now.topic import Overview
from web.watch.topics import Topic

router = APIRouter()


@router.get("/watch")
def overview(at: Desk) -> Response:
    """What needs action first; what is going out; how each way stands; money; the newest."""
    topic = topic_of(at)
    with at.reading() as hand:
        painted = topic.paint(hand, hub_of(at.request).counts, exact=True)
        local = painted.zone
    parts = [Markup(part) for part in painted.parts.values()]  # noqa: S704 - each was escaped when it was painted
    return at.page("now/overview", parts=parts, live="watch/events", zone=local)


@router.get("/watch/events")
async def events(request: Request) -> Response:
    """Parts of a page as they change; what a page itself shows of them is the same."""
    at: At = await run_in_threadpool(at_desk, request)
    topic: Topic = topic_of(at)
    if "of" in request.query_params:
        topic = await run_in_threadpool(there, at, request.query_params["of"])
    last = request.headers.get("last-event-id", "")[:64]
    try:
        return EventStream(hub_of(request).watch(topic, at.signed.digest, last, roles=at.roles))
    except Full:
        return Response(status_code=503, headers={"Retry-After": "60"})


def topic_of(at: At) -> Overview:
    """What the first page shows to whoever is at it."""
    inboxes = answers.inboxes_of(at.ports, at.actor, at.department)
    closed = closed_to(at.roles, at.department)
    return Overview(at.department, inboxes, at.settings.school.currency, at.may(*WRITES), closed)


def hub_of(request: Request) -> Hub:
    """The one of this process."""
    hub: Hub = request.app.state.hub
    return hub
