"""To whom, and by which way: duties, deliveries, attempts and what came back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from broker.delivery import FAILED, Evidence, State
from ledger.tables.base import Id, Moment, id_, metadata, one_of, ref

# No foreign keys from here on where rows come in bulk: each would lock its parent row once more per delivery (half of
# a fan-out's time, measured), and every one of these rows is made from its parents by INSERT … SELECT.

duty = Table(
    "duty",
    metadata,
    id_(),
    Column("announcement_id", Id, nullable=False),
    Column("person_id", Id, nullable=False),
    Column("acknowledged_at", Moment),
    Column("unreached", String(32)),  # why nothing covers it, said by the fan-out
    UniqueConstraint("announcement_id", "person_id"),
)

# Where each channel's partitioned fan-out stands, so that it goes on after a crash where it was.
fanout_cursor = Table(
    "fanout_cursor",
    metadata,
    ref("announcement_id", "announcement.id", primary_key=True),
    Column("channel", String(63), primary_key=True),
    Column("address_id", Id, nullable=False),
    Column("done", Boolean, nullable=False),
)

delivery = Table(
    "delivery",
    metadata,
    id_(),
    Column("announcement_id", Id, nullable=False),
    Column("channel", String(63), nullable=False),
    Column("account_id", Id, nullable=False),
    Column("address_id", Id),  # NULL is the public
    Column("content_version", Integer, nullable=False, server_default="1"),
    Column("lane", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("code", Text, nullable=False, server_default=""),
    Column("why", Text, nullable=False, server_default=""),
    Column("due_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("lease_until", Moment),
    # The process that has it in hand, or had it last: what a dead one holds is given back before its lease ends.
    Column("holder", Text),
    # Raised by each claim, requeue and by evidence that moves a sending delivery: a stale worker is known by it.
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("requeued_fence", Integer, nullable=False, server_default="0"),
    Column("burned", SmallInteger, nullable=False, server_default="0"),
    Column("lookup_at", Moment),
    Column("lookups", SmallInteger, nullable=False, server_default="0"),
    Column("settled_by", Text),
    Column("settled_at", Moment),
    Column("replaces", Id),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    one_of("state", State),
    postgresql_with={"fillfactor": 70},
)
Index(
    "ux_delivery_once",
    delivery.c.announcement_id,
    delivery.c.channel,
    func.coalesce(delivery.c.address_id, 0),
    unique=True,
)


def _while(name: str, state: State, *columns: Any) -> Index:
    """A partial index over deliveries in one state: the hot queries touch only work that is there to do."""
    where = text(f"state = '{state.value}'")
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


_while(
    "ix_delivery_due", State.QUEUED, delivery.c.account_id, delivery.c.lane, delivery.c.due_at, delivery.c.id
)
_while("ix_delivery_lease", State.SENDING, delivery.c.lease_until)
_while("ix_delivery_lookup", State.UNCERTAIN, delivery.c.account_id, delivery.c.lookup_at)
# What a person should look at, few among the many that went well.
FAILED_STATES = "state IN ({})".format(", ".join(f"'{state.value}'" for state in sorted(FAILED)))
Index(
    "ix_delivery_failed",
    delivery.c.id,
    sqlite_where=text(FAILED_STATES),
    postgresql_where=text(FAILED_STATES),
)
# Broadcasts are one in a thousand deliveries, and feeds are read from them every second.
Index(
    "ix_delivery_public",
    delivery.c.channel,
    delivery.c.id,
    sqlite_where=delivery.c.address_id.is_(None),
    postgresql_where=delivery.c.address_id.is_(None),
)

delivery_covers = Table(
    "delivery_covers",
    metadata,
    Column("delivery_id", Id, primary_key=True),
    Column("duty_id", Id, primary_key=True),
    Column("dropped", Boolean, nullable=False, server_default=text("false")),  # blocked or told since
)
Index("ix_delivery_covers_duty_id", delivery_covers.c.duty_id)

attempt = Table(
    "attempt",
    metadata,
    id_(),
    Column("delivery_id", Id, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("account_id", Id, nullable=False),
    Column("gateway", String(63), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("outcome", String(16)),
    Column("evidence", String(16)),
    Column("provider_id", Text),
    Column("code", Text, nullable=False, server_default=""),
    Column("why", Text, nullable=False, server_default=""),
    # What it would be charged for, in millionths of the currency; nothing for what is free.
    Column("cost", Id),
    UniqueConstraint("delivery_id", "fence"),
    one_of("evidence", Evidence),
)
Index(
    "ix_attempt_provider_id",
    attempt.c.provider_id,
    attempt.c.account_id,
    sqlite_where=attempt.c.provider_id.is_not(None),
    postgresql_where=attempt.c.provider_id.is_not(None),
)

# What is to be taken back: a row for each public delivery of a withdrawn announcement, so a handful. Beside `delivery`
# and not in it, where a million rows would carry two columns that hardly one of them ever needs.
retraction = Table(
    "retraction",
    metadata,
    Column("delivery_id", Id, primary_key=True, autoincrement=False),
    Column("due_at", Moment, nullable=False, index=True),
    Column("failures", SmallInteger, nullable=False, server_default="0"),
)

receipt = Table(
    "receipt",
    metadata,
    id_(),
    ref("account_id", "account.id"),
    Column("url", Text, nullable=False),
    Column("headers", Text, nullable=False),  # JSON
    Column("body", LargeBinary, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("confirmed_at", Moment),
    Column("fault", Text, nullable=False, server_default=""),
    # Of address and body, which is what a signature covers: the same again is kept once.
    Column("digest", LargeBinary),
)
Index("ux_receipt_digest", receipt.c.digest, unique=True)
Index(
    "ix_receipt_pending",
    receipt.c.id,
    sqlite_where=receipt.c.confirmed_at.is_(None),
    postgresql_where=receipt.c.confirmed_at.is_(None),
)
