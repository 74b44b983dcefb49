"""Consent as a history, and which texts from outside were heard already."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, String, Table, Text

from broker.announcement import Purpose
from ledger.tables.base import Moment, id_, metadata, one_of, ref

# Appended to and never changed; `consent` holds what of it stands.
consent_entry = Table(
    "consent_entry",
    metadata,
    id_(),
    ref("person_id", "person.id"),
    Column("channel", String(63), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("given", Boolean, nullable=False),
    ref("guardian_id", "person.id", nullable=True),  # who said it for a pupil; NULL for the person's own word
    Column("source", Text, nullable=False),
    Column("evidence", Text, nullable=False, server_default=""),
    Column("said_at", Moment, nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("at", Moment, nullable=False),
    one_of("purpose", Purpose),
)
Index("ix_consent_entry_person_id", consent_entry.c.person_id, consent_entry.c.channel)

# By the provider's own id: a text that comes again, whoever sends it, opts nobody out or in a second time. It
# outlives the inbox, and says nothing of anybody.
heard = Table(
    "heard",
    metadata,
    ref("account_id", "account.id", primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("at", Moment, nullable=False),
)
