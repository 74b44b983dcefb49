"""What the broker needs from the world: the ledger, the hints, and a signer. Ids and values cross, never rows.

A verb opens a transaction (`ledger.begin()`), calls these, and leaves it. Which database answers is nobody's
business here; one port suite holds every implementation to the same behaviour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

from broker.actor import Actor
from broker.address import AddressKind
from broker.announcement import Announcement, Content, Draft
from broker.audience import Audience
from broker.channel import Channel, Traits
from broker.difference import Brakes, ImportDifference
from broker.mapping import ReportMapping
from broker.office import Families, Groups, Reaches, Templates
from broker.record import Entry
from broker.roster import Roster
from broker.values import (
    AccountRow,
    Due,
    GroupRow,
    Hint,
    InboxItem,
    KnownDelivery,
    Lane,
    LookUp,
    Move,
    News,
    Picked,
    PlanProgress,
    Result,
    Retraction,
    SchoolRow,
    Slots,
    Started,
    Starts,
    Step,
    Stop,
    StopKind,
)

T = TypeVar("T")


class Hints(Protocol):
    """The publisher. Losing a hint loses nothing: the sweep finds the work."""

    def publish(self, hint: Hint) -> None:
        """Send one hint. Never raises: a queue that is away is logged, and the sweep tries again."""


class Signer(Protocol):
    """Makes and checks what may leave the house: attempt tokens and keyed hashes of addresses."""

    def sign(self, purpose: str, value: str) -> str:
        """`value` with a signature that only this school can make, safe in an address (URL)."""

    def verify(self, purpose: str, token: str) -> str | None:
        """The value, or None when the signature does not hold; constant time."""

    def hash_address(self, kind: AddressKind, normalised: str) -> bytes:
        """A keyed hash that finds an address again without keeping it (opt-outs survive re-import)."""


class Announcements(Protocol):
    """What was said."""

    def add(
        self, draft: Draft, *, digest: str, actor: Actor, due_at: datetime, expires_at: datetime
    ) -> Announcement:
        """Store an accepted draft with content version 1 and its attachments."""

    def by_key(self, department: str, key: str) -> tuple[Announcement, str] | None:
        """The announcement accepted under an idempotency key, and the digest of its draft."""

    def by_public_id(self, public_id: UUID, *, lock: bool = False) -> Announcement | None:
        """One announcement; `lock` keeps other writers away until the transaction ends."""

    def by_id(self, announcement: int) -> Announcement:
        """One announcement that is known to be there."""

    def content(self, announcement: int, version: int) -> Sequence[Content]:
        """A version's wording with its attachments, one Content per language."""

    def mark_withdrawn(self, announcement: int) -> None:
        """Set withdrawn_at."""

    def department_exists(self, slug: str) -> bool:
        """Whether the department is known."""


class People(Protocol):
    """Who there is."""

    def unknown_groups(self, audience: Audience) -> Mapping[str, str]:
        """Group names in the expression that the ledger lacks, each with the nearest known name or ""."""

    def group(self, folded_name: str) -> GroupRow | None:
        """One active group by its folded name."""

    def public_groups(self) -> Sequence[GroupRow]:
        """The active groups that have a feed, the oldest first."""

    def set_public(self, group: int, *, public: bool) -> None:
        """Give a group a feed, or take it away."""

    def suppress(self, address_hash: bytes, channel: str, *, source: str) -> Sequence[int]:
        """Keep an opt-out; returns the ids of addresses it concerns. Safe to repeat."""

    def address_hash(self, address: int) -> bytes | None:
        """The keyed hash of an address."""

    def confirm_address(self, address: int) -> bool:
        """Somebody says now that it is right; False when there is no such address."""


class Imports(Protocol):
    """A staged roster against the ledger."""

    def difference(self) -> ImportDifference:
        """What making them equal would change; reads only."""

    def apply(self, difference: ImportDifference) -> Brakes:
        """Make people, groups and links equal to the roster, and say whom that took a way from."""


class Mappings(Protocol):
    """How the school's own reports are read."""

    def all(self) -> Sequence[ReportMapping]:
        """Every mapping, by name."""

    def named(self, name: str) -> ReportMapping | None:
        """One mapping."""

    def put(self, new: ReportMapping) -> None:
        """Keep it under its name, in the place of another of that name."""

    def drop(self, name: str) -> None:
        """Forget it."""


class Plans(Protocol):
    """Fan-out: from an audience to duties, deliveries and covers, by INSERT … SELECT."""

    def add_duties(self, announcement: Announcement, audience: Audience, today: date) -> int:
        """Write the duties that are not there yet; returns how many the announcement has."""

    def add_partition(
        self, announcement: Announcement, channel: str, account: AccountRow, kind: AddressKind, *, size: int
    ) -> PlanProgress:
        """Plan the next `size` addresses of one channel: deliveries and all they cover, in this transaction."""

    def add_public(self, announcement: Announcement, channel: str, account: AccountRow) -> PlanProgress:
        """Plan the one delivery of a broadcast channel."""

    def finish(self, announcement: Announcement) -> None:
        """Explain every duty that nothing covers, and set fanned_out_at."""


class Deliveries(Protocol):
    """The units that have a state. Each method is a handful of statements, however many rows."""

    def pick(self, account: AccountRow, lane: Lane, *, limit: int) -> Sequence[Picked]:
        """Lock up to `limit` due deliveries and read their facts; `fence` is the one the claim will give."""

    def step(self, account: AccountRow, steps: Sequence[Step], *, lease: timedelta, holder: str) -> None:
        """Take picked deliveries out of `queued`: claims get the lease and the fence, the rest their reason.

        `holder` is the process whose hand they are in.
        Like whatever moves a delivery, it keeps the counters.
        """

    def guardians(self, deliveries: Sequence[int]) -> Mapping[int, tuple[str, ...]]:
        """The whole names of those who hold a delivery's address and look after a pupil it covers, the first first."""

    def start(
        self, account: AccountRow, gateway: str, starts: Sequence[Started], *, margin: timedelta
    ) -> Mapping[int, int]:
        """Commit-to-be starts: delivery → attempt, only where state, fence and lease (with `margin`) hold."""

    def release(self, claimed: Sequence[tuple[int, int]]) -> int:
        """Give back claimed, unstarted (delivery, fence) pairs; returns how many were still ours."""

    def write_back(self, account: AccountRow, results: Sequence[Result]) -> set[int]:
        """Write outcomes where the fence matches, and how each attempt ended whether it does or not.

        Returns the deliveries whose fence matched; the caller folds the rest as evidence.
        """


class Moves(Protocol):
    """Deliveries moved outside a send: by recovery, evidence, look-ups and people."""

    def expired_leases(self, *, limit: int) -> Sequence[tuple[KnownDelivery, bool]]:
        """Deliveries whose lease ran out, locked, each with whether the attempt of its fence was started."""

    def known(self, news: Sequence[News]) -> Mapping[int, tuple[KnownDelivery, int]]:
        """Lock the deliveries that news is about: index into `news` → (delivery with attempts, the attempt)."""

    def by_id(self, delivery: int) -> KnownDelivery | None:
        """One delivery, locked, with its attempts."""

    def still_ours(self, claimed: Sequence[tuple[int, int]]) -> set[int]:
        """Lock claimed (delivery, fence) pairs; those that nobody took over or started since."""

    def learn(self, lessons: Mapping[int, News]) -> None:
        """Keep folded evidence on attempts: attempt → the news that stands."""

    def move(self, moves: Sequence[Move]) -> None:
        """Apply moves to locked deliveries, with their tallies."""

    def stranded(self, *, limit: int) -> Sequence[KnownDelivery]:
        """Deliveries, locked, that wait for an account which the settings name no more: expired ones, and look-ups."""

    def due_lookups(self, account: AccountRow, *, limit: int, again_in: timedelta) -> Sequence[LookUp]:
        """Uncertain deliveries whose look-up is due; each is put off by `again_in` so that one worker asks."""

    def withdraw_queued(self, announcement: int, *, limit: int) -> Sequence[int]:
        """Queued deliveries of a withdrawn announcement become withdrawn; returns which."""


class Retractions(Protocol):
    """What is to be taken back from the public."""

    def want(self, announcement: int) -> None:
        """Every public delivery of a withdrawn announcement is to be taken back as soon as it is there."""

    def is_due(self) -> bool:
        """Whether something is to be taken back now; reads only."""

    def due(self, *, limit: int, again_in: timedelta) -> Sequence[Retraction]:
        """What is to be taken back now; each is put off by `again_in` so that one worker does it."""

    def put_off(self, delivery: int, *, failures: int, by: timedelta) -> None:
        """It could not be taken back: try again later."""

    def drop(self, delivery: int) -> None:
        """Nothing more is to be taken back."""


class Receipts(Protocol):
    """The inbox of verified callbacks."""

    def append(self, account: int, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Keep one callback."""

    def pending(self, *, limit: int) -> Sequence[InboxItem]:
        """Callbacks not yet confirmed, locked, oldest first."""

    def done(self, ids: Iterable[int], *, fault: str = "") -> None:
        """Mark callbacks as confirmed, or as impossible to read."""


class Accounts(Protocol):
    """Configured accounts and whether they may send."""

    def all(self) -> Sequence[AccountRow]:
        """Every account."""

    def any_gone(self) -> bool:
        """Whether there is an account that the settings name no more."""

    def named(self, name: str) -> AccountRow | None:
        """One account."""

    def for_channel(self, channel: str, department: str) -> AccountRow | None:
        """The department's own account on a channel, else the school's."""

    def pause(self, account: int, why: str) -> None:
        """Stop an account; its deliveries wait."""

    def resume(self, account: int) -> None:
        """Let it go on; what waited for it becomes due."""

    def keep_posture(self, account: int, facts: Mapping[str, str]) -> None:
        """Keep what the account looks like at its provider, as of this transaction's time."""


class Pace(Protocol):
    """How fast an account may go, shared by every worker through the ledger."""

    def reserve(self, account: AccountRow, *, most: int, within: timedelta) -> Slots:
        """Up to `most` turns that begin `within` this long from now; count 0 when none is near."""

    def give_back(self, account: AccountRow, slots: Slots, unused: int) -> None:
        """Return the last `unused` turns of a reservation made in this same transaction."""


class Stops(Protocol):
    """The stop-list."""

    def add(self, kind: StopKind, subject: int) -> None:
        """Forbid what is in hand on this subject, from the moment this transaction commits."""

    def recent(self) -> tuple[datetime, Sequence[Stop]]:
        """The database's time and every stop young enough to concern work in hand."""

    def prune(self) -> int:
        """Drop stops that are too old to concern anything."""


class Records(Protocol):
    """The append-only history."""

    def add(self, entries: Sequence[Entry]) -> None:
        """Write entries with this transaction."""

    def seal(self) -> int:
        """Seal what no running transaction can still add to; returns how many entries. One sealer at a time."""


class Sweeps(Protocol):
    """What the sweep asks and does in bulk."""

    def may_sweep(self) -> bool:
        """Take the sweeper's lock for this transaction; False when another sweep is at work."""

    def due(self, *, limit: int) -> Due:
        """Announcements to plan and accounts with due deliveries."""

    def due_lookups(self) -> Sequence[str]:
        """Names of accounts with a look-up that is due."""

    def fold_tallies(self) -> int:
        """Fold appended counter deltas; returns how many."""

    def expire_all_leases(self) -> int:
        """Let every lease run out now: for a database whose only worker has just begun."""

    def expire_leases_of(self, holder: str) -> int:
        """Let what one process has in hand run out now: for a process that is known to be dead."""

    def raise_alarm(self, kind: str, subject: str, message: str) -> None:
        """Tell whoever watches; the same alarm is raised once until it is cleared."""

    def clear_alarm(self, kind: str, subject: str) -> None:
        """The reason is gone."""

    def beat(self, worker: str) -> None:
        """A worker shows that it lives: its hints arrive, and it reaches the ledger."""


class Sessions(Protocol):
    """Sign-in links and sessions, by the digests of their secrets: what is stored signs nobody in."""

    def add_link(self, digest: bytes, operator: str, *, lasts: timedelta) -> None:
        """Keep a link that signs `operator` in once."""

    def use_link(self, digest: bytes) -> str | None:
        """Use a link up: the operator whom it signs in, or None when it is unknown, used or too old."""

    def add(self, digest: bytes, operator: str, *, lasts: timedelta) -> None:
        """Begin a session."""

    def holder(self, digest: bytes) -> str | None:
        """Whose session this is; None when it is unknown, ended or too old."""

    def end(self, digest: bytes) -> str | None:
        """End one session; whose it was, None when there was nothing to end."""

    def end_all(self, operator: str | None) -> int:
        """End every session of an operator, or of everybody, and their unused links; how many sessions."""

    def prune(self) -> None:
        """Drop links and sessions that are long over."""


class Transaction(Protocol):
    """One transaction of the ledger."""

    @property
    def now(self) -> datetime:
        """The transaction's time: the database's clock (a guarded process clock on SQLite)."""

    @property
    def school(self) -> SchoolRow:
        """Whose ledger this is."""

    @property
    def announcements(self) -> Announcements:
        """What was said."""

    @property
    def people(self) -> People:
        """Who there is."""

    @property
    def mappings(self) -> Mappings:
        """How reports are read."""

    @property
    def groups(self) -> Groups:
        """Groups kept by hand."""

    @property
    def families(self) -> Families:
        """Who belongs to whom."""

    @property
    def templates(self) -> Templates:
        """Named wordings."""

    @property
    def reaches(self) -> Reaches:
        """Facts about who can be told."""

    @property
    def plans(self) -> Plans:
        """Fan-out."""

    @property
    def deliveries(self) -> Deliveries:
        """The hot path."""

    @property
    def moves(self) -> Moves:
        """Recovery, evidence, look-ups, people's decisions."""

    @property
    def retractions(self) -> Retractions:
        """What is to be taken back."""

    @property
    def receipts(self) -> Receipts:
        """The inbox."""

    @property
    def accounts(self) -> Accounts:
        """Configured accounts."""

    @property
    def pace(self) -> Pace:
        """Turns."""

    @property
    def stops(self) -> Stops:
        """The stop-list."""

    @property
    def record(self) -> Records:
        """The history."""

    @property
    def sweeps(self) -> Sweeps:
        """What the sweep asks."""

    @property
    def sessions(self) -> Sessions:
        """Who is signed in to the pages."""


class ImportTransaction(Transaction, Protocol):
    """A transaction beside which a roster lies staged."""

    @property
    def imports(self) -> Imports:
        """The staged roster against the ledger."""


class Ledger(Protocol):
    """The only truth."""

    def begin(self) -> AbstractContextManager[Transaction]:
        """A transaction: committed when the block ends, rolled back when it raises."""

    def look(self) -> AbstractContextManager[Transaction]:
        """A transaction that only reads, and waits for no writer: for what must be known while others write."""

    def begin_import(self, roster: Roster) -> AbstractContextManager[ImportTransaction]:
        """Stage a roster where nobody else sees it, then begin: one import at a time, and a short transaction."""

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction, again from its start when it lost to another one.

        Lost: a deadlock, a lock that was not to be had, or a row that the other wrote first.
        """

    def exchange(
        self,
        account: AccountRow,
        results: Sequence[Result],
        told: Sequence[Entry],
        starts: Starts,
        *,
        now: datetime,
    ) -> Mapping[int, int] | None:
        """`write_back`, its record `told` as of `now`, and `start`, committed at once where that can be done.

        None, with nothing changed, where it cannot: then they go in a transaction.
        """


class Channels(Protocol):
    """The ways out that this process has open: one channel object per configured account."""

    def names(self) -> Sequence[str]:
        """Every installed channel."""

    def traits(self, channel: str) -> Traits:
        """A channel's facts. Raises UnknownChannel."""

    def open(self, account: str) -> Channel:
        """The channel bound to a configured account, opened once a process. Raises SetupError."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a verb needs, in one hand."""

    ledger: Ledger
    hints: Hints
    signer: Signer
    channels: Channels
