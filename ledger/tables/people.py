"""People: pupils, guardians and staff, how they belong together, and how they are reached."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)

from broker.address import AddressKind
from broker.announcement import Purpose
from broker.rosters.roster import GroupKind, TermKind
from ledger.tables.base import Moment, id_, metadata, one_of, ref

person = Table(
    "person",
    metadata,
    id_(),
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
    id_(),
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
    ref("person_id", "person.id", primary_key=True),
    ref("address_id", "address.id", primary_key=True),
    Column("position", SmallInteger, nullable=False, server_default="1"),
)
Index("ix_person_address_address_id", person_address.c.address_id, person_address.c.person_id)

guardianship = Table(
    "guardianship",
    metadata,
    ref("guardian_id", "person.id", primary_key=True),
    ref("pupil_id", "person.id", primary_key=True),
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
    id_(),
    Column("source_id", Text, unique=True),
    Column("name", Text, nullable=False),
    Column("folded_name", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    ref("department_id", "department.id", nullable=True),
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
    ref("group_id", "people_group.id", primary_key=True),
    ref("person_id", "person.id", primary_key=True),
    Column("role", String(16), nullable=False),
    Column("begins_on", Date),
    Column("ends_on", Date),
)
Index("ix_membership_person_id", membership.c.person_id)

# The term calendar, as the roster told it.
term = Table(
    "term",
    metadata,
    id_(),
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

# What stands of `consent_entry`: the newest word for each channel and purpose, where the claim finds it by its key.
consent = Table(
    "consent",
    metadata,
    ref("person_id", "person.id", primary_key=True),
    Column("channel", String(63), primary_key=True),
    Column("purpose", String(16), primary_key=True),
    Column("given", Boolean, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", Moment, nullable=False),
    # What a guardian said last for a pupil; NULL while none has.
    Column("guardian_given", Boolean),
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
