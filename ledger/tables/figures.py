"""What was sent, counted by the hour, so that a chart of a term reads some rows and not a million attempts."""

from __future__ import annotations

from sqlalchemy import Column, SmallInteger, String, Table

from ledger.tables.base import Id, metadata, ref

# Folded from attempts that are over, by one sweeper and some seconds behind: nobody else writes here.
figure = Table(
    "figure",
    metadata,
    Column("hour", String(13), primary_key=True),  # 2026-11-23 14, by the school's clocks
    ref("department_id", "department.id", primary_key=True),
    Column("channel", String(63), primary_key=True),
    # How long it took, as the number of a span in `broker.figures.SPANS`; less than nothing: it failed.
    Column("took", SmallInteger, primary_key=True, autoincrement=False),
    Column("n", Id, nullable=False),
)

# The last attempt that is in the figures; one row.
figures_until = Table(
    "figures_until",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("attempt_id", Id, nullable=False),
)
