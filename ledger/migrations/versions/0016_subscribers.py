"""Subscribers: browsers that asked to be told with a group, and their kind of address

Revision: 0016, after 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = "kind IN ('mobile', 'email')"
WIDER = "kind IN ('mobile', 'email', 'push')"


def upgrade() -> None:
    """Let an address be a browser, and add who subscribed."""
    if op.get_bind().dialect.name == "sqlite":
        _widen_in_place()
    else:
        op.drop_constraint(op.f("ck_address_kind"), "address", type_="check")
        op.create_check_constraint(op.f("ck_address_kind"), "address", WIDER)
    op.create_table(
        "subscriber",
        sa.Column("address_id", ID, autoincrement=False, nullable=False),
        sa.Column("link_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["address_id"], ["address.id"], name=op.f("fk_subscriber_address_id")),
        sa.ForeignKeyConstraint(["link_id"], ["private_link.id"], name=op.f("fk_subscriber_link_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_subscriber_account_id")),
        sa.PrimaryKeyConstraint("address_id", name=op.f("pk_subscriber")),
    )
    op.create_index("ix_subscriber_link_id_address_id", "subscriber", ["link_id", "address_id"])


def _widen_in_place() -> None:
    """The CHECK alone, as SQLite's own page on ALTER TABLE has it for constraints that change nothing on the disk.

    To make the table anew would break the keys that point to it, and copy every address of the school.
    """
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.execute(
        sa.text(
            "UPDATE sqlite_master SET sql = replace(sql, :old, :new) WHERE type = 'table' AND name = 'address'"
        ),
        {"old": KINDS, "new": WIDER},
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {int(version) + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""
