"""The lists of answers, and the page on which one can be opened. To look is recorded, so it takes a button, not a link.

What may be about harm is shown to the safeguarding lead alone; everybody else sees that it is there, and to whom to go.
"""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from broker.incoming import answers
from ledger.reads.answers import Stands, is_there, part
from web.watch.desk import At, Desk, uuid_of
from web.watch.signing_in import NoPage

router = APIRouter()

FIRST = 10  # of each list, on the page that has them all
WAITING = (Stands.CONCERN, Stands.NEW, Stands.OPEN)


@router.get("/watch/answers")
def overview(at: Desk) -> Response:
    """What waits: about harm perhaps, then what nobody has read, then what was read; or one of these lists alone."""
    asked = at.query("show")
    if asked and asked not in set(Stands):
        raise NoPage(404, "not_found")
    lead = answers.may_see(at.ports, at.actor, concern=True)
    theirs = answers.inboxes_of(at.ports, at.actor, at.department)
    before = at.number("before") or 0
    with at.reading() as hand:
        parts = {
            stands: part(
                hand,
                stands,
                lead=lead,
                inboxes=theirs,
                department=at.department,
                before=before if asked else 0,
                limit=25 if asked else FIRST,
            )
            for stands in ((Stands(asked),) if asked else WAITING)
        }
    return at.page("answers/overview", parts=parts, only=asked, before=before, lead=lead)


@router.get("/watch/answers/{public_id}")
def ask(public_id: str, at: Desk) -> Response:
    """A page with a button: a mail scanner or a preview that only looks has seen nothing and records nothing."""
    return one(at, there(at, public_id))


def one(at: At, public_id: UUID, status: int = 200, **known: object) -> Response:
    """The page of one answer; closed, unless it is among what is known."""
    shown: dict[str, object] = {
        "answer": None,
        "sender": "",
        "senders": (),
        "number": "",
        "about": "",
        "inboxes": (),
    }
    return at.page("answers/one", status, id=public_id, **{**shown, **known})


def there(at: At, public_id: str) -> UUID:
    """The id of an answer that is there for whoever asks. Raises NoPage."""
    wanted, theirs = uuid_of(public_id), answers.inboxes_of(at.ports, at.actor, at.department)
    with at.reading() as hand:
        if not is_there(hand, wanted, theirs):
            raise NoPage(404, "not_found")
    return wanted
