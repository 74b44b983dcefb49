"""What its author may do with an announcement that waits: word it anew, or send an urgent one without a yes."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.announcement import Part, Urgency
from broker.authority import approvals
from broker.errors import InvalidAnnouncement, NotFound, Problem, RuleBroken
from broker.ports.approvals import OperatorRole
from web.watch.approvals.known import Known, known
from web.watch.desk import At, Desk, Form, posted
from web.watch.forms import reason, status_of
from web.watch.signing_in import NoPage

router = APIRouter()


@router.get("/watch/{public_id}/reword")
def ask_words(public_id: str, at: Desk) -> Response:
    """Its words, to be changed."""
    return _words(at, _its(at, public_id))


@router.post("/watch/{public_id}/reword")
async def reword(public_id: str, request: Request) -> Response:
    """Its new words."""
    return await posted(request, lambda at, form: _reword(at, form, public_id))


@router.get("/watch/{public_id}/without")
def ask_without(public_id: str, at: Desk) -> Response:
    """What it means to send it without a second person."""
    return _without(at, _its(at, public_id))


@router.post("/watch/{public_id}/without")
async def without(public_id: str, request: Request) -> Response:
    """Send it without one, for a reason."""
    return await posted(request, lambda at, form: _override(at, form, public_id))


def _reword(at: At, form: Form, public_id: str) -> Response:
    it = _its(at, public_id)
    said = it.looked.announcement.public_id
    parts = {part: words for part in Part if (words := form[part.value])}
    try:
        if not parts:
            raise InvalidAnnouncement(
                Problem("empty_text", "long", "there is nothing to say instead", "write the message")
            )
        approvals.reword(at.ports, said, parts, actor=at.actor)
    except NotFound:
        raise NoPage(404, "not_found") from None
    except RuleBroken as refused:
        return _words(at, it, status_of(refused), problem=refused.problem, form=form)
    return at.done(f"watch/{said}", "reworded")


def _override(at: At, form: Form, public_id: str) -> Response:
    it = _its(at, public_id)
    said = it.looked.announcement.public_id
    try:
        hint = "whoever may say yes reads it, at once"
        why = reason(form["why"], needed="say why it cannot wait", hint=hint)
        approvals.override(at.ports, said, why, actor=at.actor)
    except NotFound:
        raise NoPage(404, "not_found") from None
    except RuleBroken as refused:
        return _without(at, it, status_of(refused), problem=refused.problem, form=form)
    return at.done(f"watch/{said}", "sent_without")


def _its(at: At, public_id: str) -> Known:
    """Raises NoPage for somebody who announces nothing, and for what is not there for them."""
    at.must(OperatorRole.AUTHOR)
    return known(at, public_id)


def _words(at: At, it: Known, status: int = 200, **more: object) -> Response:
    wording = it.looked.contents[0] if it.looked.contents else None
    return at.page("approvals/reword", status, it=it, looked=it.looked, wording=wording, **more)


def _without(at: At, it: Known, status: int = 200, **more: object) -> Response:
    urgent = it.looked.announcement.urgency is Urgency.URGENT
    return at.page("approvals/without", status, it=it, looked=it.looked, is_urgent=urgent, **more)
