"""Events and their reminders, as a port and the values that cross it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from broker.announcement import Part, People, Step
from broker.ports.calendar import Yes

_DAY = timedelta(days=1)


class Told(StrEnum):
    """What became of a reminder."""

    SENT = "sent"  # its announcement was accepted
    PASSED = "passed"  # its time lay before the event was known, and another one comes
    MISSED = "missed"  # the event had begun when somebody looked
    REFUSED = "refused"  # by intake or a rule
    MOVED = "moved"  # its event was changed since: whoever was not told yet is reminded anew


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event. `sequence` rises with each change; `known_at` is when its time or place was last set.

    `changed_at`: when anything of what is said of it, or to whom, was last changed; `made_by`: who worded it last.
    """

    id: int
    public_id: UUID
    department: str
    audience: str
    source: str  # "" for one typed in
    uid: str
    original: datetime  # naive
    title: str
    place: str
    wall: datetime  # naive, in the school's zone
    starts_at: datetime
    ends_at: datetime
    known_at: datetime
    made_by: str
    sequence: int = 0
    cancelled_at: datetime | None = None
    changed_at: datetime | None = None

    @property
    def worded_at(self) -> datetime:
        """Since when what is said of it stands."""
        return max(self.known_at, self.changed_at or self.known_at)

    @property
    def days(self) -> int:
        """How many whole days it takes, from midnight to midnight; 0 for what has a time of day."""
        length = self.ends_at - self.starts_at
        days = round(length / _DAY)
        # A day on which the clocks change has 23 hours, or 25.
        whole = self.wall.time() == time() and abs(length - days * _DAY) <= timedelta(hours=1)
        return days if whole else 0

    @property
    def last_day(self) -> date:
        """The last of its days."""
        return self.wall.date() + timedelta(days=max(self.days, 1) - 1)


@dataclass(frozen=True, slots=True)
class ReminderRule:
    """How long before an event who is reminded, by which ways, in which words; `audience` "" for every group.

    `clock`: at that time by the school's clock, so many whole days before; None for as long before as `before` says.
    A rule is never changed: it is retired, and another takes its place.
    """

    id: int
    department: str
    name: str
    audience: str
    before: timedelta
    people: People
    ways: tuple[Step, ...]
    parts: Mapping[Part, str] = field(repr=False)
    made_by: str = ""
    made_at: datetime | None = None
    approved: Yes | None = None
    clock: time | None = None


@dataclass(frozen=True, slots=True)
class Owed:
    """A notice that is to be made: which change of an event, in which words, by which ways."""

    event: int
    sequence: int
    words: str
    ways: tuple[str, ...]
    people: People


@dataclass(frozen=True, slots=True)
class Reminded:
    """What became of one event's reminder by one rule, as the event stood then (`sequence`)."""

    event: int
    rule: int
    sequence: int
    told: Told
    at: datetime
    why: str = ""
    announcement: UUID | None = None


class Events(Protocol):
    """What takes place, and who was reminded of it."""

    def of_source(self, source: str, *, begins: datetime) -> Sequence[EventRow]:
        """Everything of one source that begins from then on, cancelled or not; locked."""

    def struck(self, hashes: Collection[bytes]) -> Collection[bytes]:
        """Those of these words' hashes (broker.privacy.known) out of which somebody was struck."""

    def between(self, begins: datetime, ends: datetime) -> Sequence[EventRow]:
        """Everything that begins in [begins, ends), cancelled or not, in the order of time."""

    def typed_in(self, key: str) -> EventRow | None:
        """The one of no source whose uid begins with this key and a dot."""

    def by_public_id(self, public_id: UUID, *, lock: bool = False) -> EventRow | None:
        """One."""

    def by_id(self, event: int, *, lock: bool = False) -> EventRow | None:
        """One, by its number."""

    def add(self, row: EventRow) -> int:
        """Keep a new one; its number here."""

    def keep(self, row: EventRow) -> None:
        """Keep what is changed about one."""

    def rules(self) -> Sequence[ReminderRule]:
        """Every reminder rule in force, the longest before first."""

    def add_rule(self, rule: ReminderRule) -> int:
        """Keep a new rule; its number here."""

    def change_rule(self, rule: ReminderRule) -> None:
        """What the rule of this number says from now on, for whom and when; nobody has said yes to that yet."""

    def retire_rule(self, rule: int) -> None:
        """It reminds nobody any more."""

    def approve_rule(self, rule: int, *, by: str) -> None:
        """A second person said yes to all it will say."""

    def reminded(self, events: Sequence[int]) -> Sequence[Reminded]:
        """What became of the reminders of these events, the latest of each rule last."""

    def remind(self, reminded: Reminded) -> bool:
        """Keep what became of one; False where it is known already."""

    def remind_anew(self, event: int) -> None:
        """Its reminders so far were about a time or a place that is not so any more."""

    def owe_notice(self, owed: Owed) -> None:
        """Those who were reminded have to be told of a change."""

    def owed(self, *, limit: int) -> Sequence[Owed]:
        """The notices that have not been made yet, the oldest first."""

    def in_hand(self, events: Sequence[int]) -> Mapping[int, Sequence[UUID]]:
        """Event → its announcements, taken back, of which, or of whose corrections, something has yet to leave."""

    def lock(self, events: Sequence[int]) -> None:
        """Keep other schedulers away from these until the end."""

    def notices(self, event: int) -> Sequence[UUID]:
        """The announcements of its notices so far."""

    def noticed(self, event: int, sequence: int, announcement: UUID | None) -> None:
        """The notice is made, or came too late."""
