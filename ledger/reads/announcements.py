"""The latest announcements, for finding one's id again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from broker.announcement import Stage, stage
from ledger import tables as t
from ledger.announcements import announcement_of
from ledger.hand import Hand


@dataclass(frozen=True, slots=True)
class Said:
    """One announcement as a list shows it."""

    id: UUID
    department: str
    audience: str
    accepted_at: datetime
    due_at: datetime
    stage: Stage


def latest(hand: Hand, *, limit: int = 20) -> Sequence[Said]:
    """The newest first."""
    newest = (
        select(t.announcement, t.department.c.slug.label("department"))
        .join(t.department, t.department.c.id == t.announcement.c.department_id)
        .order_by(t.announcement.c.id.desc())
        .limit(limit)
    )
    found = (announcement_of(row) for row in hand.connection.execute(newest))
    return [
        Said(a.public_id, a.department, a.audience, a.accepted_at, a.due_at, stage(a, hand.now))
        for a in found
    ]
