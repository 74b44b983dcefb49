"""Keys for programs: which there are, one made and shown once, one taken away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from fastapi import APIRouter, Request, Response

from broker.authority import tokens as verbs
from broker.authority.tokens import Made
from broker.errors import NotFound, NotToBeChanged, Problem, RuleBroken
from broker.ports.api import Scope, TokenRow
from broker.ports.approvals import OperatorRole
from web.watch.desk import At, Desk, Form, acting, posted
from web.watch.navigation import LOOKS
from web.watch.proving import proof_first
from web.watch.signing_in import NoPage

router = APIRouter()

MOST_FORM = 16 * 1024
# What people call what a key is for, where its own word is a program's.
THINGS = {
    "deliveries": "what became of messages",
    "approvals": "what waits for a second person",
    "record": "the record",
    "timetable": "the timetable",
    "webhooks": "which programs are told",
    "tokens": "keys",
}
# Where “read” and “change” would not say what happens.
WORDS = {
    Scope.ANNOUNCEMENTS_WRITE: "Send announcements, and take them back",
    Scope.DELIVERIES_WRITE: "Try messages again, or leave them as they are",
    Scope.APPROVALS_WRITE: "Say yes or no to what others wrote",
    Scope.TIMETABLE_WRITE: "Bring the timetable’s changes",
    Scope.TOKENS_READ: "See which keys there are",
    Scope.TOKENS_WRITE: "Make keys, and take them away",
}
LENGTHS = {"30": "A month", "90": "Three months", "365": "A year"}
FIELDS = {
    "scope": "scope",
    "operator": "operator",
    "lasts": "lasts",
    "name": "name",
    "department": "department",
}


@router.get("/watch/school/tokens")
def tokens(at: Desk) -> Response:
    """Which programs may call, for what, until when."""
    at.must(*LOOKS)
    return _page(at)


@router.post("/watch/school/tokens")
async def make(request: Request) -> Response:
    """A new one; it is shown this once."""
    return await posted(request, _make, most=MOST_FORM)


@router.post("/watch/school/tokens/revoke")
async def revoke(request: Request) -> Response:
    """One works no more."""
    return await posted(request, _revoke, most=MOST_FORM)


def _make(at: At, form: Form) -> Response:
    at.must(OperatorRole.ADMIN)
    if (proof := proof_first(at, "watch/school/tokens")) is not None:
        return proof
    try:
        made = verbs.make(
            at.ports,
            form["name"],
            _scopes(form),
            department=form["department"] or at.department,
            operator=form["operator"] or None,
            lasts=timedelta(days=int(form["lasts"]) if form["lasts"] in LENGTHS else 0),
            actor=acting(at),
        )
    except RuleBroken as refused:
        return _page(at, 422, problem=refused.problem, form=form)
    return _page(at, made=made)


def _revoke(at: At, form: Form) -> Response:
    at.must(OperatorRole.ADMIN)
    if all(one.name != form["name"] for one in _listed(at)):
        raise NoPage(404, "not_found")
    try:
        verbs.revoke(at.ports, form["name"], actor=acting(at))
    except NotFound:
        raise NoPage(404, "not_found") from None
    return at.done("watch/school/tokens", "token_revoked")


def _scopes(form: Form) -> list[Scope]:
    try:
        return [Scope(each) for each in form.all("scope")]
    except ValueError:
        raise NotToBeChanged(
            Problem("bad_scope", "scope", "this is nothing a key can be for", "tick some of the list")
        ) from None


def _page(
    at: At,
    status: int = 200,
    *,
    problem: Problem | None = None,
    form: Form | None = None,
    made: Made | None = None,
) -> Response:
    with at.ports.ledger.look() as tx:
        named = [one.name for one in tx.operators.all() if at.department in {None, one.department}]
        now = tx.now
    if problem is not None:
        problem = replace(problem, field=FIELDS.get(problem.field, ""))
    return at.page(
        "school/tokens",
        status,
        listed=_listed(at),
        now=now,
        scopes={scope.value: _in_words(scope) for scope in Scope},
        lengths=LENGTHS,
        departments=at.departments(),
        operators=[("", "itself"), *((one, one) for one in named)],
        makes=at.may(OperatorRole.ADMIN),
        problem=problem,
        form=form or Form(),
        made=made,
    )


def _listed(at: At) -> list[TokenRow]:
    with at.ports.ledger.look() as tx:
        return [one for one in tx.tokens.all() if at.department in {None, one.department}]


def _in_words(scope: Scope) -> str:
    """What a key may be used for: "read announcements"."""
    if scope in WORDS:
        return WORDS[scope]
    what, _, how = scope.value.partition(":")
    return f"{'Read' if how == 'read' else 'Change'} {THINGS.get(what, what)}"
