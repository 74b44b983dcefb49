"""An example of whom one way would reach: the address that covers the most people, for showing a rendering."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, select

from broker.address import AddressKind
from broker.announcement import People
from broker.audience import Audience
from broker.naming import names_of
from ledger import tables as t
from ledger.audience import addresses_for, members
from ledger.hand import Hand


@dataclass(frozen=True, slots=True)
class Example:
    """One address and the first names of those it would be about; no names where the address is doubtful."""

    address: str = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    doubtful: bool


def example(
    hand: Hand, audience: Audience, people: People, kind: AddressKind, *, today: date
) -> Example | None:
    """The family with the most children in the audience, None when this way reaches nobody."""
    told = members(audience, people, today).subquery("told")
    reach = addresses_for(people).subquery("reach")
    covers = (
        select(reach.c.address_id, reach.c.person_id)
        .distinct()
        .join(told, told.c.person_id == reach.c.person_id)
        .where(reach.c.kind == kind.value)
        .subquery("covers")
    )
    run = hand.connection.execute
    chosen = run(
        select(t.address.c.id, t.address.c.value, t.address.c.doubtful)
        .join(covers, covers.c.address_id == t.address.c.id)
        .group_by(t.address.c.id)
        .order_by(t.address.c.doubtful, func.count().desc(), t.address.c.id)
        .limit(1)
    ).one_or_none()
    if chosen is None:
        return None
    given = func.coalesce(t.person.c.preferred_name, t.person.c.given_name)
    names = run(
        select(given)
        .join(covers, covers.c.person_id == t.person.c.id)
        .where(covers.c.address_id == chosen.id)
        .order_by(t.person.c.id)
    ).scalars()
    told_names = () if chosen.doubtful else names_of(names)
    return Example(chosen.value, told_names, bool(chosen.doubtful))
