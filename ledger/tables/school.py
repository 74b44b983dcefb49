"""The school: itself, its departments, its accounts."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Float, SmallInteger, String, Table, Text, text

from ledger.tables.base import Id, Moment, id_, metadata, ref

school = Table(
    "school",
    metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("slug", String(63), nullable=False),
    Column("name", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("region", String(2), nullable=False),
    # Added to every record mark: a restored PostgreSQL counts its transactions from the beginning again.
    Column("mark_offset", Id, nullable=False, server_default="0"),
    CheckConstraint("id = 1", name="one_school"),
)

department = Table(
    "department",
    metadata,
    id_(),
    Column("slug", String(63), nullable=False, unique=True),
    Column("name", Text, nullable=False),
)

account = Table(
    "account",
    metadata,
    id_(),
    Column("name", String(63), nullable=False, unique=True),
    Column("channel", String(63), nullable=False),
    ref("department_id", "department.id", nullable=True),
    Column("per_second", Float),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("paused_at", Moment),
    Column("paused_why", Text, nullable=False, server_default=""),
    Column("posture", Text),  # JSON: what it looked like at the provider
    Column("posture_at", Moment),
)
