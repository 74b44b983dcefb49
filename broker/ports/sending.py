"""From an audience to deliveries, and everything that moves one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID

from broker.address import AddressKind
from broker.announcement import Announcement, People
from broker.audience import Audience
from broker.delivery import State
from broker.values import (
    ON_TIME,
    AccountRow,
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
    Slots,
    Started,
    Step,
    Stop,
    StopKind,
)


class Plans(Protocol):
    """Fan-out: from an audience to duties, deliveries and covers, by INSERT … SELECT."""

    def add_duties(self, announcement: Announcement, audience: Audience, today: date) -> int:
        """Write the duties that are not there yet; returns how many the announcement has."""

    def count_told(self, announcements: Sequence[UUID]) -> int:
        """How many people these have told, or may have."""

    def count_untold(
        self, audience: Audience, people: People, today: date, announcements: Sequence[UUID]
    ) -> int:
        """How many of an audience these have not told."""

    def count_meant(self, announcement: Announcement, audience: Audience, today: date) -> int:
        """How many a duty would be about, without those who only read it too."""

    def add_partition(
        self,
        announcement: Announcement,
        channel: str,
        account: AccountRow,
        kind: AddressKind,
        *,
        size: int,
        before: Collection[int] = (),
    ) -> PlanProgress:
        """Plan the next `size` addresses of one channel: deliveries and all they cover, in this transaction.

        What these announcements `before` it have a delivery for is left out: its thread decides about it.
        """

    def add_public(
        self, announcement: Announcement, channel: str, account: AccountRow, *, version: int | None = None
    ) -> PlanProgress:
        """Plan the one delivery of a broadcast channel, with this version of the wording (the newest)."""

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

    def by_ids(self, deliveries: Sequence[int]) -> Mapping[int, KnownDelivery]:
        """Several deliveries, locked, each with its attempts."""

    def of(self, announcement: int, channel: str, states: Collection[State], *, limit: int) -> Sequence[int]:
        """The deliveries of an announcement by one way that are in these states, by their ids; reads only."""

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

    def withdraw_queued(
        self,
        announcement: int,
        *,
        limit: int,
        code: str = "withdrawn",
        why: str = "the announcement was withdrawn",
    ) -> Sequence[int]:
        """Queued deliveries of an announcement that is over become withdrawn; returns which."""


class Retractions(Protocol):
    """What is to be taken back from the public."""

    def want(self, announcement: int, *, but: Collection[str] = ()) -> None:
        """Every public delivery of an announcement is to be taken back as soon as it is there, `but` by these ways."""

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

    def append_all(self, callbacks: Sequence[tuple[int, str, Mapping[str, str], bytes]]) -> None:
        """Keep several: (account, url, headers, body). What was kept before, to the letter, is not kept twice."""

    def pending(self, *, limit: int) -> Sequence[InboxItem]:
        """Callbacks not yet confirmed, locked, oldest first."""

    def done(self, ids: Iterable[int], *, fault: str = "") -> None:
        """Mark callbacks as confirmed, or as impossible to read."""


class Pace(Protocol):
    """How fast an account may go, shared by every worker through the ledger."""

    def reserve(
        self, account: AccountRow, *, most: int, within: timedelta, late: timedelta = ON_TIME
    ) -> Slots:
        """Up to `most` turns that begin `within` this long from now; count 0 while hardly any is free.

        `late`: how long after its moment this worker has used a turn of late. So much further apart they lie.
        """

    def give_back(self, account: AccountRow, slots: Slots, unused: int) -> None:
        """Return the last `unused` turns of a reservation made in this same transaction."""


class Stops(Protocol):
    """The stop-list."""

    def add(self, kind: StopKind, subject: int) -> None:
        """Forbid what is in hand on this subject, from the moment this transaction commits."""

    def add_all(self, kind: StopKind, subjects: Sequence[int]) -> None:
        """The same for several subjects of one kind."""

    def recent(self) -> tuple[datetime, Sequence[Stop]]:
        """The database's time and every stop young enough to concern work in hand."""

    def prune(self) -> int:
        """Drop stops that are too old to concern anything."""
