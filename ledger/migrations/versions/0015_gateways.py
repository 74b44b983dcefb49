"""Gateways under an account: how each stands, and a pace of its own

Revision: 0015, after 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add health of gateways; the pace begins anew with a wider key, for all it holds is the next free moment."""
    op.drop_table("pace")
    op.create_table(
        "pace",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("gateway", sa.String(length=63), nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_pace_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "gateway", name=op.f("pk_pace")),
    )
    op.add_column(
        "redaction", sa.Column("gateway", sa.String(length=63), nullable=False, server_default="")
    )
    op.create_table(
        "gateway",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("stand", sa.String(length=16), nullable=False),
        sa.Column("since", MOMENT, nullable=True),
        sa.Column("until", MOMENT, nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("openings", sa.Integer(), nullable=False),
        sa.Column("held_by", sa.Text(), nullable=False),
        sa.Column("counted_from", MOMENT, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("slow", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_gateway_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "name", name=op.f("pk_gateway")),
    )


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""
