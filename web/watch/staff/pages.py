"""Who may do what; and one of them, with where they are signed in."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Response

from broker.authority.operators import seen_of
from broker.ports import Session
from broker.ports.approvals import OperatorRole
from ledger.reads.departments import departments
from ledger.reads.staff import Member, staff
from web.watch.desk import At, Desk, number
from web.watch.navigation import LOOKS
from web.watch.proving import proof_first
from web.watch.signing_in import NoPage
from web.watch.staff.words import OPTIONS, ROLES, roles

router = APIRouter()
SCHOOL = ""  # what a form says for the whole school


@router.get("/watch/staff")
def overview(at: Desk) -> Response:
    """Everybody; of whoever is of one department, those of it."""
    at.must(*LOOKS)
    with at.reading() as hand:
        found, names = staff(hand, at.department), departments(hand)
    nobody_agrees = not any(OperatorRole.APPROVER in one.roles for one in found)
    return at.page("staff/staff", found=found, names=names, nobody_agrees=nobody_agrees, **known(at))


@router.get("/watch/staff/new")
def new(at: Desk) -> Response:
    """Name somebody."""
    at.must(OperatorRole.ADMIN)
    return proof_first(at, "watch/staff/new") or new_page(at)


@router.get("/watch/staff/{number}")
def one(number: str, at: Desk) -> Response:
    """One of them."""
    at.must(*LOOKS)
    return member_page(at, number)


def new_page(at: At, status: int = 200, **more: object) -> Response:
    """The form for somebody new."""
    with at.reading() as hand:
        names = departments(hand)
    return at.page("staff/new", status, names=names, **known(at), **more)


def member_page(at: At, which: str, status: int = 200, **more: object) -> Response:
    """The page of one of them. Raises NoPage."""
    member = the(at, which)
    with at.ledger.look() as tx:
        sessions: Sequence[Session] = tx.sessions.of_operator(member.name)
        left = tx.proofs.codes_left(member.name) if member.second_at is not None else 0
        names = departments(tx.hand)
    shown = {"member": member, "sessions": sessions, "left": left, "names": names, **known(at)}
    seen = seen_of(member.roles, member.department)
    return at.page("staff/member", status, **{**shown, "seen": seen, **more})


def the(at: At, which: str) -> Member:
    """One of them, by number. Raises NoPage for nobody, or for somebody of another department."""
    wanted = number(which)
    with at.reading() as hand:
        found = next((one for one in staff(hand, at.department) if one.id == wanted), None)
    if found is None:
        raise NoPage(404, "not_found")
    return found


def known(at: At) -> dict[str, object]:
    """What every page about staff says roles with, and who may sign in where."""
    return {
        "roles_said": roles,
        "ROLES": ROLES,
        "OPTIONS": OPTIONS,
        "changes": at.may(OperatorRole.ADMIN),
        "called": {name: one.at.called for name, one in at.request.app.state.providers.items()},
        "passwords": at.settings.sign_in.passwords,
    }
