"""What a person decides about messages that went wrong: try one or all again, leave as they are, look."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response

from broker import recover
from broker.delivery import State
from broker.errors import Problem, RuleBroken
from broker.privacy import erasure
from broker.recover import MOST_REQUEUED
from web.watch.announcement import acting, words
from web.watch.announcement.pages import Number, show_delivery, the, the_delivery
from web.watch.announcement.topic import SAFELY_AGAIN
from web.watch.desk import At, Desk, Form, posted
from web.watch.forms import answered, reason
from web.watch.signing_in import NoPage

router = APIRouter()
# Which of what went wrong, by the word that the form says.
WHICH = {"failed": SAFELY_AGAIN, "uncertain": frozenset({State.UNCERTAIN})}
MOST_SEEN = 9  # digits


@router.post("/watch/{public_id:uuid}/deliveries/{delivery}/requeue")
async def requeue(public_id: UUID, delivery: Number, request: Request) -> Response:
    """Try one again."""
    return await posted(request, partial(_requeue, public_id, delivery))


@router.post("/watch/{public_id:uuid}/deliveries/{delivery}/settle")
async def settle(public_id: UUID, delivery: Number, request: Request) -> Response:
    """Leave an uncertain one as it is."""
    return await posted(request, partial(_settle, public_id, delivery))


@router.post("/watch/{public_id:uuid}/deliveries/{delivery}/reveal")
async def reveal(public_id: UUID, delivery: Number, request: Request) -> Response:
    """Show its whole number or email once; the record keeps that somebody looked, and why."""
    return await posted(request, partial(_reveal, public_id, delivery))


@router.get("/watch/{public_id:uuid}/failed/{channel}")
def failed(public_id: UUID, channel: str, at: Desk) -> Response:
    """All that went wrong by one way, before it is tried again."""
    return _failed(at, public_id, channel)


@router.post("/watch/{public_id:uuid}/failed/{channel}")
async def requeue_all(public_id: UUID, channel: str, request: Request) -> Response:
    """Try all of it again: as many as somebody was shown, or none."""
    return await posted(request, partial(_requeue_all, public_id, channel))


def _requeue(public_id: UUID, number: int, at: At, form: Form) -> Response:
    seen = State(form["state"]) if form["state"] in set(State) else None

    def requeue(why: str) -> None:
        recover.requeue(at.ports, number, actor=at.actor, why=why, expected=seen)

    return _decide(public_id, number, at, form, requeue, "tried_again")


def _settle(public_id: UUID, number: int, at: At, form: Form) -> Response:
    def settle(why: str) -> None:
        recover.settle(at.ports, number, actor=at.actor, why=why)

    return _decide(public_id, number, at, form, settle, "settled")


def _decide(
    public_id: UUID, number: int, at: At, form: Form, decide: Callable[[str], None], done: str
) -> Response:
    """What a person decides about one; what is against it stands beside it."""
    at.must(*acting.ACTS)
    with at.reading() as hand:
        the_delivery(hand, at, public_id, number)

    def work() -> Response:
        decide(reason(form["why"]))
        return at.done(f"watch/{public_id}/deliveries/{number}", done)

    def again(problem: Problem, status: int) -> Response:
        tried = done == "tried_again"
        return show_delivery(at, public_id, number, status, problem=problem, form=form, tried_again=tried)

    return answered(work, again)


def _reveal(public_id: UUID, number: int, at: At, form: Form) -> Response:
    at.must(*acting.ACTS)
    with at.reading() as hand:
        the_delivery(hand, at, public_id, number)
    try:
        why = reason(form["why"], needed="say why", hint="the record keeps it")
        full = erasure.reveal_deliveries(at.ports, [number], why=why, actor=at.actor)
    except RuleBroken as refused:
        return show_delivery(at, public_id, number, 422, problem=refused.problem, form=form)
    return show_delivery(at, public_id, number, full=full.get(number, ""))


def _requeue_all(public_id: UUID, channel: str, at: At, form: Form) -> Response:
    at.must(*acting.ACTS)
    which, seen = form["which"], form["seen"]
    if which not in WHICH or not (seen.isdigit() and seen.isascii() and len(seen) <= MOST_SEEN):
        raise NoPage(400, "refused")
    with at.reading() as hand:
        the(hand, at, public_id)
    try:
        why = reason(form["why"])
        recover.requeue_all(
            at.ports, public_id, channel, WHICH[which], expected=int(seen), actor=at.actor, why=why
        )
    except RuleBroken as refused:
        return _failed(at, public_id, channel, 422, problem=refused.problem, form=form)
    return at.done(f"watch/{public_id}", "all_tried_again")


def _failed(at: At, public_id: UUID, channel: str, status: int = 200, **known: object) -> Response:
    at.must(*acting.ACTS)
    with at.reading() as hand:
        row = the(hand, at, public_id)
        hub = at.request.app.state.hub
        reasons = hub.counts.of(hand, row, exact=True).reasons
    if channel not in row.channels:
        raise NoPage(404, "not_found")
    states = row.channels[channel]
    return at.page(
        "announcement/failed",
        status,
        shown=row,
        channel=channel,
        counted={which: sum(states.get(state, 0) for state in found) for which, found in WHICH.items()},
        reasons=[one for one in reasons if one.channel == channel],
        offers=acting.offered(at, row),
        most=MOST_REQUEUED,
        words=words,
        **known,
    )
