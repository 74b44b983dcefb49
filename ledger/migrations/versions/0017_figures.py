"""Figures: what was sent, by the hour; and which counters still move or tell of a failure

Revision: 0017, after 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("state IN ('queued', 'sending') AND n > 0")
FAILED = sa.text("state IN ('exhausted', 'rejected') AND n > 0")


def upgrade() -> None:
    """What is in the ledger already is folded into the figures by the sweep, a stretch at a time."""
    op.create_table(
        "figure",
        sa.Column("hour", sa.String(13), nullable=False),
        sa.Column("department_id", ID, nullable=False),
        sa.Column("channel", sa.String(63), nullable=False),
        sa.Column("took", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("n", ID, nullable=False),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_figure_department_id")),
        sa.PrimaryKeyConstraint("hour", "department_id", "channel", "took", name=op.f("pk_figure")),
    )
    op.create_table(
        "figures_until",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("attempt_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figures_until")),
    )
    op.create_index("ix_tally_open", "tally", ["announcement_id"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index(
        "ix_tally_failed", "tally", ["announcement_id"], sqlite_where=FAILED, postgresql_where=FAILED
    )


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""
