"""The tables: what the ledger remembers. Read from top to bottom as the story is told.

Bigint ids inside, a UUIDv7 where an id is shown to people. States are stored as their words, held by a CHECK
that is computed from the broker's one state table. Times are instants in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    func,
    text,
)

from broker.address import AddressKind
from broker.announcement import Part, People, Purpose, Urgency
from broker.delivery import FAILED, Evidence, State
from broker.roster import GroupKind, TermKind

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """An instant in UTC. SQLite keeps no zone, so it is taken off on the way in and put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time reached the ledger")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware UTC time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Id = BigInteger().with_variant(Integer(), "sqlite")


def _id() -> Column[Any]:
    return Column("id", Id, primary_key=True, autoincrement=True)


def _ref(name: str, target: str, *, nullable: bool = False, **more: Any) -> Column[Any]:
    return Column(name, Id, ForeignKey(target), nullable=nullable, **more)


def one_of(column: str, words: Iterable[StrEnum]) -> CheckConstraint:
    """A CHECK that holds a column to the words of an enumeration."""
    allowed = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


# --- the school ---------------------------------------------------------------------------------------------------

school = Table(
    "school",
    metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("slug", String(63), nullable=False),
    Column("name", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("region", String(2), nullable=False),
    # Added to every record mark: a restored PostgreSQL counts its transactions from the beginning again.
    Column("mark_offset", Id, nullable=False, server_default="0"),
    CheckConstraint("id = 1", name="one_school"),
)

department = Table(
    "department",
    metadata,
    _id(),
    Column("slug", String(63), nullable=False, unique=True),
    Column("name", Text, nullable=False),
)

account = Table(
    "account",
    metadata,
    _id(),
    Column("name", String(63), nullable=False, unique=True),
    Column("channel", String(63), nullable=False),
    _ref("department_id", "department.id", nullable=True),
    Column("per_second", Float),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("paused_at", Moment),
    Column("paused_why", Text, nullable=False, server_default=""),
    Column("posture", Text),  # JSON: what it looked like at the provider
    Column("posture_at", Moment),
)

# --- people --------------------------------------------------------------------------------------------------------

person = Table(
    "person",
    metadata,
    _id(),
    Column("public_id", Uuid, nullable=False, unique=True),
    Column("source_id", Text, nullable=False, unique=True),
    Column("is_pupil", Boolean, nullable=False, server_default=text("false")),
    Column("is_guardian", Boolean, nullable=False, server_default=text("false")),
    Column("is_staff", Boolean, nullable=False, server_default=text("false")),
    Column("given_name", Text, nullable=False),
    Column("family_name", Text, nullable=False),
    Column("preferred_name", Text),
    Column("year", Text),
    Column("form", Text),
    Column("born", Date),
    Column("language", String(35), nullable=False, server_default=""),
    # The roster had something there that cannot be used: the office is told so, instead of "no number".
    Column("mobile_refused", Boolean, nullable=False, server_default=text("false")),
    Column("email_refused", Boolean, nullable=False, server_default=text("false")),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    # Erasure destroys it, and with it what the record's commitments could tell.
    Column("commitment_key", LargeBinary),
    Column("changed_at", Moment, nullable=False),
)

address = Table(
    "address",
    metadata,
    _id(),
    Column("kind", String(16), nullable=False),
    Column("value", Text, nullable=False),
    # HMAC of the normalised value: opt-outs are found by it after erasure and re-import.
    Column("hash", LargeBinary, nullable=False),
    # Shared by people who share no guardian (an office number, a refuge): no names are ever sent to it.
    Column("doubtful", Boolean, nullable=False, server_default=text("false")),
    # When somebody last said that it is right: the roster that brought it to its holder, or the office.
    Column("confirmed_at", Moment, nullable=False, server_default=func.current_timestamp()),
    Column("commitment_key", LargeBinary),
    UniqueConstraint("kind", "value"),
    one_of("kind", AddressKind),
)
Index("ix_address_hash", address.c.hash)

person_address = Table(
    "person_address",
    metadata,
    _ref("person_id", "person.id", primary_key=True),
    _ref("address_id", "address.id", primary_key=True),
    Column("position", SmallInteger, nullable=False, server_default="1"),
)
Index("ix_person_address_address_id", person_address.c.address_id, person_address.c.person_id)

guardianship = Table(
    "guardianship",
    metadata,
    _ref("guardian_id", "person.id", primary_key=True),
    _ref("pupil_id", "person.id", primary_key=True),
    Column("priority", SmallInteger, nullable=False, server_default="1"),
    Column("parental_responsibility", Boolean),
    Column("lives_with", Boolean),
    Column("blocked", Boolean, nullable=False, server_default=text("false")),
    # Blocked by somebody here, with a reason in the record: no roster lifts it.
    Column("by_hand", Boolean, nullable=False, server_default=text("false")),
)
Index("ix_guardianship_pupil_id", guardianship.c.pupil_id, guardianship.c.guardian_id)
# A handful in a school, and each partition of a fan-out asks for them all.
Index(
    "ix_guardianship_blocked",
    guardianship.c.pupil_id,
    guardianship.c.guardian_id,
    sqlite_where=guardianship.c.blocked,
    postgresql_where=guardianship.c.blocked,
)

# `group` is a word of SQL's own.
people_group = Table(
    "people_group",
    metadata,
    _id(),
    Column("source_id", Text, unique=True),
    Column("name", Text, nullable=False),
    Column("folded_name", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    _ref("department_id", "department.id", nullable=True),
    # Of a kept group that is made of others; it has no memberships then, and is worked out whenever it is asked for.
    Column("expression", Text),
    Column("public", Boolean, nullable=False, server_default=text("false")),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    one_of("kind", GroupKind),
)
# Only among the active: every September a new 7B takes the name of last year's.
Index(
    "ux_people_group_name",
    people_group.c.folded_name,
    unique=True,
    sqlite_where=text("active"),
    postgresql_where=text("active"),
)

membership = Table(
    "membership",
    metadata,
    _ref("group_id", "people_group.id", primary_key=True),
    _ref("person_id", "person.id", primary_key=True),
    Column("role", String(16), nullable=False),
    Column("begins_on", Date),
    Column("ends_on", Date),
)
Index("ix_membership_person_id", membership.c.person_id)

# The term calendar, as the roster told it.
term = Table(
    "term",
    metadata,
    _id(),
    Column("source_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("begins_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),  # its last day
    Column("parent", Text),  # the source_id of the longer one that it is part of
    Column("active", Boolean, nullable=False, server_default=text("true")),
    one_of("kind", TermKind),
)

# How a report of the school's own making is read: which of its columns is what.
mapping = Table(
    "mapping",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("body", Text, nullable=False),  # JSON
    Column("made_at", Moment, nullable=False),
)

consent = Table(
    "consent",
    metadata,
    _ref("person_id", "person.id", primary_key=True),
    Column("channel", String(63), primary_key=True),
    Column("purpose", String(16), primary_key=True),
    Column("given", Boolean, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", Moment, nullable=False),
    one_of("purpose", Purpose),
)

suppression = Table(
    "suppression",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("channel", String(63), primary_key=True),
    Column("source", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

# --- what was said -----------------------------------------------------------------------------------------------

template = Table(
    "template",
    metadata,
    _id(),
    _ref("department_id", "department.id"),
    Column("name", Text, nullable=False),
    Column("folded_name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("language", String(35), nullable=False, server_default=""),
    Column("part", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("retired_at", Moment),
    UniqueConstraint("department_id", "folded_name", "version", "language", "part"),
    one_of("part", Part),
)

attachment = Table(
    "attachment",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("bytes", LargeBinary, nullable=False),
)

announcement = Table(
    "announcement",
    metadata,
    _id(),
    Column("public_id", Uuid, nullable=False, unique=True),
    _ref("department_id", "department.id"),
    Column("idempotency_key", String(200)),
    Column("digest", String(64), nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("urgency", String(16), nullable=False),
    Column("audience", Text, nullable=False),
    Column("people", String(16), nullable=False),
    Column("ways", Text, nullable=False),  # JSON: the steps, each a list of channels
    Column("accepted_at", Moment, nullable=False),
    Column("approved_at", Moment),
    Column("due_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("fanned_out_at", Moment),
    Column("withdrawn_at", Moment),
    _ref("corrects", "announcement.id", nullable=True),
    UniqueConstraint("department_id", "idempotency_key"),
    one_of("purpose", Purpose),
    one_of("urgency", Urgency),
    one_of("people", People),
)
Index(
    "ix_announcement_to_plan",
    announcement.c.due_at,
    sqlite_where=announcement.c.fanned_out_at.is_(None),
    postgresql_where=announcement.c.fanned_out_at.is_(None),
)
Index(
    "ix_announcement_corrects",
    announcement.c.corrects,
    sqlite_where=announcement.c.corrects.is_not(None),
    postgresql_where=announcement.c.corrects.is_not(None),
)
Index(
    "ix_announcement_withdrawn_at",
    announcement.c.withdrawn_at,
    sqlite_where=announcement.c.withdrawn_at.is_not(None),
    postgresql_where=announcement.c.withdrawn_at.is_not(None),
)

content = Table(
    "content",
    metadata,
    _ref("announcement_id", "announcement.id", primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("language", String(35), primary_key=True),
    Column("part", String(16), primary_key=True),
    Column("text", Text, nullable=False),
    one_of("part", Part),
)

content_attachment = Table(
    "content_attachment",
    metadata,
    _ref("announcement_id", "announcement.id", primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sha256", String(64), ForeignKey("attachment.sha256"), nullable=False),
    # What a way that carries no files writes instead of the file: random, and over at some time.
    Column("token", String(32), nullable=False, unique=True),
    Column("token_expires_at", Moment, nullable=False),
)

# --- to whom, and by which way -----------------------------------------------------------------------------------
# No foreign keys from here on where rows come in bulk: each would lock its parent row once more per delivery (half of
# a fan-out's time, measured), and every one of these rows is made from its parents by INSERT … SELECT.

duty = Table(
    "duty",
    metadata,
    _id(),
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
    _ref("announcement_id", "announcement.id", primary_key=True),
    Column("channel", String(63), primary_key=True),
    Column("address_id", Id, nullable=False),
    Column("done", Boolean, nullable=False),
)

delivery = Table(
    "delivery",
    metadata,
    _id(),
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
_failed = "state IN ({})".format(", ".join(f"'{state.value}'" for state in sorted(FAILED)))
Index("ix_delivery_failed", delivery.c.id, sqlite_where=text(_failed), postgresql_where=text(_failed))
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
    _id(),
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
    _id(),
    _ref("account_id", "account.id"),
    Column("url", Text, nullable=False),
    Column("headers", Text, nullable=False),  # JSON
    Column("body", LargeBinary, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("confirmed_at", Moment),
    Column("fault", Text, nullable=False, server_default=""),
)
Index(
    "ix_receipt_pending",
    receipt.c.id,
    sqlite_where=receipt.c.confirmed_at.is_(None),
    postgresql_where=receipt.c.confirmed_at.is_(None),
)

# --- running it --------------------------------------------------------------------------------------------------

tally = Table(
    "tally",
    metadata,
    _ref("announcement_id", "announcement.id", primary_key=True),
    Column("channel", String(63), primary_key=True),
    Column("state", String(16), primary_key=True),
    Column("n", Id, nullable=False),
)

# Appended by every move and folded later: a counter row that all workers update would be one hot row.
tally_delta = Table(
    "tally_delta",
    metadata,
    _id(),
    Column("announcement_id", Id, nullable=False),
    Column("channel", String(63), nullable=False),
    Column("state", String(16), nullable=False),
    Column("n", Id, nullable=False),
)

pace = Table(
    "pace",
    metadata,
    _ref("account_id", "account.id", primary_key=True),
    Column("next_at", Moment, nullable=False),
)

stop = Table(
    "stop",
    metadata,
    _id(),
    Column("kind", String(16), nullable=False),
    Column("subject", Id, nullable=False),
    Column("at", Moment, nullable=False, index=True),
)

worker = Table(
    "worker",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    Column("started_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
)

alarm = Table(
    "alarm",
    metadata,
    _id(),
    Column("kind", String(63), nullable=False),
    Column("subject", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("raised_at", Moment, nullable=False),
    Column("cleared_at", Moment),
)
Index(
    "ux_alarm_open",
    alarm.c.kind,
    alarm.c.subject,
    unique=True,
    sqlite_where=alarm.c.cleared_at.is_(None),
    postgresql_where=alarm.c.cleared_at.is_(None),
)

# --- who watches -------------------------------------------------------------------------------------------------

# Both hold SHA-256 digests of 256 random bits: whoever reads the ledger can sign in with none of them.
sign_in_link = Table(
    "sign_in_link",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("operator", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
)

session = Table(
    "session",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("operator", Text, nullable=False),
    Column("began_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("ended_at", Moment),
)

# --- the record --------------------------------------------------------------------------------------------------

record_entry = Table(
    "record_entry",
    metadata,
    _id(),
    # The order of transactions: PostgreSQL's transaction id, SQLite's own count. Seals cover ranges of it.
    Column("mark", Id, nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("kind", String(63), nullable=False),
    Column("announcement_id", Id, index=True),
    Column("body", LargeBinary, nullable=False),
)

record_seal = Table(
    "record_seal",
    metadata,
    Column("number", Id, primary_key=True, autoincrement=False),
    Column("first_mark", Id, nullable=False),
    Column("next_mark", Id, nullable=False),
    Column("count", Integer, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("sealed_at", Moment, nullable=False),
)
