"""Events, reminder rules, and what became of each reminder and of each notice of a change."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint, Uuid

from broker.announcement import People
from broker.ports.events import Told
from ledger.tables.base import Moment, id_, metadata, one_of, ref

event = Table(
    "event",
    metadata,
    id_(),
    Column("public_id", Uuid, nullable=False, unique=True),
    ref("department_id", "department.id"),
    Column("audience", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("uid", Text, nullable=False),
    Column("original", String(19), nullable=False),  # naive wall time: with the uid, its identity
    Column("title", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("wall", String(19), nullable=False),
    Column("starts_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("known_at", Moment, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("cancelled_at", Moment),
    Column("changed_at", Moment),  # its title, place, time or groups; NULL: never
    UniqueConstraint("source", "uid", "original"),
)
Index("ix_event_starts_at", event.c.starts_at)

reminder_rule = Table(
    "reminder_rule",
    metadata,
    id_(),
    ref("department_id", "department.id"),
    Column("name", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("before_seconds", Integer, nullable=False),
    Column("clock", String(5)),  # wall time of that many days before; NULL: to the minute before
    Column("people", String(16), nullable=False),
    Column("ways", Text, nullable=False),  # JSON
    Column("title", Text),
    Column("short", Text),
    Column("long", Text),
    Column("made_by", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("approved_at", Moment),  # a second person's yes to all it will say
    Column("approved_by", Text),
    Column("retired_at", Moment),
    one_of("people", People),
)

reminder = Table(
    "reminder",
    metadata,
    ref("event_id", "event.id", primary_key=True),
    ref("rule_id", "reminder_rule.id", primary_key=True),
    Column("sequence", Integer, primary_key=True),  # of the event, when it was made
    Column("told", String(16), nullable=False),
    Column("at", Moment, nullable=False),
    Column("why", Text, nullable=False),
    Column("announcement", Uuid),
    one_of("told", Told),
)

event_notice = Table(
    "event_notice",
    metadata,
    ref("event_id", "event.id", primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("words", Text, nullable=False),
    Column("ways", Text, nullable=False),
    Column("people", String(16), nullable=False),
    Column("owed_at", Moment, nullable=False),
    Column("made_at", Moment),
    Column("announcement", Uuid),
    one_of("people", People),
)
