"""Private links: addresses of what a group is told, for those alone who were given them."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, Table, Text

from ledger.tables.base import Moment, id_, metadata, ref

private_link = Table(
    "private_link",
    metadata,
    id_(),
    # SHA-256 of 256 random bits: whoever reads the ledger can open none of them.
    Column("digest", LargeBinary, nullable=False, unique=True),
    ref("group_id", "people_group.id"),
    Column("about", Text, nullable=False),  # for whom it was made
    Column("made_at", Moment, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("revoked_at", Moment),
    Column("revoked_by", Text),
)
