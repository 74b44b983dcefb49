"""Personal data: what there is of one person, what is held, what has had its time, and what providers are to forget."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID

from broker.ports.office import PersonRow


@dataclass(frozen=True, slots=True)
class Subject:
    """One person, and every number of ours by which rows about them are found.

    `alone`: addresses that nobody else holds; `shared_hashes`: of those that others hold too; `deliveries`: to any
    address of theirs, or about them. `named`: every way in which their name is written whole; `called`: the single
    names, which may be words of the language too; `titled`: the family name that "Mrs" and the like stand before.
    """

    person: int
    addresses: tuple[int, ...]
    alone: tuple[int, ...]
    alone_hashes: tuple[bytes, ...] = field(repr=False)
    shared_hashes: tuple[bytes, ...] = field(repr=False)
    deliveries: tuple[int, ...] = field(repr=False)
    values: tuple[tuple[str, str], ...] = field(repr=False)  # (kind, value) of the addresses that go
    named: tuple[str, ...] = field(repr=False)
    called: tuple[str, ...] = field(repr=False)
    titled: tuple[str, ...] = field(repr=False)
    source_id: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Footprint:
    """What an erasure would take: counts, and what stands in its way.

    `rows` counts them by what their table holds; `named` says how many wordings name the person whole, `called` how
    many have one of the single names, or a title and the family name; `files` went to or about them, and nobody has
    looked into those. `under_way` are messages whose fate is not known yet, `blocks` court orders that keep this
    guardian from a pupil who is here, `concerns` answers of theirs that the safeguarding lead has not dealt with,
    `holds` what is held for the law.
    """

    rows: Mapping[str, int]
    named: int
    called: int
    files: int
    shared: int
    under_way: int
    blocks: int
    concerns: int
    holds: int
    at_providers: int


@dataclass(frozen=True, slots=True)
class Struck:
    """What an announcement came to be when somebody was struck out of it: the digests that the record holds of it."""

    kept: str
    wording: str


@dataclass(frozen=True, slots=True)
class HoldRow:
    """Something that must not go. `lifted_at` is None while it stands."""

    id: int
    person: PersonRow | None
    announcement: UUID | None
    words: str = field(repr=False)
    held_by: str
    held_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None


class Privacy(Protocol):
    """What there is of one person."""

    def subject(self, person: int, *, lock: bool = False, orphans: bool = True) -> Subject:
        """Everything by which their rows are found; `lock` keeps others from starting anything to them meanwhile.

        `orphans`: with addresses that nobody holds any more, of messages about them and about pupils whom nobody else
        looks after. It is likely, not known, that these were theirs: enough to erase them, never to show them.
        """

    def footprint(self, subject: Subject) -> Footprint:
        """What an erasure would take, and what stands in its way; reads only."""

    def addresses(self, people: Collection[int]) -> Mapping[int, Sequence[tuple[int, str, str]]]:
        """(id, kind, value) of each address that these people hold, unmasked: whoever asks keeps that in the record."""

    def addressed(self, deliveries: Sequence[int]) -> Mapping[int, tuple[int, str]]:
        """Delivery → (address, its value, unmasked), likewise."""

    def forget_at_providers(self, subject: Subject, *, shared: bool) -> int:
        """Have providers asked to forget every message to or about them, and what they wrote; returns how many.

        `shared`: what came from addresses that others hold too, as well.
        """

    def carry_over_refusals(self, subject: Subject) -> None:
        """Make what they refused an opt-out of the addresses that go, for consent goes with the person."""

    def erase(self, subject: Subject, *, called: bool, shared: bool) -> Mapping[int, Struck]:
        """Empty, strike and delete; returns the announcements whose words that changed.

        `called`: single names are struck out as well; `shared`: answers from addresses that others hold too go as well.
        """

    def wait_for_imports(self) -> None:
        """First of all in its transaction: after the import in hand, and before the next one looks who is barred."""

    def bar(self, subject: Subject) -> None:
        """Keep, as keyed hashes, what a roster would know them by: before they are erased."""

    def readmit(self, source_id: str) -> int | None:
        """Let a roster bring them back; the number of the row that is left, None when nobody is barred by this id."""

    def hold(self, *, person: int | None, announcement: int | None, words: str, by: str) -> int:
        """Hold something for the law; returns its number."""

    def lift(self, hold: int, *, by: str) -> bool:
        """Lift it; False when there is none that stands."""

    def holds(self, *, standing: bool = True) -> Sequence[HoldRow]:
        """What is held, the newest first."""

    def people_of(self, deliveries: Sequence[int]) -> Sequence[int]:
        """Whom deliveries are about."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What one chunk took: how many, and whether there may be more.

    Of messages, `runs` are the first and last number of each run of deliveries that went, all of one announcement.
    """

    count: int
    more: bool
    announcement: int | None = None
    runs: tuple[tuple[int, int], ...] = ()


class Prunings(Protocol):
    """What has had its time, a chunk a call. What is held for the law, or still under way, stays."""

    def night(self, day: date, *, lease: timedelta) -> bool:
        """Take this night's work for a while; False when it is done, or somebody else is at it."""

    def night_done(self, day: date, done: Mapping[str, int], *, ended: bool) -> None:
        """Add to what this night came to; `ended` when nothing is left."""

    def last_night(self) -> tuple[date, datetime | None, Mapping[str, int]] | None:
        """The newest night: its date, when it ended, what went."""

    def content(self, before: datetime, *, limit: int) -> Pruned:
        """Wordings and files of announcements that expired before."""

    def messages(self, before: datetime, *, limit: int) -> Pruned:
        """Who was told what by announcements that expired before."""

    def leavers_addresses(self, before: datetime, *, limit: int) -> Pruned:
        """Addresses of those who left before, and of nobody."""

    def leavers(self, before: datetime, *, after: int, limit: int) -> Sequence[PersonRow]:
        """Who left before and is there by name still, by number beyond `after`."""

    def aged(self, kept: str, before: datetime, *, limit: int) -> Mapping[str, Pruned]:
        """Rows of every table that is kept so, by its own age: table → what went."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """A message that its provider is to forget."""

    id: int
    account: str
    gateway: str  # that has it; "" where that is not known, and each is asked
    provider_id: str = field(repr=False)
    wanted_at: datetime
    failures: int


class Redactions(Protocol):
    """What providers are still to be asked to forget."""

    def is_due(self) -> bool:
        """Whether there is something to ask now; reads only."""

    def due(self, *, limit: int, again_in: timedelta) -> Sequence[Redaction]:
        """What is to be asked now; each is put off by `again_in` so that one worker asks."""

    def put_off(self, redaction: int, *, failures: int, by: timedelta) -> None:
        """It could not be asked: later."""

    def drop(self, redactions: Sequence[int]) -> None:
        """Nothing more is to be asked."""
