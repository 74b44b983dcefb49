"""Taking an announcement back: while nothing has left; or later, telling those whom it reached or nobody."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response

from broker import intake
from broker.announcement import AS_CORRECTION, RIGHT_TEXT, Draft, Part
from broker.authority import second_thoughts
from broker.corrections import verbs
from broker.delivery import REACHED, State
from broker.errors import NotFound, Problem, RuleBroken
from ledger.reads.status import retracting
from ledger.reads.watch import Shown
from web.watch.announcement import acting, binding, words
from web.watch.announcement.pages import the
from web.watch.desk import At, Desk, Form, posted
from web.watch.form_key import key_of, new_key
from web.watch.forms import called
from web.watch.signing_in import NoPage

router = APIRouter()
UNDER_WAY = frozenset({State.QUEUED, State.SENDING})


@router.get("/watch/{public_id:uuid}/undo")
def ask_to_undo(public_id: UUID, at: Desk) -> Response:
    """What taking it back does while nothing has left."""
    return _undo_page(at, public_id)


@router.post("/watch/{public_id:uuid}/undo")
async def undo(public_id: UUID, request: Request) -> Response:
    """Take it back: nobody will ever hear of it."""
    return await posted(request, partial(_undo, public_id))


@router.get("/watch/{public_id:uuid}/withdraw")
def ask_to_withdraw(public_id: UUID, at: Desk) -> Response:
    """What withdrawing does now: what stops, what has left, and whom somebody could tell."""
    return _withdraw_page(at, public_id)


@router.post("/watch/{public_id:uuid}/withdraw")
async def withdraw(public_id: UUID, request: Request) -> Response:
    """Withdraw it; or show first who would be told of it; or both."""
    return await posted(request, partial(_withdraw, public_id))


def _undo(public_id: UUID, at: At, form: Form) -> Response:
    at.must(*acting.STOPS)
    with at.reading() as hand:
        the(hand, at, public_id)
    if form["do"] != "undo":  # what cannot be brought back is asked for by name
        raise NoPage(400, "refused")
    try:
        second_thoughts.undo(at.ports, public_id, actor=at.actor)
    except RuleBroken as refused:
        return _undo_page(at, public_id, 422, problem=refused.problem)
    return at.done(f"watch/{public_id}", "undone")


def _undo_page(at: At, public_id: UUID, status: int = 200, **known: object) -> Response:
    at.must(*acting.STOPS)
    with at.reading() as hand:
        row = the(hand, at, public_id)
    return at.page("announcement/undo", status, shown=row, offers=acting.offered(at, row), **known)


def _withdraw(public_id: UUID, at: At, form: Form) -> Response:
    at.must(*acting.STOPS)
    with at.reading() as hand:
        the(hand, at, public_id)
    do = form["do"]
    try:
        if do == "quietly":
            intake.withdraw(at.ports, public_id, actor=at.actor)
            return at.done(f"watch/{public_id}", "withdrawn")
        if do == "change":
            return _withdraw_page(at, public_id, form=form)
        found = binding.answer(
            at.ports,
            _telling(at, public_id, form),
            form,
            lambda draft: verbs.withdraw_and_tell(at.ports, draft, actor=at.actor)[1],
            actor=at.actor,
        )
    except NotFound:
        raise NoPage(404, "not_found") from None
    except RuleBroken as refused:
        problem = called(refused.problem, {"long": "tell", "short": "tell", "text": "tell"})
        return _withdraw_page(at, public_id, 422, problem=problem, form=form)
    if found.accepted is not None:
        return at.done(f"watch/{found.accepted.announcement.public_id}", "withdrawn_and_told")
    return _withdraw_page(
        at, public_id, found.status, form=form, preview=found.preview, problem=found.problem
    )


def _telling(at: At, public_id: UUID, form: Form) -> Draft:
    """What those read whom it had reached. Raises RuleBroken."""
    at.must(*acting.ACTS)  # to say something is an author's, to stop something anybody's who answers for it
    if not form["tell"]:
        hint = "or withdraw it and tell nobody"
        raise RuleBroken(Problem("nothing_said", "tell", "there is nothing to tell them yet", hint))
    urgent = "urgent" in form
    return verbs.withdrawal(
        at.ports,
        public_id,
        {Part.LONG: acting.text_of(form, "tell")},
        verbs.Wanted(urgent=urgent, key=key_of(form)),
    )


def _withdraw_page(at: At, public_id: UUID, status: int = 200, **known: object) -> Response:
    at.must(*acting.STOPS)
    with at.reading() as hand:
        row = the(hand, at, public_id)
        public = retracting(hand, row.announcement.id) if row.announcement.withdrawn_at else 0
    return at.page(
        "announcement/withdraw",
        status,
        **{
            "shown": row,
            "stands": _stands(row),
            "public": public,
            "broadcast": _broadcast(at, row),
            "offers": acting.offered(at, row),
            "acts": at.may(*acting.ACTS),
            "key": new_key(),
            "words": words,
            "preview": None,
            "AS_CORRECTION": AS_CORRECTION,
            "RIGHT_TEXT": RIGHT_TEXT,
            **known,
        },
    )


def _stands(row: Shown) -> dict[str, int]:
    """How many messages stop, how many have left, and of how many nobody knows."""
    counted = {"stops": UNDER_WAY, "left": REACHED, "doubtful": frozenset({State.UNCERTAIN})}
    return {
        name: sum(n for states_ in row.channels.values() for state, n in states_.items() if state in states)
        for name, states in counted.items()
    }


def _broadcast(at: At, row: Shown) -> list[str]:
    """The ways by which it stands in public."""
    known = at.ports.channels.names()
    return [name for name in row.channels if name in known and at.ports.channels.traits(name).broadcast]
