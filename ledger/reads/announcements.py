"""The latest announcements, for finding one's id again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from broker.announcement import Stage
from ledger.hand import Hand
from ledger.reads import watch


@dataclass(frozen=True, slots=True)
class Said:
    """One announcement as a list shows it."""

    id: UUID
    department: str
    audience: str
    accepted_at: datetime
    due_at: datetime
    stage: Stage
    settled: bool
    went_out: bool
    title: str


def latest(hand: Hand, *, limit: int = 20) -> Sequence[Said]:
    """The newest first."""
    return [
        Said(
            a.public_id,
            a.department,
            a.audience,
            a.accepted_at,
            a.due_at,
            one.stage,
            one.settled,
            bool(one.channels),
            one.title,
        )
        for one in watch.shown(hand, limit=limit)
        for a in (one.announcement,)
    ]
