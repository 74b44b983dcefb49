"""What left the house, to audit the ledger against a provider's list. Addresses stand here in full: never show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import or_, select

from broker.delivery import REACHED
from ledger import tables as t
from ledger.hand import Hand


@dataclass(frozen=True, slots=True)
class Left:
    """One delivery that a provider took, and the provider's id for each attempt; the public's address is ""."""

    delivery: int
    channel: str
    address: str = field(repr=False)
    provider_ids: tuple[str, ...]


def left(hand: Hand, announcement: int) -> Sequence[Left]:
    """Every delivery of an announcement that is sent or delivered, or was taken and bounced later."""
    rows = hand.connection.execute(
        select(t.delivery.c.id, t.delivery.c.channel, t.address.c.value, t.attempt.c.provider_id)
        .outerjoin(t.address, t.address.c.id == t.delivery.c.address_id)
        .outerjoin(t.attempt, t.attempt.c.delivery_id == t.delivery.c.id)
        .where(
            t.delivery.c.announcement_id == announcement,
            or_(
                t.delivery.c.state.in_([state.value for state in REACHED]),
                t.attempt.c.provider_id.is_not(None),
            ),
        )
        .order_by(t.delivery.c.id)
    )
    found: dict[int, Left] = {}
    for row in rows:
        known = found.get(row.id) or Left(row.id, row.channel, row.value or "", ())
        ids = (row.provider_id,) if row.provider_id else ()
        found[row.id] = Left(row.id, row.channel, known.address, known.provider_ids + ids)
    return list(found.values())
