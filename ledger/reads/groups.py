"""The groups there are, by name, and which of them have a public feed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from broker.groups import slug_of
from ledger import tables as t
from ledger.hand import Hand


@dataclass(frozen=True, slots=True)
class Listed:
    """One active group; `slug` is how its feed is asked for, were it public."""

    name: str
    kind: str
    people: int
    slug: str
    public: bool


def groups(hand: Hand) -> Sequence[Listed]:
    """Every active group, by name."""
    counted = (
        select(
            t.people_group.c.name,
            t.people_group.c.kind,
            t.people_group.c.public,
            func.count(t.membership.c.person_id),
        )
        .outerjoin(t.membership, t.membership.c.group_id == t.people_group.c.id)
        .where(t.people_group.c.active)
        .group_by(t.people_group.c.id)
        .order_by(t.people_group.c.folded_name)
    )
    return [
        Listed(name, kind, people, slug_of(name), public)
        for name, kind, public, people in hand.connection.execute(counted)
    ]
