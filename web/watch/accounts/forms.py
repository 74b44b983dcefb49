"""What is done to an account: paused, let go on, a provider held out or taken back, looked at again, its posts seen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from fastapi import APIRouter, Request, Response

from broker import accounts as verbs
from broker.authority import departments
from broker.errors import SetupError
from broker.licences import oversight, posture
from broker.ports.approvals import OperatorRole
from web.watch.accounts import look
from web.watch.accounts.pages import STOPS, account_page
from web.watch.desk import At, Form, acting, posted
from web.watch.forms import answered, reason
from web.watch.signing_in import NoPage

router = APIRouter()

MOST_FORM = 8 * 1024  # bytes: a reason, each of its signs sent as three, and a token
WHY = {"needed": "say why", "hint": "whoever asks later reads it, and so does the record"}


@router.post("/watch/accounts/{name}/pause")
async def pause(name: str, request: Request) -> Response:
    """Stop it within a second; what is to go by it waits."""
    return await posted(request, lambda at, form: _pause(at, form, name), most=MOST_FORM)


@router.post("/watch/accounts/{name}/resume")
async def resume(name: str, request: Request) -> Response:
    """Let it go on."""
    return await posted(request, lambda at, form: _resume(at, form, name), most=MOST_FORM)


@router.post("/watch/accounts/{name}/providers")
async def providers(name: str, request: Request) -> Response:
    """Hold one of its providers out, or take it back."""
    return await posted(request, lambda at, form: _providers(at, form, name), most=MOST_FORM)


@router.post("/watch/accounts/{name}/look")
async def look_again(name: str, request: Request) -> Response:
    """Look at it at its provider, now."""
    return await posted(request, lambda at, form: _look_again(at, form, name), most=MOST_FORM)


@router.post("/watch/accounts/{name}/seen")
async def seen(name: str, request: Request) -> Response:
    """Somebody has looked at the posts that did not come from here."""
    return await posted(request, lambda at, form: _seen(at, form, name), most=MOST_FORM)


def _pause(at: At, form: Form, name: str) -> Response:
    at.must(*STOPS)

    def work() -> str:
        account = look.shown(at, name).account
        departments.must_own(acting(at), account.department)
        verbs.pause(at.ports, name, reason(form["why"], **WHY), actor=acting(at))
        return "account_paused"

    return _done(at, form, name, work)


def _resume(at: At, form: Form, name: str) -> Response:
    at.must(OperatorRole.ADMIN)

    def work() -> str:
        account = look.shown(at, name).account
        departments.must_own(acting(at), account.department)
        verbs.resume(at.ports, name, actor=at.actor, why=reason(form["why"]))
        return "account_resumed"

    return _done(at, form, name, work)


def _providers(at: At, form: Form, name: str) -> Response:
    at.must(OperatorRole.ADMIN)
    look.shown(at, name)
    gateway = form["gateway"]

    def work() -> str:
        if form["do"] == "hold-out":
            verbs.hold_out(at.ports, name, gateway, reason(form["why"], **WHY), actor=at.actor)
            return "gateway_held_out"
        verbs.take_back(at.ports, name, gateway, actor=at.actor, why=reason(form["why"]))
        return "gateway_taken_back"

    return _done(at, form, name, work)


def _look_again(at: At, form: Form, name: str) -> Response:
    at.must(OperatorRole.ADMIN)
    account = look.shown(at, name).account
    try:
        channel = at.ports.channels.open(name)
    except SetupError:
        raise NoPage(404, "not_found") from None
    posture.look_if_old(at.ports, account, channel, actor=at.actor, after=timedelta(0))
    return at.done(f"watch/accounts/{name}#posture", "account_looked")


def _seen(at: At, form: Form, name: str) -> Response:
    at.must(*STOPS)
    departments.must_own(acting(at), look.shown(at, name).account.department)
    oversight.seen(at.ports, name, actor=at.actor)
    return at.done(f"watch/accounts/{name}#posts", "posts_seen")


def _done(at: At, form: Form, name: str, work: Callable[[], str]) -> Response:
    """Do it; what was refused stands beside its field, with what was typed."""
    return answered(
        lambda: at.done(f"watch/accounts/{name}", work()),
        lambda problem, status: account_page(at, name, status, problem=problem, form=form),
    )
