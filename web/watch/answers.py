"""What people wrote back: the list, and one answer at a time. To look is recorded, so it takes a button, not a link.

What may be about harm is shown to the safeguarding lead alone; everybody else sees that it is there, and to whom to go.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from broker.actor import Actor, ActorKind
from broker.errors import NotAllowed, NotFound, NotToBeChanged
from broker.incoming import answers
from broker.ports import Ports
from config.settings import Settings
from ledger.reads.answers import is_there, listed
from ledger.reads.watch import zone
from web.watch.paint import page
from web.watch.signing_in import HEADERS, NoPage, Signed, depth_of, ledger_of, our_form, signed_in

router = APIRouter()
Watching = Annotated[Signed, Depends(signed_in)]


@router.get("/watch/answers")
def overview(request: Request, signed: Watching) -> Response:
    """The answers that wait, newest first, without their words."""
    ports: Ports = request.app.state.ports
    lead = answers.may_see(ports, _actor(signed), concern=True)
    theirs = answers.inboxes_of(ports, _actor(signed), signed.department)
    every = request.query_params.get("all") == "1"
    with ledger_of(ports).reading() as hand:
        found, _ = listed(hand, lead=lead, inboxes=theirs, all_of_them=every)
        local = zone(hand)
    return _page(request, signed, "answers", found=found, zone=local, lead=lead)


@router.get("/watch/answers/{public_id}")
def ask(public_id: str, request: Request, signed: Watching) -> Response:
    """A page with a button: a mail scanner or a preview that only looks has seen nothing and records nothing."""
    wanted = _there(request, signed, public_id)
    return _page(request, signed, "answer", answer=None, id=wanted, zone="UTC")


@router.post("/watch/answers/{public_id}")
async def act(public_id: str, request: Request) -> Response:
    """Show it, or say that it is dealt with."""
    form, signed = await our_form(request)
    verb = _finish if form.get("do") == "done" else _show
    wanted = await run_in_threadpool(_there, request, signed, public_id)
    return await run_in_threadpool(verb, request, signed, wanted)


def _show(request: Request, signed: Signed, public_id: UUID) -> Response:
    ports: Ports = request.app.state.ports
    try:
        found = answers.show(ports, public_id, actor=_actor(signed))
    except NotFound:
        raise NoPage(404, "not_found") from None
    except (NotToBeChanged, NotAllowed) as refused:
        why = f"{refused.problem.message}: {refused.problem.hint}"
        return _page(
            request, signed, "answer", status=403, answer=None, id=public_id, zone="UTC", refused=why
        )
    with ledger_of(ports).reading() as hand:
        local = zone(hand)
    return _page(request, signed, "answer", answer=found, id=public_id, zone=local)


def _finish(request: Request, signed: Signed, public_id: UUID) -> Response:
    try:
        answers.finish(request.app.state.ports, public_id, actor=_actor(signed))
    except NotFound:
        raise NoPage(404, "not_found") from None
    except (NotToBeChanged, NotAllowed):
        raise NoPage(403, "refused") from None
    return RedirectResponse("../answers", status_code=303, headers=HEADERS)


def _there(request: Request, signed: Signed, public_id: str) -> UUID:
    """The id of an answer that is there for whoever asks. Raises NoPage."""
    ports: Ports = request.app.state.ports
    wanted, theirs = _id(public_id), answers.inboxes_of(ports, _actor(signed), signed.department)
    with ledger_of(ports).reading() as hand:
        if not is_there(hand, wanted, theirs):
            raise NoPage(404, "not_found")
    return wanted


def _actor(signed: Signed) -> Actor:
    return Actor(ActorKind.PERSON, signed.operator)


def _page(request: Request, signed: Signed, name: str, *, status: int = 200, **known: object) -> Response:
    settings: Settings = request.app.state.settings
    about = {"depth": depth_of(request), "school": settings.school.name, "sandbox": settings.sandbox}
    html = page(name, signed=signed, **{"refused": "", **about, **known})  # type: ignore[arg-type]
    return HTMLResponse(html, status, HEADERS)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NoPage(404, "not_found") from None
