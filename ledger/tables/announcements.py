"""What was said: announcements, their wordings as versions, templates and files."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from broker.announcement import Part, People, Purpose, Urgency
from ledger.tables.base import Id, Moment, id_, metadata, one_of, ref

template = Table(
    "template",
    metadata,
    id_(),
    ref("department_id", "department.id"),
    Column("name", Text, nullable=False),
    Column("folded_name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("language", String(35), nullable=False, server_default=""),
    Column("part", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("retired_at", Moment),
    UniqueConstraint("department_id", "folded_name", "version", "language", "part"),
    one_of("part", Part),
)

attachment = Table(
    "attachment",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("bytes", LargeBinary, nullable=False),
)

template_attachment = Table(
    "template_attachment",
    metadata,
    # The first row of a version: the others of it are its further parts.
    ref("template_id", "template.id", primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sha256", String(64), ForeignKey("attachment.sha256"), nullable=False),
)

announcement = Table(
    "announcement",
    metadata,
    id_(),
    Column("public_id", Uuid, nullable=False, unique=True),
    ref("department_id", "department.id"),
    Column("idempotency_key", String(200)),
    Column("digest", String(64), nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("urgency", String(16), nullable=False),
    Column("audience", Text, nullable=False),
    Column("people", String(16), nullable=False),
    Column("ways", Text, nullable=False),  # JSON: the steps, each a list of channels
    Column("accepted_at", Moment, nullable=False),
    Column("approved_at", Moment),
    Column("due_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("fanned_out_at", Moment),
    Column("withdrawn_at", Moment),
    # Held whole by the rules: not planned before this, and why.
    Column("template", Text),  # that it was made from, if it was
    Column("held_until", Moment),
    Column("hold_code", String(63)),
    Column("hold_why", Text),
    # What it follows up, and as what; which one said it rightly since, and from when on that speaks instead.
    ref("corrects", "announcement.id", nullable=True),
    Column("on_behalf_of", Text),  # who is answerable for what Carillon itself announces
    Column("settled_at", Moment),  # since when its words stand, where that is long before it was accepted
    Column("follow_up", String(16)),
    Column("corrected_by", Id),
    Column("corrected_at", Moment),
    UniqueConstraint("department_id", "idempotency_key"),
    one_of("purpose", Purpose),
    one_of("urgency", Urgency),
    one_of("people", People),
)
Index(
    "ix_announcement_to_plan",
    announcement.c.due_at,
    sqlite_where=announcement.c.fanned_out_at.is_(None),
    postgresql_where=announcement.c.fanned_out_at.is_(None),
)
Index(
    "ix_announcement_corrects",
    announcement.c.corrects,
    sqlite_where=announcement.c.corrects.is_not(None),
    postgresql_where=announcement.c.corrects.is_not(None),
)
Index(
    "ix_announcement_withdrawn_at",
    announcement.c.withdrawn_at,
    sqlite_where=announcement.c.withdrawn_at.is_not(None),
    postgresql_where=announcement.c.withdrawn_at.is_not(None),
)
# The latest of one department: its list, and how many people it usually tells.
Index("ix_announcement_department_id", announcement.c.department_id, announcement.c.id)

# One that is told to exactly those whom others told, by the same addresses; or to everybody but them.
told_before = Table(
    "told_before",
    metadata,
    ref("announcement_id", "announcement.id", primary_key=True),
    ref("earlier_id", "announcement.id", primary_key=True),
    Column("again", Boolean, nullable=False),  # else: but them
)

content = Table(
    "content",
    metadata,
    ref("announcement_id", "announcement.id", primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("language", String(35), primary_key=True),
    Column("part", String(16), primary_key=True),
    Column("text", Text, nullable=False),
    one_of("part", Part),
)

content_attachment = Table(
    "content_attachment",
    metadata,
    ref("announcement_id", "announcement.id", primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sha256", String(64), ForeignKey("attachment.sha256"), nullable=False),
    # What a way that carries no files writes instead of the file: random, and over at some time.
    Column("token", String(32), nullable=False, unique=True),
    Column("token_expires_at", Moment, nullable=False),
)

# Whom an announcement that is sent again is about: people named one by one, or those who joined since.
follow_up_person = Table(
    "follow_up_person",
    metadata,
    ref("announcement_id", "announcement.id", primary_key=True),
    Column("person_id", Id, primary_key=True),
)
