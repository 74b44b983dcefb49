"""The term calendar of the office's own, schedules, what became of each of their occurrences, and calendars read anew.

Wall times are text, as ISO writes them: a column of times would be given a zone on its way.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, String, Table, Text, Uuid, text

from broker.announcement import People, Purpose, Urgency
from broker.diary.calendar import SpanKind
from broker.ports.calendar import Outcome
from ledger.tables.base import Moment, id_, metadata, one_of, ref

calendar_span = Table(
    "calendar_span",
    metadata,
    id_(),
    Column("kind", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("begins_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),  # its last day
    Column("made_at", Moment, nullable=False),
    Column("made_by", Text, nullable=False),
    one_of("kind", SpanKind),
)

schedule = Table(
    "schedule",
    metadata,
    id_(),
    Column("public_id", Uuid, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("folded_name", Text, nullable=False),
    ref("department_id", "department.id"),
    Column("purpose", String(16), nullable=False),
    Column("urgency", String(16), nullable=False),
    Column("audience", Text, nullable=False),
    Column("people", String(16), nullable=False),
    Column("ways", Text, nullable=False),  # JSON: the steps, each a list of channels
    Column("language", String(35), nullable=False, server_default=""),
    Column("template", Text, nullable=False, server_default=""),
    Column("title", Text),
    Column("short", Text),
    Column("long", Text),
    Column("expected", Integer),  # how many people, as somebody typed it
    Column("starts", String(19), nullable=False),
    Column("zone", String(64), nullable=False),
    Column("rule", Text, nullable=False),
    Column("days", Text, nullable=False),  # kinds of day it takes place on, with commas
    Column("missing", String(8), nullable=False, server_default=""),
    Column("double", String(8), nullable=False, server_default=""),
    Column("ended", String(19)),  # wall time; what would come from then on does not
    Column("lasts_seconds", Integer, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("made_by", Text, nullable=False),  # who worded it last
    Column("changed_at", Moment, nullable=False),  # its words, audience or ways, by a person
    # A second person's yes to all its dates, until it is changed; and how many it told then.
    Column("approved_at", Moment),
    Column("approved_by", Text),
    Column("approved_count", Integer),
    Column("looked_until", Moment, nullable=False),
    Column("next_at", Moment),
    Column("paused_at", Moment),
    Column("ended_at", Moment),
    one_of("purpose", Purpose),
    one_of("urgency", Urgency),
    one_of("people", People),
)
Index("ix_schedule_next_at", schedule.c.next_at)
# Only among those that go on: next September's may have the name of last year's.
Index(
    "ux_schedule_name",
    schedule.c.folded_name,
    unique=True,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)

schedule_attachment = Table(
    "schedule_attachment",
    metadata,
    ref("schedule_id", "schedule.id", primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sha256", String(64), ForeignKey("attachment.sha256"), nullable=False),
)

schedule_exception = Table(
    "schedule_exception",
    metadata,
    ref("schedule_id", "schedule.id", primary_key=True),
    Column("original", String(19), primary_key=True),
    Column("moved_to", String(19)),  # NULL: it does not take place
    Column("made_at", Moment, nullable=False),
    Column("made_by", Text, nullable=False),
)

occurrence = Table(
    "occurrence",
    metadata,
    ref("schedule_id", "schedule.id", primary_key=True),
    Column("original", String(19), primary_key=True),
    Column("due_at", Moment),
    Column("outcome", String(16), nullable=False),
    Column("why", Text, nullable=False, server_default=""),
    Column("at", Moment, nullable=False),
    # The announcement may be pruned before its schedule: no foreign key holds it.
    Column("announcement", Uuid),
    one_of("outcome", Outcome),
)

# A calendar somewhere in the web that is read again and again. Its address may hold a secret: it is shown masked.
calendar_subscription = Table(
    "calendar_subscription",
    metadata,
    id_(),
    Column("name", Text, nullable=False),
    ref("department_id", "department.id"),
    Column("url", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("in_term", Boolean, nullable=False),
    Column("every_seconds", Integer, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("tried_at", Moment),
    Column("read_at", Moment),  # when it last answered with what can be used, changed or not
    Column("etag", Text, nullable=False, server_default=""),
    Column("modified", Text, nullable=False, server_default=""),
    Column("digest", String(64), nullable=False, server_default=""),
    Column("why", Text, nullable=False, server_default=""),  # it could not be read the last time
    Column("retired_at", Moment),
)
Index(
    "ux_calendar_subscription_name",
    calendar_subscription.c.name,
    unique=True,
    sqlite_where=text("retired_at IS NULL"),
    postgresql_where=text("retired_at IS NULL"),
)
