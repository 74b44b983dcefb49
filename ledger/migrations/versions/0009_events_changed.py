"""When an event's words were last changed

Revision: 0009, after 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add when; of an event that is here already nobody knows it, and it counts as unchanged."""
    op.add_column("event", sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""
