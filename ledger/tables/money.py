"""Money: budgets, what was spent, and what an announcement was reckoned to cost. All in millionths of the currency.

Whole numbers, for SQLite has no decimals and a sum of fractions drifts. `broker.money` turns them into amounts.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from ledger.tables.base import Id, Moment, id_, metadata, ref

# What a department may spend in a month. The month "" stands for every month that has none of its own.
budget = Table(
    "budget",
    metadata,
    ref("department_id", "department.id", primary_key=True),
    Column("month", String(7), primary_key=True),  # 2026-11, in the school's zone
    Column("amount", Id, nullable=False),
    Column("set_at", Moment, nullable=False),
    Column("set_by", Text, nullable=False),
)

spend = Table(
    "spend",
    metadata,
    ref("department_id", "department.id", primary_key=True),
    ref("account_id", "account.id", primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("cost", Id, nullable=False),
)

# Appended by every start of what costs something, and by every proof that it did not leave; folded as tallies are.
spend_delta = Table(
    "spend_delta",
    metadata,
    id_(),
    Column("department_id", Id, nullable=False),
    Column("account_id", Id, nullable=False),
    Column("month", String(7), nullable=False),
    Column("cost", Id, nullable=False),
)
Index("ix_spend_delta_department_id", spend_delta.c.department_id)

# What one message of an announcement was reckoned to cost by each way, and how many there would be, as accepted.
reckoning = Table(
    "reckoning",
    metadata,
    Column("announcement_id", Id, primary_key=True, autoincrement=False),
    Column("channel", String(63), primary_key=True),
    ref("account_id", "account.id"),
    Column("unit", Id, nullable=False),
    Column("messages", Integer, nullable=False),
)
