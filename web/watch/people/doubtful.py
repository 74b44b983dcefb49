"""Addresses that somebody should look at: confirmed, left as they are, or stopped; one at a time, with the way back."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from broker.errors import Problem
from broker.office import doubtful as verbs
from broker.office.doubtful import DOUBTS, Doubt
from ledger.reads.doubtful import doubtful
from ledger.reads.standing import Standing, standing_at
from ledger.reads.stopped import of_addresses
from ledger.reads.told_lately import LOOKED_THROUGH, told_lately
from ledger.reads.twice import twice_now
from web.watch.desk import At, Desk, Form, acting, of_the_school, posted
from web.watch.forms import answered, pressed
from web.watch.people.common import CHANGES, MOST_FORM, WRITES, reason, typed, words
from web.watch.people.optouts import LIFTS
from web.watch.signing_in import NoPage

router = APIRouter()
PAGE = 25
LATELY = 30_000  # messages among which the last to an address is looked for
TABS: Mapping[Doubt, str] = {
    Doubt.SHARED: "Shared",
    Doubt.FAILING: "Refused",
    Doubt.BOUNCED: "Came back",
    Doubt.UNCONFIRMED: "Not confirmed for a year",
}
ABOUT: Mapping[Doubt, str] = {
    Doubt.SHARED: (
        "People who share no guardian hold the same number or email: an office, a refuge, a slip of a finger. It gets"
        " messages without names. Correct it in the school’s own system where it is wrong; leave it where it is right."
    ),
    Doubt.FAILING: "The last message to it was refused for good, while others got theirs.",
    Doubt.BOUNCED: "The last message was taken and came back. Nothing more goes there until somebody confirms it.",
    Doubt.UNCONFIRMED: "Nobody has said for a year that it is right, and no roster has brought it anew.",
}


@router.get("/watch/doubtful")
def list_(at: Desk) -> Response:
    """Those of one doubt, in the order in which they came to the school."""
    of_the_school(at)
    doubt = _doubt(at.query("doubt"))
    with at.reading() as hand:
        found = doubtful(hand, doubts=(doubt,), after=at.number("after") or 0, limit=PAGE + 1, lately=LATELY)
    more = found[PAGE - 1].id if len(found) > PAGE else None
    known = {"found": found[:PAGE], "more": more, "doubt": doubt, "tabs": TABS, "about": ABOUT[doubt]}
    return at.page("people/doubtful", lately=LATELY, DOUBTS=DOUBTS, **known, **words())


@router.get("/watch/doubtful/twice")
def twice_(at: Desk) -> Response:
    """Members of staff who may be guardians under another id."""
    of_the_school(at)
    with at.reading() as hand:
        found = twice_now(hand)
    return at.page("people/twice", found=found, tabs=TABS, **words())


@router.get("/watch/doubtful/{number:int}")
def one(number: int, at: Desk) -> Response:
    """One address: who holds it, about whom it hears, how it stands, and what went there lately."""
    of_the_school(at)
    return _page(at, number, None, {})


@router.post("/watch/doubtful/{number:int}")
async def act(number: int, request: Request) -> Response:
    """Say that it is right, or that nothing more goes there."""
    return await posted(request, lambda at, form: _act(at, form, number), most=MOST_FORM)


def _act(at: At, form: Form, number: int) -> Response:
    of_the_school(at)
    do = pressed(form, {"confirm": _confirm, "stop": _stop})
    return answered(
        lambda: at.done(f"watch/doubtful/{number}", do(at, form, number)),
        lambda problem, status: _page(at, number, problem, {"why": form["why"]}, status),
    )


def _confirm(at: At, form: Form, number: int) -> str:
    at.must(*WRITES)
    verbs.confirm(at.ports, number, actor=acting(at))
    return "address_confirmed"


def _stop(at: At, form: Form, number: int) -> str:
    at.must(*CHANGES)
    verbs.stop(at.ports, number, why=reason(form["why"]), actor=acting(at))
    return "address_stopped"


def _page(
    at: At, number: int, problem: Problem | None, form: Mapping[str, str], status: int = 200
) -> Response:
    if not 0 < number < 2**62:
        raise NoPage(404, "not_found")
    with at.reading() as hand:
        standing: Standing | None = standing_at(hand, number)
        if standing is None:
            raise NoPage(404, "not_found")
        told = doubtful(hand, lately=LATELY, only=number, held=True)
        stopped = of_addresses(hand, [number])
        sent = told_lately(hand, None, [number])
    known = {"address": standing, "told": told[0] if told else None, "stopped": stopped, "sent": sent}
    may = {"confirms": at.may(*WRITES), "changes": at.may(*CHANGES), "writes": at.may(LIFTS)}
    more = {"problem": problem, "form": typed(form), "looked_through": LOOKED_THROUGH, "DOUBTS": DOUBTS}
    return at.page("people/address", status, **known, **may, **more, **words())


def _doubt(text: str) -> Doubt:
    if not text:
        return Doubt.SHARED
    if text not in set(Doubt):
        raise NoPage(404, "not_found")
    return Doubt(text)
