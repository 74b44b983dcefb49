"""The school's departments."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from ledger.hand import Hand
from ledger.tables import department


def departments(hand: Hand) -> Mapping[str, str]:
    """Short name → name, in the order of the names."""
    query = select(department.c.slug, department.c.name).order_by(department.c.name)
    return {row.slug: row.name for row in hand.connection.execute(query)}
