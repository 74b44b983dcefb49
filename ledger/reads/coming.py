"""Announcements that wait for their time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from ledger import tables as t
from ledger.hand import Hand

MOST = 1_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """One that is accepted and not due yet."""

    public_id: UUID
    audience: str
    due_at: datetime


def announcements_to_come(hand: Hand, *, until: datetime) -> Sequence[Waiting]:
    """Those that are to go out between now and then, the soonest first."""
    query = (
        select(t.announcement.c.public_id, t.announcement.c.audience, t.announcement.c.due_at)
        .where(
            t.announcement.c.due_at > hand.now,
            t.announcement.c.due_at <= until,
            t.announcement.c.fanned_out_at.is_(None),
            t.announcement.c.withdrawn_at.is_(None),
        )
        .order_by(t.announcement.c.due_at, t.announcement.c.id)
        .limit(MOST)
    )
    return [Waiting(row.public_id, row.audience, row.due_at) for row in hand.connection.execute(query)]
