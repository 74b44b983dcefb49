"""A second person's yes or no, from a page: what waits, what it says, to how many; a big one wants a fresh proof.

And what somebody says who looked afterwards at what went out without one.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.authority import approvals
from broker.authority.signin import must_be_fresh
from broker.errors import NotFound, ProofWanted, RuleBroken
from broker.ports.approvals import OperatorRole
from web.watch.approvals.known import Known, known
from web.watch.desk import At, Desk, Form, posted
from web.watch.forms import reason, status_of
from web.watch.proving import to_proof
from web.watch.signing_in import NoPage

router = APIRouter()


@router.get("/watch/{public_id}/decide")
def ask(public_id: str, at: Desk) -> Response:
    """What there is to agree to."""
    return _page(at, _looked(at, public_id))


@router.post("/watch/{public_id}/decide")
async def decide(public_id: str, request: Request) -> Response:
    """Yes or no."""
    return await posted(request, lambda at, form: _decide(at, form, public_id))


@router.get("/watch/{public_id}/review")
def look_back(public_id: str, at: Desk) -> Response:
    """What went out without a second person."""
    return _review_page(at, _looked(at, public_id))


@router.post("/watch/{public_id}/review")
async def review(public_id: str, request: Request) -> Response:
    """Somebody has looked at it since."""
    return await posted(request, lambda at, form: _review(at, form, public_id))


def _decide(at: At, form: Form, public_id: str) -> Response:
    it = _looked(at, public_id)
    said = it.looked.announcement.public_id
    yes = form["do"] == "approve"
    try:
        why = reason(
            form["why"],
            needed="" if yes else "a no wants a reason",
            hint="its author should know what to mend",
        )
        if yes:
            with at.ports.ledger.look() as tx:
                must_be_fresh(tx, at.session, it.looked.binding.counted)
            approvals.approve(at.ports, said, actor=at.actor, seen=form["seen"], why=why)
        else:
            approvals.reject(at.ports, said, why, actor=at.actor, seen=form["seen"])
    except ProofWanted:
        return to_proof(at, f"watch/{said}/decide")
    except NotFound:
        raise NoPage(404, "not_found") from None
    except RuleBroken as refused:
        return _page(at, _looked(at, public_id), status_of(refused), problem=refused.problem, form=form)
    return at.done(f"watch/{said}", "agreed" if yes else "refused_it")


def _review(at: At, form: Form, public_id: str) -> Response:
    it = _looked(at, public_id)
    said = it.looked.announcement.public_id
    try:
        note = reason(form["note"], "note", needed="say what you found", hint="a few words are enough")
        approvals.review(at.ports, said, note, actor=at.actor)
    except NotFound:
        raise NoPage(404, "not_found") from None
    except RuleBroken as refused:
        return _review_page(at, it, status_of(refused), problem=refused.problem, form=form)
    return at.done("watch/waiting", "reviewed")


def _looked(at: At, public_id: str) -> Known:
    """Raises NoPage where there is none, it is another department's, or this operator decides nothing."""
    at.must(OperatorRole.APPROVER)
    return known(at, public_id)


def _page(at: At, it: Known, status: int = 200, **more: object) -> Response:
    return at.page("approvals/decide", status, it=it, looked=it.looked, **more)


def _review_page(at: At, it: Known, status: int = 200, **more: object) -> Response:
    return at.page("approvals/review", status, it=it, looked=it.looked, **more)
