"""Who does it. Every verb takes an Actor; the record keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """What kind of hand it was."""

    PERSON = "person"  # a member of staff, by sign-in or as a named local operator
    SYSTEM = "system"  # Carillon itself: the sweep, a worker
    TOKEN = "token"  # noqa: S105 - a machine that pushes, such as the timetable system
    PROVIDER = "provider"  # a callback whose signature held


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, for which department, and for whom when it is on somebody's behalf.

    `id` names an operator, a token or a worker, never a person's address. Doors bind it from a token or a named
    local operator, never from $USER: a login name on a shared office machine accounts for nobody. `token` names the
    one by which a program acts as an operator: the record tells the program's hand from theirs.
    """

    kind: ActorKind
    id: str
    department: str | None = None
    on_behalf_of: str | None = None
    token: str | None = None


SYSTEM = Actor(ActorKind.SYSTEM, "carillon")
