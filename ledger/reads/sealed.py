"""Which seal covers an entry, and which heads of the record left the house."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from broker.scrutiny.heads import Left
from ledger import tables as t
from ledger.hand import Hand

MOST = 50  # heads that a page lists


@dataclass(frozen=True, slots=True)
class Covered:
    """The seal that an entry stands under."""

    number: int
    at: datetime
    head: str


@dataclass(frozen=True, slots=True)
class Gone:
    """A head that left the house: which, when and how."""

    number: int
    head: str
    at: datetime
    how: Left


def seals_of(hand: Hand, entries: Sequence[int]) -> Mapping[int, Covered]:
    """Entry → the seal over it; none for one that waits for the next seal."""
    if not entries:
        return {}
    e, s = t.record_entry.c, t.record_seal.c
    run = hand.connection.execute
    marks = {row.id: row.mark for row in run(select(e.id, e.mark).where(e.id.in_(entries)))}
    if not marks:
        return {}
    over = (s.next_mark > min(marks.values()), s.first_mark <= max(marks.values()))
    seals = run(select(s.number, s.first_mark, s.next_mark, s.sealed_at, s.hash).where(*over)).all()
    return {
        entry: Covered(seal.number, seal.sealed_at, bytes(seal.hash).hex())
        for entry, mark in marks.items()
        for seal in seals
        if seal.first_mark <= mark < seal.next_mark
    }


def gone(hand: Hand) -> Sequence[Gone]:
    """The heads that left the house, the newest first."""
    h = t.record_head.c
    query = select(h.number, h.hash, h.at, h.how).order_by(h.id.desc()).limit(MOST)
    return [
        Gone(row.number, bytes(row.hash).hex(), row.at, Left(row.how))
        for row in hand.connection.execute(query)
    ]
