"""Ways in order, the rungs of duties, and "I have seen this"

Revision: 0011, after 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add ladders, the steps of each, the rungs of duties, and acknowledgements."""
    id_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "ladder",
        sa.Column("announcement_id", id_, nullable=False),
        sa.Column("seen", sa.Boolean(), nullable=False),
        sa.Column("look_at", moment, nullable=False),
        sa.Column("resting", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["announcement_id"], ["announcement.id"], name=op.f("fk_ladder_announcement_id")
        ),
        sa.PrimaryKeyConstraint("announcement_id", name=op.f("pk_ladder")),
    )
    open_ones = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_ladder_look_at", "ladder", ["look_at"], sqlite_where=open_ones, postgresql_where=open_ones
    )
    op.create_table(
        "ladder_step",
        sa.Column("announcement_id", id_, nullable=False),
        sa.Column("step", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("opens_at", moment, nullable=True),
        sa.Column("unless", sa.String(length=16), nullable=False),
        sa.CheckConstraint("unless IN ('reached', 'delivered', 'seen')", name=op.f("ck_ladder_step_unless")),
        sa.ForeignKeyConstraint(
            ["announcement_id"], ["announcement.id"], name=op.f("fk_ladder_step_announcement_id")
        ),
        sa.PrimaryKeyConstraint("announcement_id", "step", name=op.f("pk_ladder_step")),
    )
    op.create_table(
        "rung",
        sa.Column("duty_id", id_, autoincrement=False, nullable=False),
        sa.Column("step", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("sheet", sa.Boolean(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("opened_at", moment, nullable=False),
        sa.CheckConstraint(
            "code IN ('not_applicable', 'failed', 'uncertain', 'not_reached', 'not_delivered', 'not_seen',"
            " 'deadline_nearer')",
            name=op.f("ck_rung_code"),
        ),
        sa.PrimaryKeyConstraint("duty_id", "step", name=op.f("pk_rung")),
    )
    op.create_table(
        "acknowledgement",
        sa.Column("duty_id", id_, autoincrement=False, nullable=False),
        sa.Column("address_id", id_, autoincrement=False, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.PrimaryKeyConstraint("duty_id", "address_id", name=op.f("pk_acknowledgement")),
    )


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""
