"""Signing in: passwords, second factors, identities at a provider, devices

Revision: 0013, after 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add what sessions say of themselves, and what operators prove who they are by."""
    no = sa.text("false")
    op.add_column("sign_in_link", sa.Column("invites", sa.Boolean(), server_default=no, nullable=False))
    for column in (
        sa.Column("how", sa.String(length=63), server_default="link", nullable=False),
        sa.Column("stage", sa.String(length=16), server_default="whole", nullable=False),
        sa.Column("seen_at", MOMENT),
        sa.Column("proved_at", MOMENT),
        sa.Column("idle_seconds", sa.Integer(), server_default="0", nullable=False),
        sa.Column("about", sa.Text(), server_default="", nullable=False),
    ):
        op.add_column("session", column)
    op.create_table(
        "proof",
        _operator("proof"),
        sa.Column("password", sa.Text()),
        sa.Column("password_at", MOMENT),
        sa.Column("second", sa.LargeBinary()),
        sa.Column("second_at", MOMENT),
        sa.Column("last_step", ID, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("operator_id", name=op.f("pk_proof")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        _operator("recovery_code"),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_recovery_code")),
    )
    op.create_index("ix_recovery_code_operator_id", "recovery_code", ["operator_id"])
    op.create_table(
        "identity",
        sa.Column("provider", sa.String(length=63), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        _operator("identity"),
        sa.Column("mapped", sa.Boolean(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("provider", "digest", name=op.f("pk_identity")),
    )
    op.create_index("ix_identity_operator_id", "identity", ["operator_id"])
    op.create_table(
        "device",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        _operator("device"),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_device")),
    )
    op.create_index("ix_device_operator_id", "device", ["operator_id"])
    op.create_table(
        "sign_in_pace",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("free_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_pace")),
    )


def _operator(table: str) -> sa.Column[int]:
    key = sa.ForeignKey("operator.id", name=op.f(f"fk_{table}_operator_id"))
    return sa.Column("operator_id", ID, key, nullable=False)


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""
