"""What running it needs: counts, turns, stops, workers and alarms."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text, text

from ledger.tables.base import Id, Moment, id_, metadata, ref

tally = Table(
    "tally",
    metadata,
    ref("announcement_id", "announcement.id", primary_key=True),
    Column("channel", String(63), primary_key=True),
    Column("state", String(16), primary_key=True),
    Column("n", Id, nullable=False),
)

# What still moves, and what went wrong: a page finds both without a look at what is finished.
OPEN = text("state IN ('queued', 'sending') AND n > 0")
WENT_WRONG = text("state IN ('exhausted', 'rejected') AND n > 0")
Index("ix_tally_open", tally.c.announcement_id, sqlite_where=OPEN, postgresql_where=OPEN)
Index("ix_tally_failed", tally.c.announcement_id, sqlite_where=WENT_WRONG, postgresql_where=WENT_WRONG)

# Appended by every move and folded later: a counter row that all workers update would be one hot row.
tally_delta = Table(
    "tally_delta",
    metadata,
    id_(),
    Column("announcement_id", Id, nullable=False),
    Column("channel", String(63), nullable=False),
    Column("state", String(16), nullable=False),
    Column("n", Id, nullable=False),
)

pace = Table(
    "pace",
    metadata,
    ref("account_id", "account.id", primary_key=True),
    Column("gateway", String(63), primary_key=True),  # "" where an account has but one
    Column("next_at", Moment, nullable=False),
)

# Of accounts with several gateways alone, and of those alone of which there was something to note.
gateway = Table(
    "gateway",
    metadata,
    ref("account_id", "account.id", primary_key=True),
    Column("name", String(63), primary_key=True),
    Column("stand", String(16), nullable=False),
    Column("since", Moment),
    Column("until", Moment),
    Column("why", Text, nullable=False),
    Column("openings", Integer, nullable=False),
    Column("held_by", Text, nullable=False),
    Column("counted_from", Moment),
    Column("tries", Integer, nullable=False),
    Column("errors", Integer, nullable=False),
    Column("slow", Integer, nullable=False),
)

stop = Table(
    "stop",
    metadata,
    id_(),
    Column("kind", String(16), nullable=False),
    Column("subject", Id, nullable=False),
    Column("at", Moment, nullable=False, index=True),
)

worker = Table(
    "worker",
    metadata,
    id_(),
    Column("name", Text, nullable=False, unique=True),
    Column("started_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
)

alarm = Table(
    "alarm",
    metadata,
    id_(),
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
