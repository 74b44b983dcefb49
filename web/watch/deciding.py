"""A second person's yes or no, from a page: what waits, what it says, to how many; a big one wants a fresh proof."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from broker.authority import approvals
from broker.authority.signin import must_be_fresh
from broker.errors import NotAllowed, NotFound, NotToBeChanged, Problem, ProofWanted
from broker.ports import Ports
from broker.ports.approvals import OperatorRole
from ledger.reads.approvals import Looked, looked_at
from ledger.reads.watch import one, zone
from web.watch.signing_in import HEADERS, NoPage, Signed, depth_of, ledger_of, our_form, show, signed_in

router = APIRouter()
MOST_WHY = 500


@router.get("/watch/{public_id}/decide")
def ask(public_id: str, request: Request) -> Response:
    """What there is to agree to."""
    signed = signed_in(request)
    looked = _looked(request, signed, public_id)
    return _page(request, signed, looked)


@router.post("/watch/{public_id}/decide")
async def decide(public_id: str, request: Request) -> Response:
    """Yes or no."""
    form, signed = await our_form(request)
    return await run_in_threadpool(_decide, request, form, signed, public_id)


def _decide(request: Request, form: dict[str, str], signed: Signed, public_id: str) -> Response:
    ports: Ports = request.app.state.ports
    looked = _looked(request, signed, public_id)
    said = looked.announcement.public_id
    why, seen = " ".join(form.get("why", "").split())[:MOST_WHY], form.get("seen", "")
    try:
        if form.get("do") == "approve":
            with ports.ledger.look() as tx:
                must_be_fresh(tx, signed.session, looked.binding.counted)
            approvals.approve(ports, said, actor=signed.actor, seen=seen, why=why)
        elif not why:
            hint = "its author should know what to mend"
            raise NotToBeChanged(Problem("no_reason", "why", "a no wants a reason", hint))
        else:
            approvals.reject(ports, said, why, actor=signed.actor, seen=seen)
    except ProofWanted:
        to = f"{'../' * depth_of(request)}account/prove?to=watch/{said}/decide"
        return RedirectResponse(to, status_code=303, headers=HEADERS)
    except NotFound:
        raise NoPage(404, "not_found") from None
    except (NotAllowed, NotToBeChanged) as refused:
        status = 403 if isinstance(refused, NotAllowed) else 422
        return _page(request, signed, looked, refused.problem, status)
    return RedirectResponse(f"../{said}", status_code=303, headers=HEADERS)


def _looked(request: Request, signed: Signed, public_id: str) -> Looked:
    """Raises NoPage where there is none, it is another department's, or this operator decides nothing."""
    try:
        wanted = UUID(public_id)
    except ValueError:
        raise NoPage(404, "not_found") from None
    if OperatorRole.APPROVER not in signed.session.roles:
        raise NoPage(403, "not_yours")
    with ledger_of(request.app.state.ports).reading() as hand:
        found = looked_at(hand, wanted) if one(hand, wanted, signed.department) is not None else None
    if found is None:
        raise NoPage(404, "not_found")
    return found


def _page(
    request: Request, signed: Signed, looked: Looked, problem: Problem | None = None, status: int = 200
) -> Response:
    with ledger_of(request.app.state.ports).reading() as hand:
        local, shown = zone(hand), one(hand, looked.announcement.public_id)
    return show(
        request,
        "decide",
        status,
        signed=signed,
        looked=looked,
        department=shown.department if shown is not None else "",
        problem=problem,
        zone=local,
        seen=looked.binding.digest[: approvals.SHORT],
    )
