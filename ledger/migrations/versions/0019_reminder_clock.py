"""A reminder may name a time of day: two days before at 16:00

Revision: 0019, after 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those that there are name none, and are sent as long before as they say."""
    op.add_column("reminder_rule", sa.Column("clock", sa.String(5), nullable=True))


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""
