"""Who watches: sign-in links and sessions."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, Table, Text

from ledger.tables.base import Moment, metadata

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
