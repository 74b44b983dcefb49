"""What happened to one announcement, from the record: what people did, and when the sending began and ended."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from ledger import tables as t
from ledger.hand import Hand

MOST = 200
# Few of each, one by one: what people did, and each turn of the announcement itself.
TURNS = (
    "announcement.accepted",
    "announcement.approved",
    "announcement.being_corrected",
    "announcement.corrected",
    "announcement.expected",
    "announcement.follows",
    "announcement.overridden",
    "announcement.planned",
    "announcement.rejected",
    "announcement.reworded",
    "announcement.withdrawn",
    "approval.reviewed",
    "approval.void",
    "delivery.cannot_be_retracted",
    "delivery.requeued",
    "delivery.retracted",
    "delivery.settled",
    "hold.placed",
    "ladder.ended",
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One entry: what kind it is, who did it, and what it tells."""

    at: datetime
    kind: str
    actor: Mapping[str, Any] = field(repr=False)
    facts: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Span:
    """Every entry of one kind: the first, the last, and how many."""

    first: datetime
    last: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """Turn by turn, the oldest first, and the span of each kind. `more`: there were more turns than are shown."""

    turns: Sequence[Turn]
    spans: Mapping[str, Span]
    more: bool = False


def timeline(hand: Hand, announcement: int) -> Timeline:
    """What the record has of an announcement. Two questions, by its index, however much was sent."""
    e, run = t.record_entry.c, hand.connection.execute
    # By time, whose order no index has: by id the planner may walk the whole record to find these few.
    counted = select(
        e.kind, func.min(e.at).label("first"), func.max(e.at).label("last"), func.count().label("n")
    )
    spans = {
        row.kind: Span(row.first, row.last, row.n)
        for row in run(counted.where(e.announcement_id == announcement).group_by(e.kind))
    }
    wanted = [kind for kind in TURNS if kind in spans]
    rows = run(
        select(e.at, e.kind, e.body)
        .where(e.announcement_id == announcement, e.kind.in_(wanted))
        .order_by(e.at, e.id)
        .limit(MOST + 1)
    ).all()
    return Timeline([_turn(row) for row in rows[:MOST]], spans, len(rows) > MOST)


@dataclass(frozen=True, slots=True)
class Held:
    """Why an announcement is kept whatever its age, and who says so."""

    id: int
    words: str = field(repr=False)
    held_by: str
    held_at: datetime


def held(hand: Hand, announcement: int) -> Sequence[Held]:
    """What holds one announcement for the law, the oldest first."""
    h = t.legal_hold.c
    standing = select(h.id, h.words, h.held_by, h.held_at).where(
        h.announcement_id == announcement, h.lifted_at.is_(None)
    )
    return [Held(*row) for row in hand.connection.execute(standing.order_by(h.id))]


def _turn(row: Any) -> Turn:
    body = json.loads(bytes(row.body))
    return Turn(row.at, row.kind, body["actor"], body["facts"])
