"""One yes to all that a schedule or a reminder will say, until somebody changes it. It always wants a fresh proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response

from broker import audience as audiences
from broker.announcement import Part, People, Step
from broker.authority.signin import must_be_fresh
from broker.diary import reminders, schedules
from broker.errors import NotAllowed, NotFound, NotToBeChanged, ProofWanted, UnknownAudience
from broker.moments import today_of
from broker.office.expressions import resolve
from broker.ports.approvals import OperatorRole
from broker.ports.calendar import Yes
from ledger.connect import Transaction
from ledger.reads.agreeing import named_schedule
from web.watch.desk import At, Desk, Form, number, posted, uuid_of
from web.watch.forms import status_of
from web.watch.proving import to_proof
from web.watch.signing_in import NoPage

router = APIRouter()
SCHEDULE, REMINDER = "schedule", "reminder"


@dataclass(frozen=True, slots=True)
class Saying:
    """All that one of these will say, to whom, by which ways; to how many it would be today. `seen`: a digest of it."""

    kind: str
    name: str
    department: str
    made_by: str
    parts: Mapping[Part, str]
    audience: str
    people: People
    ways: tuple[Step, ...]
    counted: int | None
    approved: Yes | None
    next_at: datetime | None = None
    before: timedelta | None = None
    seen: str = ""


@router.get("/watch/waiting/{kind}/{which}")
def ask(kind: str, which: str, at: Desk) -> Response:
    """What there is to agree to."""
    return _page(at, _saying(at, kind, which))


@router.post("/watch/waiting/{kind}/{which}")
async def agree(kind: str, which: str, request: Request) -> Response:
    """A yes to all of it."""
    return await posted(request, lambda at, form: _agree(at, form, kind, which))


def _agree(at: At, form: Form, kind: str, which: str) -> Response:
    it = _saying(at, kind, which)
    try:
        with at.ports.ledger.look() as tx:
            must_be_fresh(tx, at.session)
        if it.kind == SCHEDULE:
            schedules.approve(at.ports, it.name, actor=at.actor, seen=form["seen"])
        else:
            reminders.approve_rule(at.ports, it.name, actor=at.actor)
    except ProofWanted:
        return to_proof(at, f"watch/waiting/{kind}/{which}")
    except NotFound:
        raise NoPage(404, "not_found") from None
    except (NotAllowed, NotToBeChanged) as refused:
        return _page(at, _saying(at, kind, which), status_of(refused), problem=refused.problem)
    return at.done("watch/waiting", "agreed_to_all")


def _saying(at: At, kind: str, which: str) -> Saying:
    """Raises NoPage where there is none, it is another department's, or this operator decides nothing."""
    at.must(OperatorRole.APPROVER)
    with at.ledger.look() as tx:
        found = (
            _schedule(tx, which) if kind == SCHEDULE else _reminder(tx, which) if kind == REMINDER else None
        )
    if found is None or (at.department is not None and found.department != at.department):
        raise NoPage(404, "not_found")
    return found


def _schedule(tx: Transaction, which: str) -> Saying | None:
    row = named_schedule(tx.hand, uuid_of(which))
    if row is None:
        return None
    draft = row.draft
    return Saying(
        SCHEDULE,
        row.name,
        draft.department,
        row.made_by,
        draft.parts,
        draft.audience,
        draft.people,
        draft.ways,
        _counted(tx, draft.audience, draft.people),
        row.approved,
        next_at=row.next_at,
        seen=schedules.seen_of(row),
    )


def _reminder(tx: Transaction, which: str) -> Saying | None:
    wanted = number(which)
    rule = next((one for one in tx.events.rules() if one.id == wanted), None)
    if rule is None:
        return None
    counted = _counted(tx, rule.audience, rule.people) if rule.audience else None
    return Saying(
        REMINDER,
        rule.name,
        rule.department,
        rule.made_by,
        rule.parts,
        rule.audience,
        rule.people,
        rule.ways,
        counted,
        rule.approved,
        before=rule.before,
    )


def _counted(tx: Transaction, audience: str, people: People) -> int | None:
    try:
        return tx.reaches.count(resolve(tx, audiences.parse(audience)), people, today_of(tx))
    except (NotFound, UnknownAudience):  # a group of it is gone
        return None


def _page(at: At, it: Saying, status: int = 200, **more: object) -> Response:
    return at.page("approvals/repeated", status, it=it, which=at.request.path_params["which"], **more)
