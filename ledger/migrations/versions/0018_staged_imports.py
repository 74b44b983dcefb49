"""Staged imports, which wait between being looked at and being taken in; and who opened an answer first

Revision: 0018, after 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Answers that somebody opened before count as not opened yet: the record alone knows of those."""
    op.create_table(
        "staged_import",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "kind IN ('people', 'group', 'consent', 'terms')", name=op.f("ck_staged_import_kind")
        ),
        sa.CheckConstraint(
            "stage IN ('asking', 'reading', 'read', 'refused', 'taking', 'taken', 'thrown_away')",
            name=op.f("ck_staged_import_stage"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staged_import")),
        sa.UniqueConstraint("public_id", name=op.f("uq_staged_import_public_id")),
    )
    op.create_table(
        "staged_file",
        sa.Column("import_id", ID, autoincrement=False, nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mapping", sa.String(63), server_default="", nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["staged_import.id"], name=op.f("fk_staged_file_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "position", name=op.f("pk_staged_file")),
    )
    op.add_column("answer", sa.Column("opened_at", MOMENT))
    op.add_column("answer", sa.Column("opened_by", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""
