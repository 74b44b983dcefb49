"""The term calendar, as the last roster that spoke of terms told it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from broker.rosters.roster import RosterTerm, TermKind
from ledger import tables as t
from ledger.hand import Hand


def terms(hand: Hand, *, on: date | None = None) -> Sequence[RosterTerm]:
    """Every term, the longest first where they begin together; `on` wants those that hold this day."""
    query = (
        select(t.term)
        .where(t.term.c.active)
        .order_by(t.term.c.begins_on, t.term.c.ends_on.desc(), t.term.c.id)
    )
    if on is not None:
        query = query.where(t.term.c.begins_on <= on, t.term.c.ends_on >= on)
    return [
        RosterTerm(row.source_id, row.name, TermKind(row.kind), row.begins_on, row.ends_on, row.parent)
        for row in hand.connection.execute(query)
    ]
