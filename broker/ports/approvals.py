"""Operators and their roles; what a second person decided, and what that decision is bound to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from broker.announcement import Announcement, Part


class OperatorRole(StrEnum):
    """What an operator may do: announce, agree to what others announce, change rules and operators, or only look."""

    AUTHOR = "author"
    APPROVER = "approver"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Decided(StrEnum):
    """What became of an announcement that waited for a second person."""

    APPROVED = "approved"
    REJECTED = "rejected"
    OVERRIDDEN = "overridden"  # urgent, sent without one, for a reason


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who may act. `department` None: for the whole school."""

    name: str
    roles: frozenset[OperatorRole]
    department: str | None
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Binding:
    """What a decision is about: another version of any of these is another announcement."""

    content_version: int
    audience: str
    people: str
    ways: tuple[tuple[str, ...], ...]
    rules_version: int
    counted: int | None  # people; a little more or less is still the same

    @property
    def digest(self) -> str:
        """What two of them have in common when nothing but the count differs, hashed."""
        said = [self.content_version, self.audience, self.people, self.ways, self.rules_version]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision as kept."""

    id: int
    announcement: int
    decided: Decided
    by: str
    at: datetime
    why: str
    bound: str
    content_version: int
    rules_version: int
    counted: int | None
    void_at: datetime | None = None
    void_why: str = ""
    reviewed_at: datetime | None = None
    reviewed_by: str | None = None
    review: str = ""


@dataclass(frozen=True, slots=True)
class Author:
    """Who announced something: the kind of hand, and its name."""

    kind: str
    id: str
    on_behalf_of: str | None = None

    @property
    def told(self) -> str:
        """In words."""
        return f"{self.id}, on behalf of {self.on_behalf_of}" if self.on_behalf_of else self.id


class Operators(Protocol):
    """Who may act."""

    def all(self) -> Sequence[Operator]:
        """Everybody who is there, by name."""

    def named(self, folded_name: str) -> Operator | None:
        """One of them."""

    def any(self) -> bool:
        """Whether the school has named any."""

    def add(self, name: str, roles: Sequence[OperatorRole], department: str | None, *, by: str) -> None:
        """Name one who is not there."""

    def set_roles(self, folded_name: str, roles: Sequence[OperatorRole]) -> None:
        """Give one these roles in place of those before."""

    def set_department(self, folded_name: str, department: str | None) -> None:
        """Whose announcements one acts on; None: the whole school's."""

    def remove(self, folded_name: str, *, by: str) -> None:
        """They act no more; what they did stays theirs."""


class Approvals(Protocol):
    """Decisions of a second person."""

    def binding(self, announcement: Announcement) -> Binding:
        """What a decision about it would be about now."""

    def author(self, announcement: Announcement) -> Author:
        """Who announced it, or for whom it was."""

    def standing(self, announcement: int) -> Decision | None:
        """The decision that stands, if any."""

    def add(self, announcement: int, decided: Decided, binding: Binding, *, by: str, why: str) -> None:
        """Keep a decision where none stands."""

    def void(self, announcement: int, why: str) -> None:
        """The decision that stood does no more."""

    def waits_in_mid_send(self, announcement: int) -> bool:
        """Whether deliveries of it wait for a second person, who has not decided."""

    def to_review(self, announcement: int) -> Decision | None:
        """The override of it that nobody has looked at since, if any."""

    def review(self, announcement: int, *, by: str, note: str) -> bool:
        """Somebody looked at an override afterwards; False when none was to be looked at."""

    def unreviewed(self) -> Sequence[UUID]:
        """Announcements sent without a second person that nobody has looked at since, the oldest first."""

    def reword(
        self, announcement: Announcement, version: int, parts: Mapping[Part, str], language: str
    ) -> None:
        """Keep a new version of the wording, with the files of the one before; its second thoughts begin anew."""
