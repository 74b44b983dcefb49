"""All that waits for a second person, on one page."""

from __future__ import annotations

from fastapi import APIRouter, Response

from broker.ports.approvals import OperatorRole
from ledger.reads.agreeing import repeated
from ledger.reads.approvals import to_review
from ledger.reads.watch import awaiting, one
from web.watch.desk import Desk, uuid_of
from web.watch.signing_in import NoPage

router = APIRouter()
WAITING = 50


@router.get("/watch/waiting")
def waiting(at: Desk) -> Response:
    """What waits for a yes, what should have gone first before the rest; what is said again; what went without."""
    asked = at.query("after")
    after = uuid_of(asked) if asked else None
    with at.reading() as hand:
        if after is not None and one(hand, after, at.department) is None:
            raise NoPage(404, "not_found")
        found = awaiting(hand, after=after, department=at.department, limit=WAITING + 1, in_mid_send=True)
        again = repeated(hand, at.department) if after is None else ()
        without = to_review(hand, at.department) if after is None else ()
    more = found[WAITING - 1].announcement.public_id if len(found) > WAITING else None
    return at.page(
        "approvals/waiting",
        found=found[:WAITING],
        after=after,
        more=more,
        again=again,
        without=without,
        decides=at.may(OperatorRole.APPROVER),
    )
