"""Templates with files of their own

Revision: 0006, after 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the files of a template's versions."""
    op.create_table(
        "template_attachment",
        sa.Column("template_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["template_id"], ["template.id"], name=op.f("fk_template_attachment_template_id")
        ),
        sa.ForeignKeyConstraint(
            ["sha256"], ["attachment.sha256"], name=op.f("fk_template_attachment_sha256")
        ),
        sa.PrimaryKeyConstraint("template_id", "name", name=op.f("pk_template_attachment")),
    )


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""
