"""Keeping and erasing: who was erased, what is held for the law, words that can be taken out, and the nightly job."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, Index, LargeBinary, SmallInteger, String, Table, Text

from ledger.tables.base import Moment, id_, metadata, ref

# What a roster would know an erased person by, as keyed hashes: without them the next import would bring them back.
erased = Table(
    "erased",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    # The row that is left of them, which says nothing: whoever lets them back lets every hash of theirs go.
    ref("person_id", "person.id", index=True),
    Column("at", Moment, nullable=False),
)

# Words that somebody typed about people. The record holds their commitment; they themselves must be able to go.
remark = Table(
    "remark",
    metadata,
    id_(),
    Column("commitment", String(32), nullable=False, index=True),
    ref("person_id", "person.id", index=True),
    Column("words", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

# What must not go: neither by age nor by anybody's wish, until it is lifted.
legal_hold = Table(
    "legal_hold",
    metadata,
    id_(),
    ref("person_id", "person.id", nullable=True),
    ref("announcement_id", "announcement.id", nullable=True),
    Column("words", Text, nullable=False),
    Column("held_by", Text, nullable=False),
    Column("held_at", Moment, nullable=False),
    Column("lifted_by", Text),
    Column("lifted_at", Moment),
    CheckConstraint("(person_id IS NULL) <> (announcement_id IS NULL)", name="one_subject"),
)
Index(
    "ix_legal_hold_standing",
    legal_hold.c.id,
    sqlite_where=legal_hold.c.lifted_at.is_(None),
    postgresql_where=legal_hold.c.lifted_at.is_(None),
)

# What a provider is still to be asked to forget.
redaction = Table(
    "redaction",
    metadata,
    id_(),
    ref("account_id", "account.id"),
    Column("gateway", String(63), nullable=False, server_default=""),  # "" where it is not known
    Column("provider_id", Text, nullable=False),
    Column("wanted_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False, index=True),
    Column("failures", SmallInteger, nullable=False, server_default="0"),
)

# One row a night, by the school's date: who is at it and until when, and what it came to.
night = Table(
    "night",
    metadata,
    Column("day", Date, primary_key=True),
    Column("began_at", Moment, nullable=False),
    Column("lease_until", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("done", Text, nullable=False, server_default="{}"),  # JSON: how much of what went
)
