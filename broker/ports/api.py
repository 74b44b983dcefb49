"""Programs that call, and programs that are called back, as ports and the values that cross them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from broker.delivery import State


class Scope(StrEnum):
    """What a token may be used for: to read or to change one kind of thing."""

    ANNOUNCEMENTS_READ = "announcements:read"
    ANNOUNCEMENTS_WRITE = "announcements:write"
    DELIVERIES_READ = "deliveries:read"
    DELIVERIES_WRITE = "deliveries:write"
    PEOPLE_READ = "people:read"
    PEOPLE_WRITE = "people:write"
    GROUPS_READ = "groups:read"
    GROUPS_WRITE = "groups:write"
    TEMPLATES_READ = "templates:read"
    TEMPLATES_WRITE = "templates:write"
    SCHEDULES_READ = "schedules:read"
    SCHEDULES_WRITE = "schedules:write"
    EVENTS_READ = "events:read"
    EVENTS_WRITE = "events:write"
    TIMETABLE_READ = "timetable:read"
    TIMETABLE_WRITE = "timetable:write"
    APPROVALS_READ = "approvals:read"
    APPROVALS_WRITE = "approvals:write"
    ACCOUNTS_READ = "accounts:read"
    ACCOUNTS_WRITE = "accounts:write"
    RULES_READ = "rules:read"
    RULES_WRITE = "rules:write"
    RECORD_READ = "record:read"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    TOKENS_READ = "tokens:read"
    TOKENS_WRITE = "tokens:write"


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as kept: never the token itself. `operator`: as whom it acts; None for a machine of its own name."""

    id: int
    public_id: UUID
    name: str
    scopes: frozenset[Scope]
    department: str | None
    operator: str | None
    made_by: str
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None


class Tokens(Protocol):
    """Tokens of programs, by the digests of them."""

    def add(self, row: TokenRow, digest: bytes) -> None:
        """Keep a new one."""

    def by_digest(self, digest: bytes) -> TokenRow | None:
        """Whose it is, revoked and expired ones among them."""

    def named(self, name: str) -> TokenRow | None:
        """The one of this name that is not revoked."""

    def all(self) -> Sequence[TokenRow]:
        """Every one that is not revoked, the newest first."""

    def used(self, token: int) -> None:
        """It was used now."""

    def revoke(self, token: int, *, by: str) -> None:
        """It works no more."""


Place = tuple[int, int]  # of an entry of the record: its mark, its id


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """A program elsewhere that is told of deliveries. `after`: up to where; `until`: where the batch in hand ends.

    `sequence`: how many messages have arrived.
    """

    id: int
    public_id: UUID
    department: str | None
    url: str = field(repr=False)
    states: frozenset[State]
    made_by: str
    made_at: datetime
    after: Place
    until: Place | None = None
    failures: int = 0
    due_at: datetime | None = None
    told_at: datetime | None = None
    why: str = ""
    paused_at: datetime | None = None
    sequence: int = 0
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """A delivery reached a state. Numbers and states alone: nothing in it is about anybody."""

    entry: int
    place: int  # within the entry
    at: datetime
    announcement: UUID
    delivery: int
    channel: str
    state: State
    code: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What a webhook is told at once: events, and up to where of the record they tell."""

    events: tuple[DeliveryEvent, ...]
    until: Place


class Webhooks(Protocol):
    """Who is told of deliveries, and up to where."""

    def add(self, row: WebhookRow) -> None:
        """Keep a new one, who is told of what is sealed from now on."""

    def all(self) -> Sequence[WebhookRow]:
        """Every one that is not retired, the newest first."""

    def by_public_id(self, public_id: UUID) -> WebhookRow | None:
        """One that is not retired; locked."""

    def take_due(self) -> WebhookRow | None:
        """One whose turn it is, for a minute ours alone."""

    def batch(self, row: WebhookRow, *, most: int) -> Batch | None:
        """What it is told next, None where there is nothing new under a seal."""

    def hold_to(self, webhook: int, until: Place) -> None:
        """This batch is tried until it has arrived."""

    def told(self, webhook: int, after: Place, *, due_at: datetime) -> None:
        """It has arrived."""

    def passed(self, webhook: int, after: Place, *, due_at: datetime) -> None:
        """There was nothing in it for this one up to there."""

    def failed(self, webhook: int, why: str, *, due_at: datetime, pause: bool) -> None:
        """It has not."""

    def resume(self, webhook: int) -> None:
        """Go on from where it stands, at once."""

    def retire(self, webhook: int) -> None:
        """It is told no more."""
