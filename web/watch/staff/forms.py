"""Naming somebody, changing what they may do and where, taking them away. Each wants a fresh proof of who does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Request, Response

from broker.authority import operators
from broker.authority.signin import must_be_fresh
from broker.errors import NotFound, ProofWanted, RuleBroken
from broker.ports.approvals import OperatorRole
from ledger.reads.staff import Member, numbered
from web.watch.desk import At, Form, posted
from web.watch.forms import pressed, status_of
from web.watch.proving import to_proof
from web.watch.signing_in import NoPage
from web.watch.staff.pages import SCHOOL, member_page, new_page, the
from web.watch.staff.words import chosen

router = APIRouter()
MOST_NAME = 200


@router.post("/watch/staff/new")
async def add(request: Request) -> Response:
    """Name somebody."""
    return await posted(request, _add)


@router.post("/watch/staff/{number}")
async def change(number: str, request: Request) -> Response:
    """Give somebody other roles, let them act elsewhere, or take them away."""
    return await posted(request, lambda at, form: act(at, number, form, _DO))


def _add(at: At, form: Form) -> Response:
    at.must(OperatorRole.ADMIN)
    name, place = form["name"][:MOST_NAME], form["department"] or None
    try:
        fresh(at)
        operators.add(at.ports, name, chosen(form.all("role")), place, actor=at.actor)
    except ProofWanted:
        return to_proof(at, "watch/staff/new")
    except RuleBroken as refused:
        return new_page(at, status_of(refused), problem=refused.problem, form=form)
    return at.done(f"watch/staff/{_number_of(at, name)}", "staff_added")


def act(at: At, which: str, form: Form, does: Mapping[str, Callable[[At, Member, Form], str]]) -> Response:
    """Do something about one of them, as an admin who has proved just now who they are; then lead on.

    `does`: what each button does, which answers with the word that tells what was done.
    """
    at.must(OperatorRole.ADMIN)
    member = the(at, which)
    try:
        fresh(at)
        done = pressed(form, does)(at, member, form)
    except ProofWanted:
        return to_proof(at, f"watch/staff/{member.id}")
    except NotFound:
        raise NoPage(404, "not_found") from None
    except RuleBroken as refused:
        return member_page(at, which, status_of(refused), problem=refused.problem, form=form)
    return at.done("watch/staff" if done == "staff_removed" else f"watch/staff/{member.id}", done)


def fresh(at: At) -> None:
    """A browser left open makes nobody an administrator. Raises ProofWanted."""
    with at.ports.ledger.look() as tx:
        must_be_fresh(tx, at.session)


def _give(at: At, member: Member, form: Form) -> str:
    roles = chosen(form.all("role"))
    operators.give(at.ports, member.name, roles, actor=at.actor, seen=form["seen"] or None)
    return "staff_roles"


def _move(at: At, member: Member, form: Form) -> str:
    place = form["department"]
    department = None if place == SCHOOL else place
    operators.move(at.ports, member.name, department, actor=at.actor, seen=form["seen"] or None)
    return "staff_moved"


def _remove(at: At, member: Member, _form: Form) -> str:
    operators.remove(at.ports, member.name, actor=at.actor)
    return "staff_removed"


def _number_of(at: At, name: str) -> int | str:
    with at.reading() as hand:
        return numbered(hand, name) or ""


_DO = {"roles": _give, "department": _move, "remove": _remove}
