"""What the office keeps and asks, as ports and the values that cross them: groups, families, templates, reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from broker.address import AddressKind
from broker.announcement import Attachment, Part, People, Purpose
from broker.audience import Audience
from broker.duty import Unreached
from broker.rosters.roster import Role


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody in the ledger. `source_id` is what the school's own system calls this person."""

    id: int
    public_id: UUID
    source_id: str
    name: str = field(repr=False)
    roles: frozenset[Role]
    form: str = ""
    year: str = ""


@dataclass(frozen=True, slots=True)
class KeptRow:
    """An active group with what may be changed of it; `expression` is None for one that has members of its own."""

    id: int
    name: str
    kept: bool  # by hand, or as the last roster said
    expression: str | None
    department: str | None  # its slug


@dataclass(frozen=True, slots=True)
class GuardianshipRow:
    """What is known of a guardian and a pupil; `by_hand` is a block that no roster lifts."""

    guardian: int
    pupil: int
    blocked: bool
    by_hand: bool


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """One version of a template, in one language."""

    department: str
    name: str
    version: int
    language: str
    parts: Mapping[Part, str] = field(repr=False)
    made_at: datetime
    made_by: str
    retired: bool = False
    attachments: tuple[Attachment, ...] = ()  # without their bytes where many templates are listed


@dataclass(frozen=True, slots=True)
class Use:
    """Something that names a group and is yet to come: `what` it is in a word, and what it is called."""

    what: str
    name: str


class Groups(Protocol):
    """Groups kept by hand: lists of members, or expressions over other groups."""

    def made_of(self) -> Mapping[str, str]:
        """Every active group that is an expression: folded name → expression."""

    def named(self, folded_name: str) -> KeptRow | None:
        """One active group."""

    def add(self, name: str, *, department: str | None, expression: str | None) -> KeptRow:
        """A new group, kept by hand."""

    def change(self, group: int, *, department: str | None, expression: str | None) -> None:
        """Whose it is, and what it is made of."""

    def retire(self, group: int) -> None:
        """It is no longer there; its name is free, what was planned for it stands."""

    def given_up(self, group: int) -> KeptRow | None:
        """One that was kept by hand and is no longer there; None for every other."""

    def bring_back(self, group: int) -> None:
        """It is there again, with the members it had."""

    def rename(self, group: int, name: str) -> None:
        """It is called otherwise."""

    def uses(self, folded_name: str) -> Sequence[Use]:
        """What names it in an audience and is yet to come, groups made of others among it."""

    def members(self, group: int) -> Sequence[int]:
        """Who is in it, whenever they began."""

    def enrol(self, group: int, people: Mapping[int, Role]) -> int:
        """Put people into a group from now on; returns how many were not in it."""

    def leave(self, group: int, people: Sequence[int]) -> int:
        """Take people out of a group; returns how many were in it."""


class Families(Protocol):
    """Who belongs to whom."""

    def find(self, word: str, *, limit: int, gone: bool = False) -> Sequence[PersonRow]:
        """Whom a word may mean: a school's own id, or our public one, alone; else everybody of that name.

        `gone`: those who left too, but nobody who was erased.
        """

    def by_source_ids(self, ids: Sequence[str]) -> Mapping[str, PersonRow]:
        """Those who are at the school, by the school's own ids."""

    def guardianship(self, guardian: int, pupil: int) -> GuardianshipRow | None:
        """What is known of the two; locked."""

    def set_block(self, guardian: int, pupil: int, *, blocked: bool) -> None:
        """Block a guardian from a pupil by hand, or lift the block; joins the two where nothing did."""


class Templates(Protocol):
    """Named wordings of a department, as versions that never change."""

    def newest(self, slug: str, folded_name: str, language: str) -> TemplateRow | None:
        """The newest version that there is, retired or not."""

    def version(self, slug: str, folded_name: str, language: str, version: int) -> TemplateRow | None:
        """One version."""

    def versions(self, slug: str, folded_name: str) -> Sequence[TemplateRow]:
        """Every version in every language, retired ones too, the newest first; files without their bytes."""

    def add(self, template: TemplateRow) -> None:
        """Keep a version that is new."""

    def retire(self, slug: str, folded_name: str) -> int:
        """No version of it is offered any more; returns how many were."""


BY_GUARDIAN = 2


@dataclass(frozen=True, slots=True)
class Lacking:
    """Somebody whom no way told: why no address speaks for them, and of which kind an unusable one is on file."""

    person: int
    public_id: UUID
    name: str = field(repr=False)
    group: str
    why: Unreached
    refused: frozenset[AddressKind]


class Reaches(Protocol):
    """Facts about who can be told, in bulk: thousands of rows, and never a verdict."""

    def count(self, audience: Audience, people: People, today: date) -> int:
        """How many a duty would be about."""

    def count_groups(self, folded_names: Collection[str], people: People, today: date) -> Mapping[str, int]:
        """The same of many groups that have members of their own; those that there are not are left out."""

    def count_reached(
        self, audience: Audience, people: People, kinds: Collection[AddressKind], today: date
    ) -> int:
        """How many of them have an address of one of these kinds, of their own or of whoever is told for them."""

    def told(self, audience: Audience, people: People, today: date) -> set[int]:
        """Everybody a duty would be about."""

    def pairs(
        self, audience: Audience, people: People, kinds: Collection[AddressKind], today: date
    ) -> Mapping[AddressKind, Sequence[tuple[int, int]]]:
        """(person, address) for each address by which each of them may be told, by its kind; some twice."""

    def opted_out(self, channel: str) -> set[int]:
        """Addresses that asked for no more on a channel."""

    def bounced(self, channel: str) -> set[int]:
        """Addresses that get nothing more on a channel because what went there came back."""

    def consents(self, channel: str, purpose: Purpose) -> Mapping[int, int]:
        """Address → 0 taken back by a holder, 1 given by all who were asked, `BY_GUARDIAN` for every one of them.

        One that nobody was asked about is left out.
        """

    def own(self, kind: AddressKind) -> Mapping[tuple[int, int], tuple[date | None, str]]:
        """(pupil, address) → birth date and year group, where a pupil holds an address that no guardian holds."""

    def lacking(self, people: People, persons: Sequence[int]) -> Sequence[Lacking]:
        """These people, by group and name, and what there is of theirs."""
