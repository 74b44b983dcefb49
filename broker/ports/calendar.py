"""The term calendar and what is scheduled over it, as ports and the values that cross them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from broker.announcement import Attachment, Draft
from broker.diary.calendar import Span
from broker.diary.recurrence import Pattern
from broker.rosters.roster import RosterTerm


class Outcome(StrEnum):
    """What became of an occurrence."""

    MADE = "made"  # its announcement was accepted
    LATE = "late"  # accepted after its time: nothing ran then
    MISSED = "missed"  # nothing ran, and it was over when something did
    REFUSED = "refused"  # by intake or a rule, with the reason
    UNCLEAR = "unclear"  # in an hour that is missing or double, and nobody said what then
    CANCELLED = "cancelled"  # its announcement was taken back


@dataclass(frozen=True, slots=True)
class Yes:
    """A second person's yes to all that a schedule or a reminder will say, and to about how many people."""

    by: str
    at: datetime
    counted: int | None = None


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """A schedule: when it comes, and what is then announced. `draft` has neither key nor times.

    `lasts` is how long each of its announcements may still go out. `looked_until`: everything before it is done.
    `changed_at`: when a person last changed what it says, to whom, or by which ways.
    """

    id: int
    public_id: UUID
    name: str
    draft: Draft = field(repr=False)
    pattern: Pattern
    lasts: timedelta
    made_by: str
    made_at: datetime
    changed_at: datetime
    looked_until: datetime
    next_at: datetime | None
    paused_at: datetime | None = None
    ended_at: datetime | None = None
    approved: Yes | None = None


@dataclass(frozen=True, slots=True)
class OccurrenceRow:
    """One that is done: what became of it, why, and its announcement if there is one."""

    schedule: int
    original: datetime
    due_at: datetime | None
    outcome: Outcome
    at: datetime
    why: str = ""
    announcement: UUID | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """A calendar elsewhere that is read again and again. Its address may hold a secret."""

    id: int
    name: str
    department: str
    url: str = field(repr=False)
    audience: str
    in_term: bool
    every: timedelta
    made_by: str
    made_at: datetime
    read_at: datetime | None = None  # when it last answered with what can be used, changed or not
    etag: str = ""
    modified: str = ""
    digest: str = ""
    why: str = ""  # it could not be read the last time


class Subscriptions(Protocol):
    """Calendars elsewhere that are read again and again."""

    def all(self) -> Sequence[SubscriptionRow]:
        """Every one, by name."""

    def add(self, row: SubscriptionRow) -> int:
        """Keep a new one; its number here."""

    def retire(self, subscription: int) -> None:
        """It is read no more; its events stay as they are."""

    def take_due(self) -> SubscriptionRow | None:
        """One that nobody has tried to read for as long as it is left alone; then the turn is ours."""

    def keep(self, row: SubscriptionRow) -> None:
        """How it was read last."""


class TermCalendars(Protocol):
    """The term calendar as the office and the roster told it."""

    def spans(self) -> Sequence[Span]:
        """What the office imported."""

    def replace(self, spans: Sequence[Span], *, by: str) -> None:
        """Put these in the place of all that it imported before."""

    def terms(self, *, on: date | None = None) -> Sequence[RosterTerm]:
        """What the last roster told."""


class Schedules(Protocol):
    """What is announced when its time comes."""

    def all(self, *, ended: bool = False) -> Sequence[ScheduleRow]:
        """Every schedule, the next due first; `ended` for those that have ended too."""

    def named(self, name: str, *, lock: bool = False) -> ScheduleRow | None:
        """One that has not ended, by its name however it is typed."""

    def by_id(self, schedule: int, *, lock: bool = False) -> ScheduleRow | None:
        """One, by its number."""

    def any_due(self) -> bool:
        """Whether any has come due; reads only."""

    def take_due(self, *, limit: int) -> Sequence[ScheduleRow]:
        """Those whose next time has come and that are not paused, the longest due first; locked, past locked ones."""

    def add(self, row: ScheduleRow) -> int:
        """Keep a new one; its number here."""

    def keep(self, row: ScheduleRow) -> None:
        """Keep what is changed about one: everything but its exceptions and its files."""

    def keep_files(self, schedule: int, files: Sequence[Attachment]) -> None:
        """These files go with it from now on, in place of those before."""

    def change_one(self, schedule: int, original: datetime, to: datetime | None, *, by: str) -> None:
        """Move an occurrence, or cancel it where `to` is None."""

    def put_back(self, schedule: int, original: datetime) -> None:
        """An occurrence is again as the rule says."""

    def looked(self, rows: Sequence[ScheduleRow]) -> None:
        """Keep until when these were looked at, and when they come next."""

    def done(self, rows: Sequence[OccurrenceRow]) -> None:
        """Keep what became of occurrences that are not known yet."""

    def known(self, schedules: Sequence[int], originals: Collection[datetime]) -> set[tuple[int, datetime]]:
        """(schedule, original) of those at one of these times of which it is known already what became."""

    def outcome(self, schedule: int, original: datetime) -> OccurrenceRow | None:
        """What became of one."""

    def outcomes(self, schedule: int, *, limit: int) -> Sequence[OccurrenceRow]:
        """What became of the latest."""

    def became(self, schedule: int, original: datetime, outcome: Outcome) -> None:
        """What became of it has changed."""


Exceptions = Mapping[datetime, datetime | None]
