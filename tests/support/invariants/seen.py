"""What invariants look at: the whole ledger at one moment, and what providers truly have."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Table, select

from broker.announcement import Announcement
from broker.channel import Traits
from broker.retry import RetryPolicy
from broker.testing.channel_bench import Accepted
from channels import email, rss, sms, twitter
from channels.posts import digest_of as digest_of_post
from ledger import tables as t
from ledger.announcements import Announcements
from ledger.connect import Ledger
from ledger.record import verify

TRAITS: Mapping[str, Traits] = {kit.name: kit.traits for kit in (email.kit, rss.kit, sms.kit, twitter.kit)}
RETRIES: Mapping[str, RetryPolicy] = {
    each.name: each.retry for each in (email.Email, rss.Rss, sms.Sms, twitter.Twitter)
}


@dataclass(frozen=True, slots=True)
class Had:
    """One message that a provider truly accepted, with all by which its delivery can be known."""

    channel: str
    address: str = field(repr=False)  # "" for the public
    provider_id: str = ""
    digest: str = ""
    delivery: int | None = None
    announcement: UUID | None = None
    at: datetime | None = None

    @classmethod
    def by_sandbox(cls, entry: Mapping[str, Any]) -> Had:
        """From a line of the sandbox's truth log."""
        channel, at = str(entry["channel"]), datetime.fromisoformat(entry["at"])
        if channel == "email":
            name = str(entry["message_id"]).strip("<> ")
            # "carillon.4711.digest@domain": see channels.email.gateway_smtp.message_id.
            return cls(channel, entry["to"], name, delivery=int(name.split(".")[1]), at=at)
        digest = digest_of_post(entry["body"]) if channel == "twitter" else str(entry["sha256"])
        return cls(channel, entry["to"], str(entry["id"]), digest, at=at)

    @classmethod
    def by_pretence(cls, channel: str, accepted: Accepted) -> Had:
        """From a pretend provider's truth."""
        return cls(channel, accepted.address, accepted.provider_id, accepted.digest, at=accepted.at)

    @classmethod
    def by_feed(cls, item: UUID) -> Had:
        """From an item of a feed, as it was fetched: its guid is the announcement's public id."""
        return cls("rss", "", announcement=item)


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the record about one delivery, oldest first by `entry`."""

    entry: int
    kind: str  # "tried", "recovered", "moved", "looked_up", "requeued" …
    delivery: int
    facts: tuple[Any, ...]
    at: datetime


@dataclass(frozen=True)
class Seen:
    """The ledger at one moment, the truth, and what a test knows besides.

    `accepted`: announcements for which somebody was told "accepted". `slack`: how long a provider may take from the
    first byte to its accept. `roster_stood_still`: nobody was imported since the announcements were planned.
    """

    announcements: Mapping[int, Announcement]
    deliveries: Mapping[int, Row[Any]]
    attempts: Mapping[int, Sequence[Row[Any]]]  # by delivery, oldest first
    tables: Mapping[str, Sequence[Row[Any]]]
    told: Mapping[int, Sequence[Told]]  # the record, by delivery
    record_fault: str | None
    truth: Sequence[Had]
    accepted: Collection[UUID] = ()
    slack: timedelta = timedelta(milliseconds=250)
    roster_stood_still: bool = True
    traits: Mapping[str, Traits] = field(default_factory=lambda: TRAITS)
    retries: Mapping[str, RetryPolicy] = field(default_factory=lambda: RETRIES)

    @classmethod
    def of(cls, ledger: Ledger, truth: Iterable[Had], **more: Any) -> Seen:
        """Look, in one transaction; at a moment when nobody sends, or truth and ledger are of two moments."""
        with ledger.reading() as hand:
            if ledger.dialect.name == "postgresql":  # else each statement sees a moment of its own
                hand.connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            run = hand.connection.execute
            announcements = Announcements(hand)
            ids = [row.id for row in run(select(t.announcement.c.id))]
            deliveries = run(
                select(t.delivery, t.address.c.value, t.address.c.hash)
                .outerjoin(t.address, t.address.c.id == t.delivery.c.address_id)
                .order_by(t.delivery.c.id)
            ).all()
            attempts: dict[int, list[Row[Any]]] = defaultdict(list)
            for row in run(select(t.attempt).order_by(t.attempt.c.delivery_id, t.attempt.c.fence)):
                attempts[row.delivery_id].append(row)
            read: tuple[Table, ...] = (
                t.account, t.address, t.delivery_covers, t.duty, t.guardianship, t.person, t.person_address,
                t.suppression, t.tally, t.tally_delta, t.ladder, t.rung, t.gateway,
            )  # fmt: skip
            return cls(
                announcements={each: announcements.by_id(each) for each in ids},
                deliveries={row.id: row for row in deliveries},
                attempts=attempts,
                tables={table.name: run(select(table)).all() for table in read},
                told=_told(run(select(t.record_entry).order_by(t.record_entry.c.id))),
                record_fault=verify(hand.connection).first_fault,
                truth=tuple(truth),
                **more,
            )

    @cached_property
    def had(self) -> Mapping[int | None, Sequence[Had]]:
        """Each message of the truth with its delivery; under None, those that none explains."""
        by_id, by_digest, by_announcement = self._clues()
        found: dict[int | None, list[Had]] = defaultdict(list)
        for one in self.truth:
            delivery = one.delivery if one.delivery in self.deliveries else None
            delivery = delivery or by_id.get((one.channel, one.provider_id))
            delivery = delivery or by_announcement.get((one.channel, one.announcement))
            if delivery is None:
                # Of several with one wording to one address, whichever has least: no two share a message.
                candidates = by_digest[one.channel, one.address, one.digest]
                delivery = min(candidates, key=lambda each: len(found[each]), default=None)
            found[delivery].append(one)
        return found

    def in_state(self, *states: str) -> Iterable[Row[Any]]:
        """Deliveries in one of these states."""
        return (row for row in self.deliveries.values() if row.state in states)

    def count(self) -> Counter[tuple[str, str]]:
        """How many deliveries of each channel are in each state."""
        return Counter((row.channel, row.state) for row in self.deliveries.values())

    def _clues(self) -> tuple[dict[Any, int], dict[Any, set[int]], dict[Any, int]]:
        by_id: dict[Any, int] = {}
        by_digest: dict[Any, set[int]] = defaultdict(set)
        by_announcement: dict[Any, int] = {}
        for row in self.deliveries.values():
            if row.address_id is None:
                public_id = self.announcements[row.announcement_id].public_id
                by_announcement[row.channel, public_id] = row.id
            for attempt in self.attempts.get(row.id, ()):
                by_digest[row.channel, row.value or "", attempt.digest].add(row.id)
                if attempt.provider_id:
                    by_id[row.channel, attempt.provider_id] = row.id
        return by_id, by_digest, by_announcement


_LISTED = ("tries", "moves", "absent", "verdicts")


def _told(entries: Iterable[Row[Any]]) -> Mapping[int, Sequence[Told]]:
    found: dict[int, list[Told]] = defaultdict(list)
    for entry in entries:
        if not entry.kind.startswith("deliver"):
            continue
        kind, facts = entry.kind.partition(".")[2], json.loads(bytes(entry.body))["facts"]
        lines = [line for name in _LISTED for line in facts.get(name, ())]
        if "delivery" in facts:
            lines.append([facts["delivery"], facts.get("before", "")])
        for delivery, *rest in lines:
            found[delivery].append(Told(entry.id, kind, delivery, tuple(rest), entry.at))
    return found
