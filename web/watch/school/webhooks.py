"""Programs elsewhere that are told what becomes of messages: which there are, one added, taken away, let go on."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from fastapi import APIRouter, Request, Response

from broker import webhooks as verbs
from broker.delivery import STATES, State
from broker.errors import NotToBeChanged, Problem, RuleBroken
from broker.ports.api import WebhookRow
from broker.ports.approvals import OperatorRole
from web.watch.desk import At, Desk, Form, acting, posted
from web.watch.forms import answered
from web.watch.navigation import LOOKS
from web.watch.proving import proof_first
from web.watch.signing_in import NoPage

router = APIRouter()

MOST_FORM = 16 * 1024
LONGEST_URL = 2_000
USUAL = (State.SENT, State.DELIVERED, State.REFUSED, State.REJECTED, State.EXHAUSTED, State.UNCERTAIN)


@router.get("/watch/school/webhooks")
def webhooks(at: Desk) -> Response:
    """Who is told, and how each stands."""
    at.must(*LOOKS)
    return _page(at)


@router.post("/watch/school/webhooks")
async def add(request: Request) -> Response:
    """A new one; what its messages are signed with is shown this once."""
    return await posted(request, _add, most=MOST_FORM)


@router.post("/watch/school/webhooks/{public_id:uuid}/{do}")
async def change(public_id: UUID, do: str, request: Request) -> Response:
    """Take one away, or let one that was given up go on."""
    doing = {"remove": (verbs.remove, "webhook_removed"), "resume": (verbs.resume, "webhook_resumed")}.get(do)
    if doing is None:
        raise NoPage(404, "not_found")
    return await posted(request, lambda at, _: _change(at, public_id, *doing), most=MOST_FORM)


def _add(at: At, form: Form) -> Response:
    at.must(OperatorRole.ADMIN)
    if (proof := proof_first(at, "watch/school/webhooks")) is not None:
        return proof
    try:
        if len(form["url"]) > LONGEST_URL:
            raise NotToBeChanged(Problem("bad_url", "url", "this is too long for an address", "shorten it"))
        states = [State(each) for each in form.all("states") if each in set(State)]
        owner = form["department"] or at.department
        row = verbs.add(at.ports, form["url"], states, department=owner, actor=acting(at))
    except RuleBroken as refused:
        return _page(at, 422, problem=refused.problem, form=form)
    return _page(at, made=row, secret=verbs.secret_of(at.ports, row.public_id))


def _change(at: At, public_id: UUID, do: Callable[..., None], said: str) -> Response:
    at.must(OperatorRole.ADMIN)

    def work() -> Response:
        do(at.ports, public_id, actor=acting(at))
        return at.done("watch/school/webhooks", said)

    return answered(work, lambda problem, status: _page(at, status, problem=problem))


def _page(
    at: At,
    status: int = 200,
    *,
    problem: Problem | None = None,
    form: Form | None = None,
    made: WebhookRow | None = None,
    secret: str = "",
) -> Response:
    with at.ports.ledger.look() as tx:
        listed = verbs.listed(tx, acting(at))
    return at.page(
        "school/webhooks",
        status,
        listed=listed,
        states={state.value: STATES[state].label.capitalize() for state in State},
        usual=[state.value for state in USUAL],
        departments=at.departments(),
        makes=at.may(OperatorRole.ADMIN),
        problem=problem,
        form=form or Form(),
        made=made,
        secret=secret,
    )
