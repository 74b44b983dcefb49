"""Imports that somebody chose and nobody has taken in yet: their files, and what they would change."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, LargeBinary, SmallInteger, String, Table, Text, Uuid

from broker.rosters.staged import StagedKind, StagedStage
from ledger.tables.base import Id, Moment, id_, metadata, one_of

# Beside the temporary tables of `ledger.rosters.staging`, which one connection sees: these outlast a page.
staged_import = Table(
    "staged_import",
    metadata,
    id_(),
    Column("public_id", Uuid, nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("asked", Text, nullable=False),  # JSON: what is to be done with the files
    Column("made_at", Moment, nullable=False),
    Column("made_by", Text, nullable=False),
    # When whoever reads it or takes it in last said so: silent for long, it has died.
    Column("seen_at", Moment, nullable=False),
    Column("share", Float, nullable=False),  # of the work in hand, 0 to 1
    Column("told", Text, nullable=False),  # JSON: the difference, or why it was refused
    Column("ended_by", Text, nullable=False, server_default=""),
    one_of("kind", StagedKind),
    one_of("stage", StagedStage),
)

staged_file = Table(
    "staged_file",
    metadata,
    Column("import_id", Id, ForeignKey("staged_import.id", ondelete="CASCADE"), primary_key=True),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("mapping", String(63), nullable=False, server_default=""),
    Column("bytes", LargeBinary, nullable=False),
)
