"""What the office knows: that somebody has been told, how many people are meant, and what must be kept for the law."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from broker.authority import second_thoughts
from broker.errors import NotFound, RuleBroken
from broker.ladders import seen as acknowledging
from broker.office.reach import kinds_of
from broker.ports.approvals import OperatorRole
from broker.privacy import erasure
from web.watch.announcement import acting
from web.watch.announcement.pages import Number, show_history, show_person, the
from web.watch.announcement.person import person as person_of
from web.watch.desk import At, Desk, Form, posted
from web.watch.forms import people_meant, reason
from web.watch.signing_in import NoPage

router = APIRouter()
HoldNumber = Annotated[int, Path(ge=1, le=2**31)]


@router.post("/watch/{public_id:uuid}/people/{duty}/knows")
async def knows(public_id: UUID, duty: Number, request: Request) -> Response:
    """They told the office that they know: nothing more goes to them."""
    return await posted(request, partial(_knows, public_id, duty))


@router.get("/watch/{public_id:uuid}/expect")
def ask_how_many(public_id: UUID, at: Desk) -> Response:
    """How many people it would tell, to be typed by whoever means it."""
    return _how_many(at, public_id)


@router.post("/watch/{public_id:uuid}/expect")
async def expect(public_id: UUID, request: Request) -> Response:
    """So many are meant: it goes on."""
    return await posted(request, partial(_expect, public_id))


@router.post("/watch/{public_id:uuid}/holds")
async def hold(public_id: UUID, request: Request) -> Response:
    """Keep it for the law, whatever its age."""
    return await posted(request, partial(_hold, public_id))


@router.post("/watch/{public_id:uuid}/holds/{number}/lift")
async def lift(public_id: UUID, number: HoldNumber, request: Request) -> Response:
    """It need not be kept any more."""
    return await posted(request, partial(_lift, public_id, number))


def _knows(public_id: UUID, duty: int, at: At, form: Form) -> Response:
    at.must(*acting.ACTS)
    with at.ledger.look() as tx:
        row = the(tx.hand, at, public_id)
        found = person_of(tx, row.announcement, duty, kinds_of(at.ports.channels, row.announcement))
        if found is None:
            raise NoPage(404, "not_found")
        who = tx.threads.name(row.announcement.id, [found.told.person])[0].person
    if who is None:
        raise NoPage(404, "not_found")
    try:
        why = reason(form["why"])
        acknowledging.at_the_office(at.ports, public_id, who, why=why, actor=at.actor)
    except RuleBroken as refused:
        return show_person(at, public_id, duty, 422, problem=refused.problem, form=form)
    return at.done(f"watch/{public_id}/people/{duty}", "they_know")


def _expect(public_id: UUID, at: At, form: Form) -> Response:
    at.must(*acting.ACTS)
    with at.reading() as hand:
        the(hand, at, public_id)
    try:
        second_thoughts.expect(at.ports, public_id, people_meant(form["count"]), actor=at.actor)
    except RuleBroken as refused:
        return _how_many(at, public_id, 422, problem=refused.problem, form=form)
    return at.done(f"watch/{public_id}", "expected")


def _how_many(at: At, public_id: UUID, status: int = 200, **known: object) -> Response:
    at.must(*acting.ACTS)
    with at.reading() as hand:
        row = the(hand, at, public_id)
    return at.page("announcement/expect", status, shown=row, offers=acting.offered(at, row), **known)


def _hold(public_id: UUID, at: At, form: Form) -> Response:
    at.must(OperatorRole.ADMIN)
    with at.reading() as hand:
        the(hand, at, public_id)
    try:
        hint = "a claim, a complaint, an inquiry"
        why = reason(form["why"], needed="say why it must be kept", hint=hint)
        erasure.hold(at.ports, announcement=public_id, why=why, actor=at.actor)
    except RuleBroken as refused:
        return show_history(at, public_id, 422, problem=refused.problem, form=form)
    return at.done(f"watch/{public_id}/history#holds", "kept")


def _lift(public_id: UUID, number: int, at: At, form: Form) -> Response:
    at.must(OperatorRole.ADMIN)
    with at.reading() as hand:
        the(hand, at, public_id)
    if not any(one.id == number and one.announcement == public_id for one in erasure.holds(at.ports)):
        raise NoPage(404, "not_found")
    try:
        erasure.lift(at.ports, number, actor=at.actor)
    except NotFound:
        raise NoPage(404, "not_found") from None
    except RuleBroken as refused:
        return show_history(at, public_id, 422, problem=refused.problem)
    return at.done(f"watch/{public_id}/history#holds", "let_go")
