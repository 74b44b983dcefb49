"""What the school may decide: versions of its rules, the verdicts they gave, kill switches, and how many were meant."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text, text

from broker.rules.switches import SwitchKind
from ledger.tables.base import Moment, id_, metadata, one_of, ref

# Each version whole: what differs from the defaults, every value as it is written.
rules = Table(
    "rules",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),  # JSON: key → value as written
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
)

# One row each time the answer for an announcement on an account became another one.
verdict = Table(
    "verdict",
    metadata,
    id_(),
    ref("announcement_id", "announcement.id"),
    ref("account_id", "account.id"),
    Column("rules_version", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("answer", String(16), nullable=False),
    Column("code", String(128), nullable=False),
    Column("why", Text, nullable=False),
    Column("until", Moment),
    Column("evidence", Text, nullable=False),  # JSON, without personal data
    Index("ix_verdict_last", "announcement_id", "account_id", "id"),
)

# What is switched off: an account's own switch is its pause.
switch = Table(
    "switch",
    metadata,
    id_(),
    Column("kind", String(16), nullable=False),
    Column("subject", String(63), nullable=False),  # a channel's name, a department's slug, "" for everything
    Column("why", Text, nullable=False),
    Column("off_at", Moment, nullable=False),
    Column("off_by", Text, nullable=False),
    Column("on_at", Moment),
    Column("on_by", Text),
    one_of("kind", SwitchKind),
)
Index(
    "ux_switch_off",
    switch.c.kind,
    switch.c.subject,
    unique=True,
    sqlite_where=text("on_at IS NULL"),
    postgresql_where=text("on_at IS NULL"),
)

# How many people an announcement tells: as last counted, and as somebody typed it.
headcount = Table(
    "headcount",
    metadata,
    ref("announcement_id", "announcement.id", primary_key=True),
    Column("counted", Integer, nullable=False),
    Column("expected", Integer),
    Column("norm", Integer),  # what its department usually told then
)
