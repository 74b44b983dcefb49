"""The record: entries, the seals over them, and the heads that were given to somebody outside."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, String, Table, Text

from ledger.tables.base import Id, Moment, id_, metadata

record_entry = Table(
    "record_entry",
    metadata,
    id_(),
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

# A row here, in one's own transaction, lets that transaction prune: ledger.scrutiny.record_keeping. Else it is empty.
record_opening = Table(
    "record_opening",
    metadata,
    id_(),
    Column("why", Text, nullable=False),
)

# Governors, to whom heads are mailed.
head_holder = Table(
    "head_holder",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("email", Text, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("added_at", Moment, nullable=False),
)

# Heads that left the house: who held one can show later that the record went on from it.
record_head = Table(
    "record_head",
    metadata,
    id_(),
    Column("number", Id, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False),
    Column("how", String(16), nullable=False),  # mailed, printed, exported
)
