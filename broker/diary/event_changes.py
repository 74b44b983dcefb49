"""What an event is to be, as somebody says it at a page or a terminal: checked, and laid over what stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from broker import audience as audiences
from broker.actor import Actor
from broker.announcement import People
from broker.diary.event_telling import apart_from, applies, is_for_others
from broker.diary.events import LONGEST
from broker.diary.recurrence import HORIZON
from broker.errors import NotToBeChanged, Problem
from broker.moments import today_of
from broker.office.expressions import must_see, resolve
from broker.ports import Transaction
from broker.ports.events import EventRow


@dataclass(frozen=True, slots=True)
class Changed:
    """What an event is to be: its time, its end, place and title, and the groups it is for; None: as it is.

    `wall` and `starts_at` are said together. `audience` is the source's to say where the event comes from one.
    """

    wall: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    place: str | None = None
    title: str | None = None
    audience: str | None = None


def changed(tx: Transaction, row: EventRow, to: Changed, actor: Actor) -> EventRow:
    """The event as it is to be. Raises NotToBeChanged, UnknownAudience."""
    starts_at, wall = to.starts_at or row.starts_at, to.wall or row.wall
    if row.cancelled_at is not None or not tx.now < starts_at < tx.now + HORIZON:
        message = "it is cancelled, or that time is past or too far away"
        raise NotToBeChanged(Problem("past", "to", message, "choose another time"))
    new = replace(
        row,
        wall=wall,
        starts_at=starts_at,
        ends_at=to.ends_at or starts_at + (row.ends_at - row.starts_at),
        place=row.place if to.place is None else to.place,
        title=row.title if to.title is None else to.title,
    )
    if to.audience is None or audiences.alike(to.audience, row.audience):
        return new
    if row.source:
        message = "the calendar that it comes from says whom it is for"
        raise NotToBeChanged(Problem("of_a_source", "to", message, "change it there"))
    must_see(tx, audiences.parse(to.audience), actor)
    must_be_known(tx, row.department, to.audience)
    return replace(new, audience=to.audience)


def check(to: Changed) -> None:
    """Whether its words and times can be meant. Raises NotToBeChanged."""
    check_words("place", to.place or "")
    check_words("title", to.title or "")
    if to.title is not None and not to.title.strip():
        raise NotToBeChanged(Problem("empty_text", "title", "it has no name", "say what takes place"))
    if to.ends_at is not None and to.starts_at is not None and to.ends_at < to.starts_at:
        raise NotToBeChanged(Problem("ends_first", "ends", "it ends before it begins", "check its times"))


def check_words(field: str, words: str) -> None:
    """Whether a title or a place can stand in a calendar. Raises NotToBeChanged."""
    if not (words.isprintable() and len(words) <= LONGEST):
        message = f"a title and a place are one line of at most {LONGEST} characters"
        raise NotToBeChanged(Problem("bad_text", field, message, "shorten it"))


def must_be_known(tx: Transaction, department: str, audience: str) -> None:
    """Raises NotToBeChanged for a department that is not there, UnknownAudience for groups."""
    if not (department.isprintable() and tx.announcements.department_exists(department)):
        raise NotToBeChanged(
            Problem(
                "unknown_department", "department", "this department is not known", "see `carillon doctor`"
            )
        )
    resolve(tx, audiences.parse(audience))


def joining_by(tx: Transaction, row: EventRow, new: EventRow, told: Sequence[UUID]) -> int:
    """How many it is for from now on whom its reminders, `told` so far, have not told and will."""
    apart = apart_from(tx, new.audience, row.audience) if is_for_others(row, new) else None
    if apart is None:
        return 0
    today = today_of(tx)
    fitting = [one for one in tx.events.rules() if one.department == new.department]
    kinds = {one.people is People.STAFF for one in fitting if applies(one.audience, new.audience)}
    people = [People.STAFF if staff else People.BOTH for staff in kinds]
    return sum(tx.plans.count_untold(apart, each, today, told) for each in people)
