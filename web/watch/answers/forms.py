"""What is done with one answer: read it, show whom to ring, call it dealt with or not after all, give it away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from fastapi import APIRouter, Request, Response

from broker.errors import NotAllowed, NotFound, NotToBeChanged
from broker.incoming import answers
from ledger.reads.answers import masked_sender, senders
from ledger.reads.watch import one as announcement
from web.watch.answers.pages import one, there
from web.watch.desk import At, Form, posted
from web.watch.signing_in import NoPage

router = APIRouter()


@router.post("/watch/answers/{public_id}")
async def act(public_id: str, request: Request) -> Response:
    """Whatever its button says."""

    def do(at: At, form: Form) -> Response:
        wanted, verb = there(at, public_id), VERBS.get(form["do"])
        if verb is None:
            raise NoPage(400, "refused")
        try:
            return verb(at, wanted, form)
        except NotFound as gone:
            if gone.problem.field == "inbox":
                return _opened(at, wanted, 422, problem=gone.problem)
            raise NoPage(404, "not_found") from None
        except (NotToBeChanged, NotAllowed) as refused:
            return one(at, wanted, 403, problem=refused.problem)

    return await posted(request, do)


def _read(at: At, wanted: UUID, form: Form) -> Response:
    return _opened(at, wanted)


def _number(at: At, wanted: UUID, form: Form) -> Response:
    return _opened(at, wanted, number=answers.reveal(at.ports, wanted, actor=at.actor))


def _done(at: At, wanted: UUID, form: Form) -> Response:
    answers.finish(at.ports, wanted, actor=at.actor)
    return at.done("watch/answers", "answer_done")


def _undone(at: At, wanted: UUID, form: Form) -> Response:
    answers.reopen(at.ports, wanted, actor=at.actor)
    return at.done("watch/answers", "answer_reopened")


def _release(at: At, wanted: UUID, form: Form) -> Response:
    answers.release(at.ports, wanted, form["inbox"], actor=at.actor)
    return at.done("watch/answers", "answer_released")


VERBS: Mapping[str, Callable[[At, UUID, Form], Response]] = {
    "read": _read,
    "number": _number,
    "done": _done,
    "undone": _undone,
    "release": _release,
}


def _opened(at: At, wanted: UUID, status: int = 200, **known: object) -> Response:
    """The answer with its words, who may have written it, and what it is about."""
    answer = answers.show(at.ports, wanted, actor=at.actor)
    with at.reading() as hand:
        people = senders(hand, wanted)
        said = announcement(hand, answer.announcement, at.department) if answer.announcement else None
    inboxes = [(inbox.name, inbox.name) for inbox in at.ports.answering.inboxes]
    return one(
        at,
        wanted,
        status,
        answer=answer,
        sender=masked_sender(answer.sender),
        senders=people,
        about=said,
        inboxes=inboxes,
        **known,
    )
