"""How each number and email of somebody stands: what may go there, what may not, and since when it is known right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from broker.address import AddressKind, mask
from broker.office.doubtful import CONFIRMED_FOR
from ledger import tables as t
from ledger.hand import Hand

OF_PEOPLE = tuple(kind.value for kind in AddressKind if kind.of_people)


@dataclass(frozen=True, slots=True)
class Standing:
    """One address, masked. `opted_out` and `came_back` name the channels by which nothing more goes there.

    `barred`: a court order keeps somebody who holds it from the child that is looked at.
    """

    id: int
    kind: AddressKind
    shown: str
    doubtful: bool
    opted_out: tuple[str, ...]
    came_back: tuple[str, ...]
    confirmed_at: datetime
    old: bool  # nobody has said for long that it is right
    barred: bool = False

    @property
    def usable(self) -> bool:
        """Whether nothing stands in the way of a message."""
        return not (self.opted_out or self.came_back or self.barred)


def standings(hand: Hand, people: Collection[int]) -> Mapping[int, Sequence[Standing]]:
    """Person → their addresses, mobile numbers first, in three questions however many people."""
    if not people:
        return {}
    held = (
        select(t.person_address.c.person_id, t.address)
        .join(t.address, t.address.c.id == t.person_address.c.address_id)
        .where(t.person_address.c.person_id.in_(sorted(people)), t.address.c.kind.in_(OF_PEOPLE))
        .order_by(t.address.c.kind.desc(), t.person_address.c.position, t.address.c.id)
    )
    rows = hand.connection.execute(held).all()
    told = standing_of(hand, rows)
    found: defaultdict[int, list[Standing]] = defaultdict(list)
    for row in rows:
        found[row.person_id].append(told[row.id])
    return found


def standing_at(hand: Hand, address: int) -> Standing | None:
    """One address; None when there is none, or it is nobody's any more."""
    rows = hand.connection.execute(
        select(t.address).where(
            t.address.c.id == address,
            t.address.c.kind.in_(OF_PEOPLE),
            select(t.person_address.c.address_id)
            .where(t.person_address.c.address_id == t.address.c.id)
            .exists(),
        )
    ).all()
    return standing_of(hand, rows).get(address)


def standing_of(hand: Hand, rows: Sequence[Row[Any]]) -> Mapping[int, Standing]:
    """Address → how it stands, of rows of `address`."""
    hashes = sorted({bytes(row.hash) for row in rows if row.hash})
    stopped = _channels(hand, t.suppression, hashes)
    returned = _channels(hand, t.bounced, hashes)
    since = hand.now - CONFIRMED_FOR
    return {
        row.id: Standing(
            row.id,
            AddressKind(row.kind),
            mask(AddressKind(row.kind), row.value),
            row.doubtful,
            stopped.get(bytes(row.hash), ()),
            returned.get(bytes(row.hash), ()),
            row.confirmed_at,
            row.confirmed_at < since,
        )
        for row in rows
    }


def _channels(hand: Hand, table: Any, hashes: Iterable[bytes]) -> Mapping[bytes, tuple[str, ...]]:
    wanted = list(hashes)
    if not wanted:
        return {}
    rows = hand.connection.execute(
        select(table.c.hash, table.c.channel).where(table.c.hash.in_(wanted)).order_by(table.c.channel)
    )
    found: defaultdict[bytes, list[str]] = defaultdict(list)
    for row in rows:
        found[bytes(row.hash)].append(row.channel)
    return {keyed: tuple(channels) for keyed, channels in found.items()}
