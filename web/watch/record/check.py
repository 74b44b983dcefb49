"""Checking that nobody changed the record: asked for by a button, answered in plain words."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.errors import Problem
from broker.scrutiny.heads import read_heads
from web.watch.desk import At, Desk, Form, posted
from web.watch.record.checking import AT_ONCE, Check, Checks
from web.watch.record.pages import reader

router = APIRouter()
MOST_TEXT = 200_000  # signs of heads that somebody brought: a mail a week for a lifetime
MOST_HEADS = 2_000


@router.get("/watch/record/check")
def answer(at: Desk) -> Response:
    """How far the check is, or what came of it."""
    reader(at)
    return _page(at, checks_at(at).last)


@router.get("/watch/record/check/now")
def progress(at: Desk) -> Response:
    """The same as a part, for the script that asks again while it runs."""
    reader(at)
    return at.part("record/checked", check=checks_at(at).last)


@router.post("/watch/record/check")
async def begin(request: Request) -> Response:
    """Check it."""
    return await posted(request, _begin)


def _begin(at: At, form: Form) -> Response:
    reader(at)
    text = form["heads"]
    heads = read_heads(text[:MOST_TEXT])
    problem = None
    if text and not heads:
        hint = "it is the line with 64 digits that was mailed or printed"
        problem = Problem("no_head", "heads", "there is no line of the record in this", hint)
    elif len(text) > MOST_TEXT or len(heads) > MOST_HEADS:
        problem = Problem(
            "too_many_heads", "heads", "these are too many lines", f"give {MOST_HEADS:,} at most"
        )
    if problem is not None:
        return _page(at, checks_at(at).last, 422, problem=problem, form=form)
    with at.reading() as hand:
        now = hand.now
    check = checks_at(at).begin(at.actor.id, now, heads)
    check.ended.wait(AT_ONCE.total_seconds())
    return at.done("watch/record/check")


def checks_at(at: At) -> Checks:
    """Of this process: whoever asks sees the same."""
    state = at.request.app.state
    if not hasattr(state, "record_checks"):
        state.record_checks = Checks(at.ledger)
    checks: Checks = state.record_checks
    return checks


def _page(at: At, check: Check | None, status: int = 200, **more: object) -> Response:
    return at.page("record/check", status, check=check, **more)
