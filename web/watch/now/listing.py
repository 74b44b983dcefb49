"""All announcements, the newest first: by department, how far each has come, by which way it went, and when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

from fastapi import APIRouter, Response

from ledger.reads.departments import departments
from ledger.reads.listing import PAGE, Far, Sought, channels, listed
from ledger.reads.watch import zone
from web.watch import words
from web.watch.desk import At, Desk, uuid_of
from web.watch.forms import begins, day_of
from web.watch.navigation import WRITES
from web.watch.signing_in import NoPage

router = APIRouter()
FAR: Mapping[Far, str] = {
    Far.WAITS: "Waits for a yes",
    Far.COMING: "Has not gone out yet",
    Far.GOING: "Going out now",
    Far.WRONG: "Something did not go",
    Far.DONE: "Finished",
    Far.WITHDRAWN: "Withdrawn",
}
FILTERS = ("department", "far", "by", "since", "until")


@router.get("/watch/announcements")
def announcements(at: Desk) -> Response:
    """The list, and what it was narrowed to."""
    with at.reading() as hand:
        local = zone(hand)
        slugs = departments(hand) if at.department is None else {}
        sought, ways = _sought(at, local), channels(hand)
        before = at.query("before")
        found = listed(hand, sought, before=uuid_of(before) if before else None, limit=PAGE + 1)
    more = found[PAGE - 1].announcement.public_id if len(found) > PAGE else None
    asked = {name: at.query(name) for name in FILTERS if at.query(name)}
    return at.page(
        "now/announcements",
        found=found[:PAGE],
        older=f"?{urlencode({**asked, 'before': str(more)})}" if more else "",
        newest=f"?{urlencode(asked)}" if before else "",
        asked=asked,
        departments=slugs,
        far={far.value: label for far, label in FAR.items()},
        channels={name: words.channel(name) for name in ways},
        writes=at.may(*WRITES),
        zone=local,
    )


def _sought(at: At, local: str) -> Sought:
    department, far, channel = at.query("department") or None, at.query("far") or None, at.query("by") or None
    if far is not None and far not in FAR:
        raise NoPage(404, "not_found")
    since, until = at.query("since"), at.query("until")
    return Sought(
        department=at.department or department,
        far=Far(far) if far else None,
        channel=channel,
        since=begins(day_of(since), local) if since else None,
        until=begins(day_of(until) + timedelta(days=1), local) if until else None,
    )
