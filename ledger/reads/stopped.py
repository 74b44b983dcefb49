"""Opt-outs as the office looks at them: the newest first, each address masked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, tuple_

from broker.address import AddressKind, mask
from broker.ports.consents import OptOutRow
from ledger import tables as t
from ledger.hand import Hand

PAGE = 50


def newest(
    hand: Hand, *, channel: str = "", after: tuple[bytes, str] | None = None, limit: int = PAGE
) -> tuple[Sequence[OptOutRow], tuple[bytes, str] | None]:
    """Some of them, and the hash and channel after which the next page begins; None at the end."""
    s = t.suppression.c
    query = _rows().order_by(s.at.desc(), s.hash, s.channel).limit(limit + 1)
    if channel:
        query = query.where(s.channel == channel)
    if after is not None:
        at = select(s.at).where(s.hash == after[0], s.channel == after[1])
        mark = hand.connection.execute(at).scalar_one_or_none()
        if mark is not None:
            same = (s.at == mark) & (tuple_(s.hash, s.channel) > after)
            query = query.where((s.at < mark) | same)
    rows = hand.connection.execute(query).all()
    shown = [
        OptOutRow(bytes(row.hash), row.channel, row.source, row.at, _masked(row)) for row in rows[:limit]
    ]
    return shown, (shown[-1].hash, shown[-1].channel) if len(rows) > limit else None


def of_addresses(hand: Hand, addresses: Sequence[int]) -> Sequence[OptOutRow]:
    """Those of these addresses."""
    query = _rows().where(t.address.c.id.in_(list(addresses))).order_by(t.suppression.c.at.desc())
    rows = hand.connection.execute(query) if addresses else ()
    return [OptOutRow(bytes(row.hash), row.channel, row.source, row.at, _masked(row)) for row in rows]


def channels(hand: Hand) -> Sequence[str]:
    """By which channels somebody opted out."""
    query = select(t.suppression.c.channel).distinct().order_by(t.suppression.c.channel)
    return list(hand.connection.execute(query).scalars())


def _rows() -> Any:
    return select(t.suppression, t.address.c.kind, t.address.c.value).outerjoin(
        t.address, t.address.c.hash == t.suppression.c.hash
    )


def _masked(row: Any) -> str:
    return mask(AddressKind(row.kind), row.value) if row.value is not None else ""
