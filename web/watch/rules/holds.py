"""What is held for the law: a person or an announcement of which nothing goes, neither by age nor by anybody's wish."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response

from broker.errors import Problem, RuleBroken
from broker.ports.approvals import OperatorRole
from broker.privacy import erasure
from web.watch.desk import At, Desk, Form, number, of_the_school, posted, uuid_of
from web.watch.forms import reason, status_of
from web.watch.navigation import LOOKS
from web.watch.signing_in import NoPage

router = APIRouter()


@router.get("/watch/rules/holds")
def overview(at: Desk) -> Response:
    """What is held, and what was."""
    return _page(at)


@router.post("/watch/rules/holds")
async def change(request: Request) -> Response:
    """Hold something, or lift a hold."""
    return await posted(request, _change)


def _change(at: At, form: Form) -> Response:
    at.must(OperatorRole.ADMIN)
    try:
        if form["do"] == "lift":
            erasure.lift(at.ports, number(form["hold"]), actor=at.actor)
            return at.done("watch/rules/holds", "lifted")
        _place(at, form)
    except RuleBroken as refused:
        return _page(at, status_of(refused), problem=refused.problem, form=form)
    return at.done("watch/rules/holds", "held")


def _place(at: At, form: Form) -> None:
    who, announcement = form["who"][:100], form["announcement"][:300]
    if bool(who) == bool(announcement):
        hint = "fill in one of the two, and leave the other empty"
        raise RuleBroken(Problem("one_subject", "who", "a hold is on one person or one announcement", hint))
    why = reason(form["why"], needed="say why", hint="such as: claim of 3 March")
    erasure.hold(
        at.ports,
        who=who or None,
        announcement=_announcement(announcement) if announcement else None,
        why=why,
        actor=at.actor,
    )


def _announcement(text: str) -> UUID:
    """An announcement's id, alone or at the end of its page's address."""
    try:
        return uuid_of(text.partition("?")[0].rstrip("/").rpartition("/")[2])
    except NoPage:
        hint = "copy the address of its page"
        raise RuleBroken(
            Problem("bad_id", "announcement", "this is the address of no announcement", hint)
        ) from None


def _page(at: At, status: int = 200, **more: object) -> Response:
    """Of the whole school: a reason may name anybody."""
    of_the_school(at, *LOOKS)
    found = erasure.holds(at.ports, standing=False)
    standing = [one for one in found if one.lifted_at is None]
    past = [one for one in found if one.lifted_at is not None]
    may = at.may(OperatorRole.ADMIN)
    return at.page("rules/holds", status, **{"standing": standing, "past": past, "changes": may, **more})
