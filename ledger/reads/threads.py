"""The thread of an announcement: all that was said in it, in order, and how far each of it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from broker.announcement import FollowUp, Stage, stage
from broker.delivery import State
from ledger import tables as t
from ledger.announcements import announcement_of, announcements_by
from ledger.corrections.threads import chain
from ledger.hand import Hand
from ledger.reads.status import is_settled, tallies_of

MOST = 200


@dataclass(frozen=True, slots=True)
class Said:
    """One announcement of a thread. `follow_up` is None for the first; `first` is what it follows up."""

    id: UUID
    follow_up: FollowUp | None
    first: UUID | None
    corrected_by: UUID | None
    accepted_at: datetime
    stage: Stage
    settled: bool
    channels: Mapping[str, Mapping[State, int]]


def thread(hand: Hand, public_id: UUID, *, limit: int = MOST) -> Sequence[Said]:
    """All that hangs together with an announcement, the oldest first; empty where there is none of this id.

    Of a thread longer than `limit` the first one and the newest.
    """
    run = hand.connection.execute
    asked = run(
        select(t.announcement.c.id).where(t.announcement.c.public_id == public_id)
    ).scalar_one_or_none()
    if asked is None:
        return []
    ids = chain(hand, asked)
    ids = [ids[0], *ids[1:][1 - limit :]] if len(ids) > limit else ids
    rows = run(announcements_by(t.announcement.c.id.in_(ids)).order_by(t.announcement.c.id))
    said = [announcement_of(row) for row in rows]
    names = {one.id: one.public_id for one in said}
    tallies = tallies_of(hand, ids)
    return [
        Said(
            one.public_id,
            one.follow_up,
            names.get(one.corrects) if one.corrects is not None else None,
            names.get(one.corrected_by) if one.corrected_by is not None else None,
            one.accepted_at,
            stage(one, hand.now),
            is_settled(hand, one, tallies.get(one.id, {})),
            tallies.get(one.id, {}),
        )
        for one in said
    ]
