"""Schedules, events and timetables; who is told of a change

Revision: 0007, after 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add schedules, events with their reminders, subscribed calendars, timetable sources, and who is told again."""
    _announcements()
    _schedules()
    _subscriptions()
    _events()
    _timetables()


def _announcements() -> None:
    id_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("announcement", sa.Column("on_behalf_of", sa.Text(), nullable=True))
    op.add_column("announcement", sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "told_before",
        sa.Column("announcement_id", id_, nullable=False),
        sa.Column("earlier_id", id_, nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["announcement_id"], ["announcement.id"], name=op.f("fk_told_before_announcement_id")
        ),
        sa.ForeignKeyConstraint(
            ["earlier_id"], ["announcement.id"], name=op.f("fk_told_before_earlier_id")
        ),
        sa.PrimaryKeyConstraint("announcement_id", "earlier_id", name=op.f("pk_told_before")),
    )


def _schedules() -> None:
    id_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "calendar_span",
        sa.Column("id", id_, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('term', 'half_term', 'inset', 'closed')", name=op.f("ck_calendar_span_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_span")),
    )
    op.create_table(
        "schedule",
        sa.Column("id", id_, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded_name", sa.Text(), nullable=False),
        sa.Column("department_id", id_, nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("urgency", sa.String(length=16), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("people", sa.String(length=16), nullable=False),
        sa.Column("ways", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=35), server_default="", nullable=False),
        sa.Column("template", sa.Text(), server_default="", nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("short", sa.Text(), nullable=True),
        sa.Column("long", sa.Text(), nullable=True),
        sa.Column("expected", sa.Integer(), nullable=True),
        sa.Column("starts", sa.String(length=19), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("days", sa.Text(), nullable=False),
        sa.Column("missing", sa.String(length=8), server_default="", nullable=False),
        sa.Column("double", sa.String(length=8), server_default="", nullable=False),
        sa.Column("ended", sa.String(length=19), nullable=True),
        sa.Column("lasts_seconds", sa.Integer(), nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("changed_at", moment, nullable=False),
        sa.Column("approved_at", moment, nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_count", sa.Integer(), nullable=True),
        sa.Column("looked_until", moment, nullable=False),
        sa.Column("next_at", moment, nullable=True),
        sa.Column("paused_at", moment, nullable=True),
        sa.Column("ended_at", moment, nullable=True),
        sa.CheckConstraint(
            "people IN ('guardians', 'first', 'pupils', 'staff', 'both')", name=op.f("ck_schedule_people")
        ),
        sa.CheckConstraint("purpose IN ('service', 'promotional')", name=op.f("ck_schedule_purpose")),
        sa.CheckConstraint("urgency IN ('routine', 'urgent')", name=op.f("ck_schedule_urgency")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_schedule_department_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
        sa.UniqueConstraint("public_id", name=op.f("uq_schedule_public_id")),
    )
    op.create_index("ix_schedule_next_at", "schedule", ["next_at"], unique=False)
    op.create_index(
        "ux_schedule_name",
        "schedule",
        ["folded_name"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "schedule_attachment",
        sa.Column("schedule_id", id_, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedule.id"], name=op.f("fk_schedule_attachment_schedule_id")
        ),
        sa.ForeignKeyConstraint(
            ["sha256"], ["attachment.sha256"], name=op.f("fk_schedule_attachment_sha256")
        ),
        sa.PrimaryKeyConstraint("schedule_id", "name", name=op.f("pk_schedule_attachment")),
    )
    op.create_table(
        "schedule_exception",
        sa.Column("schedule_id", id_, nullable=False),
        sa.Column("original", sa.String(length=19), nullable=False),
        sa.Column("moved_to", sa.String(length=19), nullable=True),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedule.id"], name=op.f("fk_schedule_exception_schedule_id")
        ),
        sa.PrimaryKeyConstraint("schedule_id", "original", name=op.f("pk_schedule_exception")),
    )
    op.create_table(
        "occurrence",
        sa.Column("schedule_id", id_, nullable=False),
        sa.Column("original", sa.String(length=19), nullable=False),
        sa.Column("due_at", moment, nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("announcement", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('made', 'late', 'missed', 'refused', 'unclear', 'cancelled')",
            name=op.f("ck_occurrence_outcome"),
        ),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name=op.f("fk_occurrence_schedule_id")),
        sa.PrimaryKeyConstraint("schedule_id", "original", name=op.f("pk_occurrence")),
    )


def _events() -> None:
    id_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = sa.DateTime(timezone=True)
    people = "people IN ('guardians', 'first', 'pupils', 'staff', 'both')"
    op.create_table(
        "event",
        sa.Column("id", id_, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", id_, nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("original", sa.String(length=19), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("wall", sa.String(length=19), nullable=False),
        sa.Column("starts_at", moment, nullable=False),
        sa.Column("ends_at", moment, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("known_at", moment, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("cancelled_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_event_department_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("public_id", name=op.f("uq_event_public_id")),
        sa.UniqueConstraint("source", "uid", "original", name=op.f("uq_event_source_uid_original")),
    )
    op.create_index("ix_event_starts_at", "event", ["starts_at"], unique=False)
    op.create_table(
        "reminder_rule",
        sa.Column("id", id_, autoincrement=True, nullable=False),
        sa.Column("department_id", id_, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("before_seconds", sa.Integer(), nullable=False),
        sa.Column("people", sa.String(length=16), nullable=False),
        sa.Column("ways", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("short", sa.Text(), nullable=True),
        sa.Column("long", sa.Text(), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("approved_at", moment, nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("retired_at", moment, nullable=True),
        sa.CheckConstraint(people, name=op.f("ck_reminder_rule_people")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_reminder_rule_department_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_rule")),
    )
    op.create_table(
        "reminder",
        sa.Column("event_id", id_, nullable=False),
        sa.Column("rule_id", id_, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("told", sa.String(length=16), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("announcement", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "told IN ('sent', 'passed', 'missed', 'refused', 'moved')", name=op.f("ck_reminder_told")
        ),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_reminder_event_id")),
        sa.ForeignKeyConstraint(["rule_id"], ["reminder_rule.id"], name=op.f("fk_reminder_rule_id")),
        sa.PrimaryKeyConstraint("event_id", "rule_id", "sequence", name=op.f("pk_reminder")),
    )
    op.create_table(
        "event_notice",
        sa.Column("event_id", id_, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("ways", sa.Text(), nullable=False),
        sa.Column("people", sa.String(length=16), nullable=False),
        sa.Column("owed_at", moment, nullable=False),
        sa.Column("made_at", moment, nullable=True),
        sa.Column("announcement", sa.Uuid(), nullable=True),
        sa.CheckConstraint(people, name=op.f("ck_event_notice_people")),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_event_notice_event_id")),
        sa.PrimaryKeyConstraint("event_id", "sequence", name=op.f("pk_event_notice")),
    )


def _subscriptions() -> None:
    id_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "calendar_subscription",
        sa.Column("id", id_, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("department_id", id_, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("in_term", sa.Boolean(), nullable=False),
        sa.Column("every_seconds", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("tried_at", moment, nullable=True),
        sa.Column("read_at", moment, nullable=True),
        sa.Column("etag", sa.Text(), server_default="", nullable=False),
        sa.Column("modified", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.String(length=64), server_default="", nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("retired_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_calendar_subscription_department_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_subscription")),
    )
    op.create_index(
        "ux_calendar_subscription_name",
        "calendar_subscription",
        ["name"],
        unique=True,
        sqlite_where=sa.text("retired_at IS NULL"),
        postgresql_where=sa.text("retired_at IS NULL"),
    )


def _timetables() -> None:
    op.create_table(
        "timetable_source",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pushed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rows", sa.Integer(), server_default="0", nullable=False),
        sa.Column("changes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("told", sa.Integer(), server_default="0", nullable=False),
        sa.Column("recent", sa.Text(), server_default="", nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("held_why", sa.Text(), server_default="", nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_count", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_timetable_source")),
    )
    op.create_table(
        "timetable_change",
        sa.Column("source", sa.String(length=63), nullable=False),
        sa.Column("key", sa.String(length=48), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("source", "key", name=op.f("pk_timetable_change")),
    )
    id_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "timetable_line",
        sa.Column("id", id_, autoincrement=True, nullable=False),
        sa.Column("announcement_id", id_, nullable=False),
        sa.Column("group_id", id_, nullable=False),
        sa.Column("source", sa.String(length=63), nullable=False),
        sa.Column("key", sa.String(length=48), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("replaced", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["announcement_id"], ["announcement.id"], name=op.f("fk_timetable_line_announcement_id")
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["people_group.id"], name=op.f("fk_timetable_line_group_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timetable_line")),
    )
    op.create_index("ix_timetable_line_announcement_id", "timetable_line", ["announcement_id"], unique=False)
    op.create_index("ix_timetable_line_source_day", "timetable_line", ["source", "day"], unique=False)
    op.create_table(
        "timetable_reader",
        sa.Column("id", id_, autoincrement=True, nullable=False),
        sa.Column("line_id", id_, nullable=False),
        sa.Column("person_id", id_, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timetable_reader")),
    )
    op.create_index("ux_timetable_reader", "timetable_reader", ["line_id", "person_id"], unique=True)
    op.create_index("ix_timetable_reader_person_id", "timetable_reader", ["person_id"], unique=False)


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""
