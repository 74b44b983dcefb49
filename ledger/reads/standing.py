"""How each number and email of somebody stands: what may go there, what may not, and since when it is known right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select

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
    """Person → their addresses, mobile numbers first, in one question however many people."""
    if not people:
        return {}
    query = (
        _addresses()
        .add_columns(t.person_address.c.person_id)
        .join(t.person_address, t.person_address.c.address_id == t.address.c.id)
        .where(t.person_address.c.person_id.in_(sorted(people)))
        .order_by(t.address.c.kind.desc(), t.person_address.c.position, t.address.c.id)
    )
    since = hand.now - CONFIRMED_FOR
    found: defaultdict[int, list[Standing]] = defaultdict(list)
    for row in hand.connection.execute(query):
        found[row.person_id].append(_standing(row, since))
    return found


def addresses_of(hand: Hand, person: int) -> Sequence[int]:
    """The numbers of the addresses that somebody holds."""
    query = select(t.person_address.c.address_id).where(t.person_address.c.person_id == person)
    return list(hand.connection.execute(query).scalars())


def standing_at(hand: Hand, address: int) -> Standing | None:
    """One address; None when there is none, or it is nobody's any more."""
    held = select(t.person_address.c.address_id).where(t.person_address.c.address_id == t.address.c.id)
    row = hand.connection.execute(_addresses().where(t.address.c.id == address, held.exists())).one_or_none()
    return None if row is None else _standing(row, hand.now - CONFIRMED_FOR)


def _addresses() -> Select[Any]:
    """Addresses of people, each with the channels by which nothing more goes there."""
    stops = (
        select(func.aggregate_strings(table.c.channel, ","))
        .where(table.c.hash == t.address.c.hash)
        .scalar_subquery()
        .label(name)
        for table, name in ((t.suppression, "stopped"), (t.bounced, "returned"))
    )
    return select(t.address, *stops).where(t.address.c.kind.in_(OF_PEOPLE))


def _standing(row: Row[Any], since: datetime) -> Standing:
    kind = AddressKind(row.kind)
    return Standing(
        row.id,
        kind,
        mask(kind, row.value),
        row.doubtful,
        tuple(sorted(row.stopped.split(","))) if row.stopped else (),
        tuple(sorted(row.returned.split(","))) if row.returned else (),
        row.confirmed_at,
        row.confirmed_at < since,
    )
