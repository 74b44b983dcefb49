"""What may be done about one person: a yes or a no kept, a block set and lifted."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from broker.announcement import Purpose
from broker.consent import consents
from broker.consent.consents import Told
from broker.consent.sheets import day_of
from broker.errors import Problem, RuleBroken
from broker.office import families
from broker.ports.approvals import OperatorRole
from ledger.reads.households import kin_of
from ledger.reads.people import Known
from web.watch.desk import At, Desk, Form, acting, of_the_school, posted
from web.watch.forms import called
from web.watch.people.common import (
    CHANGES,
    MOST_FORM,
    reason,
    the_person,
    today_and_zone,
    typed,
)
from web.watch.people.consent import ways
from web.watch.people.one import about
from web.watch.signing_in import NoPage

router = APIRouter()
SAID = ("given", "channel", "purpose", "by", "source", "evidence", "on")


@router.get("/watch/people/{public_id}/consent/new")
def ask_consent(public_id: str, at: Desk) -> Response:
    """A form for what somebody said."""
    of_the_school(at)
    at.must(*CHANGES)
    return _consent_page(at, public_id, {}, None)


@router.post("/watch/people/{public_id}/consent/new")
async def say(public_id: str, request: Request) -> Response:
    """Keep it."""
    return await posted(request, lambda at, form: _say(at, form, public_id), most=MOST_FORM)


@router.get("/watch/people/{public_id}/block")
def ask_whom(public_id: str, at: Desk) -> Response:
    """A form: who must hear nothing about a child."""
    at.must(*CHANGES)
    return _block_page(at, _child(at, public_id), None, "", "", None)


@router.get("/watch/people/{public_id}/block/{guardian}")
def ask_block(public_id: str, guardian: str, at: Desk) -> Response:
    """The same of one who is known; or to lift it."""
    at.must(*CHANGES)
    child, adult = _child(at, public_id), _child(at, guardian)
    return _block_page(at, child, adult, "", "", None)


@router.post("/watch/people/{public_id}/block")
async def block(public_id: str, request: Request) -> Response:
    """Set it, or lift it."""
    return await posted(request, lambda at, form: _block(at, form, public_id), most=MOST_FORM)


def _say(at: At, form: Form, public_id: str) -> Response:
    of_the_school(at)
    at.must(*CHANGES)
    said = {name: form[name] for name in SAID}
    with at.reading() as hand:
        person = the_person(hand, public_id).person
    try:
        if form["given"] not in {"yes", "no"}:
            raise RuleBroken(Problem("bad_answer", "given", "was it yes or no?", "choose one"))
        purpose = form["purpose"] or Purpose.PROMOTIONAL.value
        if purpose not in set(Purpose):
            raise NoPage(400, "refused")
        told = Told(
            str(person.public_id),
            form["channel"],
            form["given"] == "yes",
            form["source"],
            Purpose(purpose),
            day_of(form["on"]),
            form["evidence"],
            form["by"],
        )
        consents.keep(at.ports, [told], actor=acting(at))
    except RuleBroken as refused:
        return _consent_page(at, public_id, said, refused.problem)
    return at.done(f"watch/people/{public_id}/consent", "consent_kept")


def _block(at: At, form: Form, public_id: str) -> Response:
    at.must(*CHANGES)
    child = _child(at, public_id)
    lifts = form["do"] == "lift"
    if lifts:
        at.must(OperatorRole.ADMIN)
    adult = _child(at, form["guardian"]) if form["guardian"] else None
    word = str(adult.person.public_id) if adult is not None else form["who"]
    try:
        why = reason(form["why"])
        verb = families.unblock if lifts else families.block
        verb(at.ports, word, str(child.person.public_id), why=why, actor=acting(at))
    except RuleBroken as refused:
        problem = called(refused.problem, {"guardian": "who"})
        return _block_page(at, child, adult, form["who"], form["why"], problem)
    return at.done(f"watch/people/{public_id}", "unblocked" if lifts else "blocked")


def _child(at: At, public_id: str) -> Known:
    with at.reading() as hand:
        known = the_person(hand, public_id)
    if not known.here:
        raise NoPage(404, "not_found")
    return known


def _consent_page(at: At, public_id: str, form: Mapping[str, str], problem: Problem | None) -> Response:
    with at.ledger.look() as tx:
        known, when = the_person(tx.hand, public_id), today_and_zone(tx)
        guardians = [one.guardian for one in kin_of(tx.hand, known.person).guardians if not one.blocked]
    if not known.here:
        raise NoPage(404, "not_found")
    shown = {"form": typed(form), "problem": problem, "guardians": guardians, "ways": ways(at.ports, at)}
    # A yes is kept by an author alone, as the verb wants it; a no by anybody who may change something.
    more = {"today": when[0].isoformat(), "keeps": at.may(OperatorRole.AUTHOR)}
    return at.page(
        "people/consent_new", 422 if problem else 200, **shown, **more, **about(at, known, "consent", when)
    )


def _block_page(
    at: At, child: Known, adult: Known | None, who: str, why: str, problem: Problem | None
) -> Response:
    with at.ledger.look() as tx:
        when = today_and_zone(tx)
        kin = kin_of(tx.hand, child.person)
    of = adult.person.id if adult is not None else None
    tie = next((one for one in kin.guardians if one.guardian.id == of), None)
    shown = {"adult": adult.person if adult else None, "tie": tie, "who": who, "why": why}
    more = {"problem": problem, "lifts": at.may(OperatorRole.ADMIN) and at.department is None}
    return at.page("people/block", 422 if problem else 200, **shown, **more, **about(at, child, "one", when))
