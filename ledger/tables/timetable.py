"""Timetable sources: how each was read last, what stood there, and what was told of it, to which class and to whom."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table, Text, text

from ledger.tables.base import Id, Moment, id_, metadata, ref

timetable_source = Table(
    "timetable_source",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("read_at", Moment),  # when what was last read was written
    Column("tried_at", Moment),  # when somebody last began to: one process in a while
    Column("pushed_at", Moment),  # when we read it well, whenever it was written
    Column("rows", Integer, nullable=False, server_default="0"),  # what it came to then
    Column("changes", Integer, nullable=False, server_default="0"),
    Column("told", Integer, nullable=False, server_default="0"),
    Column("recent", Text, nullable=False, server_default=""),  # the last counts told of, with commas
    Column("held_at", Moment),  # far more changed than usual: it waits for a person
    Column("held_count", Integer, nullable=False, server_default="0"),
    Column("held_why", Text, nullable=False, server_default=""),
    Column("released_at", Moment),
    Column("released_count", Integer, nullable=False, server_default="0"),
)

# As it stood last time, from that day on.
timetable_change = Table(
    "timetable_change",
    metadata,
    Column("source", String(63), primary_key=True),
    Column("key", String(48), primary_key=True),
    Column("day", Date, nullable=False),
    Column("digest", String(32), nullable=False),
)

# What an announcement tells a class. The newest of a key says what was told of it last; "" is taken back.
timetable_line = Table(
    "timetable_line",
    metadata,
    id_(),
    ref("announcement_id", "announcement.id"),
    ref("group_id", "people_group.id"),
    Column("source", String(63), nullable=False),
    Column("key", String(48), nullable=False),
    Column("digest", String(32), nullable=False),
    Column("day", Date, nullable=False),
    Column("until", Moment, nullable=False),  # its lesson begins, or the day is over: no use any more
    Column("place", Integer, nullable=False),  # in the order in which they are read
    Column("words", Text, nullable=False),
    # It never left and another announcement tells it instead.
    Column("replaced", Boolean, nullable=False, server_default=text("false")),
    Column("made_at", Moment, nullable=False),
)
Index("ix_timetable_line_announcement_id", timetable_line.c.announcement_id)
Index("ix_timetable_line_source_day", timetable_line.c.source, timetable_line.c.day)

# Whom a line is for, settled when it is told: what is taken back goes to these, whatever class they are in by then.
# No foreign keys: rows come in bulk (docs/decisions/0012-no-foreign-keys-in-bulk.md).
timetable_reader = Table(
    "timetable_reader",
    metadata,
    id_(),
    Column("line_id", Id, nullable=False),
    Column("person_id", Id, nullable=False),
    Column("made_at", Moment, nullable=False),
)
Index("ux_timetable_reader", timetable_reader.c.line_id, timetable_reader.c.person_id, unique=True)
Index("ix_timetable_reader_person_id", timetable_reader.c.person_id)
