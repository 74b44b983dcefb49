"""The programs that may call: their tokens, and the webhooks that are called back."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, String, Table, Text, Uuid

from ledger.tables.base import Id, Moment, id_, metadata, ref

# A digest of 238 random bits: whoever reads the ledger can call with none of them.
api_token = Table(
    "api_token",
    metadata,
    id_(),
    Column("public_id", Uuid, nullable=False, unique=True),
    Column("name", String(80), nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),  # words, with spaces between
    ref("department_id", "department.id", nullable=True),
    Column("operator", String(80)),  # as whom it acts; else as a machine of its own name
    Column("made_by", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("revoked_at", Moment),
    Column("revoked_by", Text),
)

# How far each has been told of the record: (mark, id) of an entry, in the order in which entries are sealed. A batch
# that is being tried ends at `until`, so that it is the same batch, under the same name, until it has arrived.
webhook = Table(
    "webhook",
    metadata,
    id_(),
    Column("public_id", Uuid, nullable=False, unique=True),
    ref("department_id", "department.id", nullable=True),
    Column("url", Text, nullable=False),
    Column("states", Text, nullable=False),  # of deliveries, with spaces between
    Column("made_by", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("after_mark", Id, nullable=False),
    Column("after_id", Id, nullable=False),
    Column("until_mark", Id),
    Column("until_id", Id),
    Column("sequence", Id, nullable=False),  # messages that have arrived
    Column("failures", Integer, nullable=False),
    Column("failing_since", Moment),
    Column("due_at", Moment, nullable=False),
    Column("told_at", Moment),
    Column("why", Text, nullable=False),  # the last try failed; "" where it did not
    Column("paused_at", Moment),
    Column("retired_at", Moment),
)
