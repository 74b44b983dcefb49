"""Somebody's data: their numbers shown in full, a copy of everything that is held of them, and their erasure.

What an erasure takes is worked out when somebody asks for it, by a form: it goes through every wording of the school.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.errors import Problem, RuleBroken
from broker.ports.approvals import OperatorRole
from broker.privacy import erasure
from broker.privacy.erasure import Erasing, Ground
from ledger.reads.copy import copy
from web import copy_page
from web.watch.desk import At, Desk, Form, acting, of_the_school, posted
from web.watch.forms import called, pressed
from web.watch.people.common import MOST_FORM, reason, the_person, today_and_zone, typed
from web.watch.people.one import about
from web.watch.signing_in import HEADERS, NoPage

router = APIRouter()
GROUNDS = {
    Ground.REQUEST: "They asked for it, or somebody who may ask for them",
    Ground.CONSENT: "They took back the consent that it rested on",
    Ground.OBJECTION: "They object to its use",
    Ground.OVER: "It is not needed any more",
    Ground.UNLAWFUL: "It should never have been kept",
    Ground.LAW: "A law demands it",
}
FORMS = {"html": "text/html; charset=utf-8", "json": "application/json"}


@router.get("/watch/people/{public_id}/data")
def data(public_id: str, at: Desk) -> Response:
    """What may be asked of somebody's data."""
    of_the_school(at)
    return _page(at, public_id, {})


@router.post("/watch/people/{public_id}/data")
async def act(public_id: str, request: Request) -> Response:
    """Show the numbers in full, or make the copy."""
    return await posted(request, lambda at, form: _act(at, form, public_id), most=MOST_FORM)


@router.get("/watch/people/{public_id}/erase")
def ask_erase(public_id: str, at: Desk) -> Response:
    """What erasing is, before anything is looked up."""
    of_the_school(at)
    at.must(OperatorRole.ADMIN)
    return _erase_page(at, public_id, None, Form(), None)


@router.post("/watch/people/{public_id}/erase")
async def erase(public_id: str, request: Request) -> Response:
    """Say what would go; then, with the id typed, let it go."""
    return await posted(request, lambda at, form: _erase(at, form, public_id), most=MOST_FORM)


def _act(at: At, form: Form, public_id: str) -> Response:
    of_the_school(at)
    at.must(pressed(form, {"reveal": OperatorRole.AUTHOR, "copy": OperatorRole.ADMIN}))
    field = f"why_{form['do']}"
    try:
        why = reason(form[field], field)
        if form["do"] == "reveal":
            found = erasure.reveal(at.ports, public_id, why=why, actor=acting(at))
            return _page(at, public_id, {}, revealed=found.addresses)
        return _copy(at, public_id, why, form["as"])
    except RuleBroken as refused:
        return _page(at, public_id, {field: form[field]}, problem=called(refused.problem, {"why": field}))


def _copy(at: At, public_id: str, why: str, kind: str) -> Response:
    if kind not in FORMS:
        raise NoPage(400, "refused")
    with at.ledger.begin() as tx:
        person, subject = erasure.subject_of_copy(tx, public_id, why=why, actor=acting(at))
        found = copy(tx.hand, subject)
        told = copy_page.facts(tx.hand, tx.rules.current(), at.settings.school.name)
    body = copy_page.page(found, **told) if kind == "html" else copy_page.as_json(found, told)
    name = f"{copy_page.file_name(person.source_id)}.{kind}"
    # To be kept and read there: in a page of ours it would be under our own rules for scripts and styles.
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, 200, headers, FORMS[kind])


def _erase(at: At, form: Form, public_id: str) -> Response:
    of_the_school(at)
    at.must(OperatorRole.ADMIN)
    with at.reading() as hand:
        the_person(hand, public_id)
    if form["do"] == "look":
        return _erase_page(at, public_id, erasure.look(at.ports, public_id), form, None)
    if form["do"] != "erase" or form["ground"] not in set(Ground):
        raise NoPage(400, "refused")
    try:
        erasure.erase(
            at.ports,
            public_id,
            confirmed=form["confirm"],
            ground=Ground(form["ground"]),
            called=form["called"] == "yes",
            shared=form["shared"] == "yes",
            actor=acting(at),
        )
    except RuleBroken as refused:
        return _erase_page(at, public_id, erasure.look(at.ports, public_id), form, refused.problem)
    at.ledger.forget()
    return at.done("watch/people", "erased")


def _page(
    at: At,
    public_id: str,
    form: dict[str, str],
    *,
    problem: Problem | None = None,
    revealed: tuple[tuple[str, str], ...] | None = None,
) -> Response:
    with at.ledger.look() as tx:
        known, when = the_person(tx.hand, public_id), today_and_zone(tx)
    shown = {
        "form": typed(form),
        "problem": problem,
        "revealed": revealed,
        "runs": at.may(OperatorRole.ADMIN),
    }
    return at.page("people/data", 422 if problem else 200, **shown, **about(at, known, "data", when))


def _erase_page(
    at: At, public_id: str, looked: Erasing | None, form: Form, problem: Problem | None
) -> Response:
    with at.ledger.look() as tx:
        known, when = the_person(tx.hand, public_id), today_and_zone(tx)
    shown = {"looked": looked, "form": form, "problem": problem, "GROUNDS": GROUNDS}
    return at.page("people/erase", 422 if problem else 200, **shown, **about(at, known, "data", when))
