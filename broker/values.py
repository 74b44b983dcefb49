"""Values that cross the ports: what the ledger tells the verbs and they tell it. Ids and facts, never rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from broker.capabilities import PastAttempt
from broker.delivery import Event, Evidence, State
from broker.policy import Case


class Lane(StrEnum):
    """Urgent work has a lane of its own, so that no bulk send stands before it."""

    URGENT = "urgent"
    ROUTINE = "routine"


@dataclass(frozen=True, slots=True)
class FanOutHint:
    """There may be an announcement to plan."""

    announcement: UUID


@dataclass(frozen=True, slots=True)
class DeliverHint:
    """There may be deliveries due on this account."""

    account: str
    channel: str
    lane: Lane


Hint = FanOutHint | DeliverHint


@dataclass(frozen=True, slots=True)
class SchoolRow:
    """The one school of this ledger, with the slugs of its departments."""

    slug: str
    name: str
    zone: str
    locale: str
    region: str
    departments: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account as the ledger knows it; its credentials live in the settings alone."""

    id: int
    name: str
    channel: str
    department: str | None
    paused_at: datetime | None
    paused_why: str
    per_second: float | None  # the provider's pace, None for no limit
    posture: Mapping[str, str] | None = None  # its facts at the provider when last looked at
    posture_at: datetime | None = None
    gateway: str = ""  # through which of several it is used here; "" where there is but one


@dataclass(frozen=True, slots=True)
class Picked:
    """One due delivery, locked, with every fact that judging and rendering need."""

    delivery: int
    fence: int
    burned: int  # attempts burned so far
    announcement: int
    public_id: UUID  # of the announcement: what a public page and a feed's guid are made of
    content_version: int
    state_reason: str
    address_id: int | None
    address: str = field(repr=False)
    doubtful: bool  # shared by people who share no guardian: no names
    commitment_key: bytes | None = field(repr=False)
    case: Case = field(repr=False)
    department_id: int = 0
    address_hash: bytes = field(default=b"", repr=False)  # keyed: what a link is made of
    audience: str = ""  # of a broadcast: the expression


@dataclass(frozen=True, slots=True)
class Step:
    """One delivery's way out of `queued`: claimed, held, refused or withdrawn, with the reason kept."""

    delivery: int
    fence: int
    event: Event
    state: State
    code: str = ""
    why: str = ""
    due_at: datetime | None = None
    dropped_duties: tuple[int, ...] = ()  # covers that fell away: blocked, acknowledged


@dataclass(frozen=True, slots=True)
class Started:
    """One delivery about to be tried: the digest of its message lets a look-up recognise it."""

    delivery: int
    fence: int
    digest: str
    cost: int = 0  # in millionths of the currency, for which department
    department: int = 0


@dataclass(frozen=True, slots=True)
class Starts:
    """One window about to be tried: through which gateway, and how much of its lease each must have left."""

    gateway: str
    margin: timedelta
    each: Sequence[Started]


@dataclass(frozen=True, slots=True)
class Result:
    """What one started try came to. `evidence` is what it proves about the attempt, if anything."""

    delivery: int
    fence: int
    attempt: int
    announcement: int
    event: Event
    state: State
    burned: bool
    code: str = ""
    why: str = ""
    due_at: datetime | None = None
    lookup_at: datetime | None = None
    provider_id: str = ""
    evidence: Evidence | None = None
    commitment: str = ""
    cost: int = 0  # what was counted for it when it began


@dataclass(frozen=True, slots=True)
class News:
    """Evidence about one attempt, found by its id or by the provider's."""

    evidence: Evidence
    attempt: int | None = None
    provider_id: str = ""
    account: int | None = None
    code: str = ""
    why: str = ""
    gateway: str = ""  # whose id it is: two providers may both have a first


@dataclass(frozen=True, slots=True)
class KnownAttempt:
    """One attempt under a delivery, as evidence is folded over it."""

    attempt: int
    fence: int
    evidence: Evidence | None
    gateway: str


@dataclass(frozen=True, slots=True)
class KnownDelivery:
    """A delivery, locked, with all its attempts: what folding needs."""

    delivery: int
    announcement: int
    channel: str
    account: int
    address_id: int | None
    state: State
    fence: int
    requeued_fence: int
    burned: int
    settled: bool  # a person has decided to leave it uncertain
    attempts: tuple[KnownAttempt, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """One delivery moved outside a send: by evidence, recovery, a look-up or a person."""

    delivery: int
    announcement: int
    channel: str
    before: State
    event: str
    state: State
    raise_fence: bool = False
    requeue: bool = False  # a person or a proof of absence started it anew
    code: str = ""
    why: str = ""
    due_at: datetime | None = None
    lookup_at: datetime | None = None
    lookups: int | None = None
    settled_by: str | None = None


@dataclass(frozen=True, slots=True)
class LookUp:
    """An uncertain delivery whose look-up is due, with the attempt to ask about."""

    delivery: int
    announcement: int
    lookups: int
    attempt: PastAttempt
    gateway: str  # which has it, if any has


@dataclass(frozen=True, slots=True)
class Retraction:
    """A public delivery that left, of an announcement withdrawn since: what is to be taken back, and where."""

    delivery: int
    announcement: int
    public_id: UUID
    account: str
    posts: tuple[tuple[str, str], ...]  # gateway and provider's id of every attempt that was taken
    failures: int


@dataclass(frozen=True, slots=True)
class InboxItem:
    """One verified callback waiting to be confirmed."""

    id: int
    account: int
    url: str = field(repr=False)  # its last part is an attempt's token
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class StopKind(StrEnum):
    """What a stop is about; its subject is the row's id."""

    ANNOUNCEMENT = "announcement"
    ACCOUNT = "account"
    ADDRESS = "address"
    PERSON = "person"
    DEPARTMENT = "department"
    EVERYTHING = "everything"  # its subject is 0


@dataclass(frozen=True, slots=True)
class Stop:
    """Something that forbids what is in hand: the worker's brake, read every 250 ms."""

    id: int
    kind: StopKind
    subject: int


ON_TIME = timedelta(0)


@dataclass(frozen=True, slots=True)
class Slots:
    """Turns granted by the pace: `count` of them, the first after `wait`, then one every `interval`."""

    count: int
    wait: timedelta
    interval: timedelta


@dataclass(frozen=True, slots=True)
class PlanProgress:
    """One partition of a fan-out: how many deliveries and covers it added, and whether it was the last.

    `waits`: the last for now, for the channel has no account any more; it is planned should one come back in time.
    """

    deliveries: int
    covers: int
    done: bool
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """Work that the sweep found."""

    announcements: Sequence[UUID]
    deliveries: Sequence[DeliverHint]


@dataclass(frozen=True, slots=True)
class GroupRow:
    """An active group as the ledger holds it; `public` means that it has a feed."""

    id: int
    name: str
    public: bool
    kept: bool  # by hand, or as the last roster said
    department: str | None  # its slug
