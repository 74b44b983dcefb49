"""How each number and email of somebody stands: what may go there, what may not, and since when it is known right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, literal, select, union_all

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
    """Person → their addresses, mobile numbers first, in two questions however many people."""
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


def addresses_of(hand: Hand, person: int) -> Sequence[int]:
    """The numbers of the addresses that somebody holds."""
    query = select(t.person_address.c.address_id).where(t.person_address.c.person_id == person)
    return list(hand.connection.execute(query).scalars())


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
    stopped, returned = _channels(hand, sorted({bytes(row.hash) for row in rows if row.hash}))
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


def _channels(
    hand: Hand, hashes: Sequence[bytes]
) -> tuple[Mapping[bytes, tuple[str, ...]], Mapping[bytes, tuple[str, ...]]]:
    """By which channels each asked for no more, and by which what was sent came back."""
    if not hashes:
        return {}, {}
    s, b = t.suppression.c, t.bounced.c
    both = union_all(
        select(s.hash, s.channel, literal(True).label("asked")).where(s.hash.in_(hashes)),
        select(b.hash, b.channel, literal(False)).where(b.hash.in_(hashes)),
    )
    found: tuple[defaultdict[bytes, list[str]], ...] = (defaultdict(list), defaultdict(list))
    for row in hand.connection.execute(both):
        found[0 if row.asked else 1][bytes(row.hash)].append(row.channel)
    stopped, returned = ({keyed: tuple(sorted(ways)) for keyed, ways in each.items()} for each in found)
    return stopped, returned
