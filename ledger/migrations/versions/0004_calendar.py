"""Schedules, events and timetables

Revision: 0004, after 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add schedules, events with their reminders, and timetable sources."""
    _timetables()


def _timetables() -> None:
    op.create_table(
        "timetable_source",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
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


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""
