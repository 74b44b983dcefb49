"""Ways in order: when each later step opens, which duty stands on which rung, and who said that they had seen it."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, SmallInteger, String, Table, text

from broker.ladders.ladder import Climbed, Need
from ledger.tables.base import Id, Moment, metadata, one_of, ref

ladder = Table(
    "ladder",
    metadata,
    ref("announcement_id", "announcement.id", primary_key=True),
    Column("seen", Boolean, nullable=False),  # its messages carry the link by which somebody says so
    Column("look_at", Moment, nullable=False),
    Column("resting", Boolean, nullable=False, server_default=text("false")),  # nothing waits for its time
    Column("ended_at", Moment),
)
Index(
    "ix_ladder_look_at",
    ladder.c.look_at,
    sqlite_where=ladder.c.ended_at.is_(None),
    postgresql_where=ladder.c.ended_at.is_(None),
)

ladder_step = Table(
    "ladder_step",
    metadata,
    ref("announcement_id", "announcement.id", primary_key=True),
    Column("step", SmallInteger, primary_key=True, autoincrement=False),
    Column("opens_at", Moment),  # at the latest; NULL is only once the earlier ones have failed
    Column("unless", String(16), nullable=False),
    one_of("unless", Need),
)

# Rows come in bulk, and each is made from its duty: no foreign keys, as in `ledger.tables.deliveries`.
rung = Table(
    "rung",
    metadata,
    Column("duty_id", Id, primary_key=True, autoincrement=False),
    Column("step", SmallInteger, primary_key=True, autoincrement=False),
    Column("sheet", Boolean, nullable=False),
    Column("code", String(16), nullable=False),
    Column("opened_at", Moment, nullable=False),
    one_of("code", Climbed),
)

acknowledgement = Table(
    "acknowledgement",
    metadata,
    Column("duty_id", Id, primary_key=True, autoincrement=False),
    # By whose link; 0 where the office was told.
    Column("address_id", Id, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
)
