"""Who acts for one department sees and touches what is its own: of another's an id is of nothing at all."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from broker.actor import Actor
from broker.announcement import Announcement
from broker.errors import NotAllowed, NotFound, Problem, RuleBroken
from broker.ports import Transaction

OFFICE = "office"


def owner_of(known: Collection[str], named: str | None, actor: Actor | None = None) -> str:
    """Whose something is, where only one department can be meant. Raises RuleBroken."""
    if named is not None:
        return named
    if actor is not None and actor.department is not None:
        return actor.department
    if len(known) == 1:
        return next(iter(known))
    if OFFICE in known:
        return OFFICE
    hint = f"say one of: {', '.join(known)}"
    raise RuleBroken(Problem("no_department", "department", "whose announcement is it?", hint))


def sees(actor: Actor, department: str | None) -> bool:
    """Whether something of this department (None: of the school) is there for this actor."""
    return actor.department is None or department in {None, actor.department}


def must_see(actor: Actor, department: str | None, *, field: str, what: str) -> None:
    """Raises NotFound for something of another department."""
    if not sees(actor, department):
        raise gone(field, what)


def must_own(actor: Actor, department: str | None) -> None:
    """Raises NotAllowed for something that belongs to more than the actor's department."""
    if actor.department is not None and department != actor.department:
        whose = "the whole school's" if department is None else "another department's"
        message = f"this is {whose}, and you act for {actor.department} alone"
        raise NotAllowed(
            Problem("not_allowed", "department", message, "ask somebody who acts for the school")
        )


def announcement(tx: Transaction, public_id: UUID, actor: Actor) -> Announcement:
    """One announcement. Raises NotFound."""
    found = tx.announcements.by_public_id(public_id)
    if found is None:
        raise gone("id", "announcement")
    must_see(actor, found.department, field="id", what="announcement")
    return found


def gone(field: str, what: str) -> NotFound:
    """The one answer for what is not there and for what is another department's."""
    return NotFound(Problem("not_found", field, f"there is no such {what}", "look it up in the list"))
