"""Follow-ups: what corrects, edits, takes back or sends again what was said

Revision: 0010, after 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Say what an announcement is to the one before it, which one corrected it, and to whom one is sent again."""
    id_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("announcement", sa.Column("follow_up", sa.String(length=16), nullable=True))
    op.add_column("announcement", sa.Column("corrected_by", id_, nullable=True))
    op.add_column("announcement", sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "follow_up_person",
        sa.Column("announcement_id", id_, nullable=False),
        sa.Column("person_id", id_, nullable=False),
        sa.ForeignKeyConstraint(
            ["announcement_id"], ["announcement.id"], name=op.f("fk_follow_up_person_announcement_id")
        ),
        sa.PrimaryKeyConstraint("announcement_id", "person_id", name=op.f("pk_follow_up_person")),
    )


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""
