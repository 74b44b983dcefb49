"""An example of what one address would get, for showing a rendering: its people's personal parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import FromClause, func, select

from broker.address import AddressKind
from broker.announcement import People
from broker.audience import Audience, Everyone
from broker.naming import names_of
from ledger import tables as t
from ledger.audience import addresses_for, told
from ledger.hand import Hand


@dataclass(frozen=True, slots=True)
class Example:
    """One address and what may be said to it personally: nothing where the address is doubtful."""

    address: str = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    doubtful: bool
    guardians: tuple[str, ...] = field(default=(), repr=False)
    classes: tuple[str, ...] = field(default=(), repr=False)


def example(
    hand: Hand, audience: Audience, people: People, kind: AddressKind, *, today: date
) -> Example | None:
    """The family with the most children in the audience, None when this way reaches nobody."""
    covers = _covers(hand, audience, people, kind, today)
    chosen = hand.connection.execute(
        select(t.address.c.id, t.address.c.value, t.address.c.doubtful)
        .join(covers, covers.c.address_id == t.address.c.id)
        .group_by(t.address.c.id)
        .order_by(t.address.c.doubtful, func.count().desc(), t.address.c.id)
        .limit(1)
    ).one_or_none()
    return _example(hand, chosen, covers) if chosen is not None else None


def examples_of(
    hand: Hand, person: int, people: People, kind: AddressKind, *, today: date
) -> Sequence[Example]:
    """What each address of one family would get, were everybody told."""
    covers = _covers(hand, Everyone(), people, kind, today)
    rows = hand.connection.execute(
        select(t.address.c.id, t.address.c.value, t.address.c.doubtful)
        .join(covers, covers.c.address_id == t.address.c.id)
        .where(covers.c.person_id == person)
        .order_by(t.address.c.id)
    ).all()
    return [_example(hand, row, covers) for row in rows]


@dataclass(frozen=True, slots=True)
class LackingParts:
    """How many of one way's recipients lack something that a wording may say personally."""

    doubtful: int  # addresses that get no names
    without_form: int  # people


def lacking_parts(
    hand: Hand, audience: Audience, people: People, kind: AddressKind, *, today: date
) -> LackingParts:
    """Counted for a preview: what stands there instead is plain words."""
    covers = _covers(hand, audience, people, kind, today)
    doubtful = select(func.count(t.address.c.id.distinct())).join(
        covers, covers.c.address_id == t.address.c.id
    )
    formless = select(func.count(t.person.c.id.distinct())).join(covers, covers.c.person_id == t.person.c.id)
    run = hand.connection.execute
    return LackingParts(
        run(doubtful.where(t.address.c.doubtful)).scalar_one(),
        run(formless.where(func.coalesce(t.person.c.form, "") == "")).scalar_one(),
    )


def _covers(hand: Hand, audience: Audience, people: People, kind: AddressKind, today: date) -> FromClause:
    those = told(hand.dialect, audience, people, today)
    reach = addresses_for(people).subquery("reach")
    return (
        select(reach.c.address_id, reach.c.person_id)
        .distinct()
        .join(those, those.c.person_id == reach.c.person_id)
        .where(reach.c.kind == kind.value)
        .subquery("covers")
    )


def _example(hand: Hand, chosen: Any, covers: Any) -> Example:
    if chosen.doubtful:
        return Example(chosen.value, (), doubtful=True)
    given = func.coalesce(t.person.c.preferred_name, t.person.c.given_name)
    rows = hand.connection.execute(
        select(t.person.c.id, given, t.person.c.form)
        .join(covers, covers.c.person_id == t.person.c.id)
        .where(covers.c.address_id == chosen.id)
        .order_by(given, t.person.c.id)
    ).all()
    names, classes = names_of(row[1] for row in rows), tuple(row[2] for row in rows if row[2])
    guardians = _guardians(hand, chosen.id, [row[0] for row in rows])
    return Example(chosen.value, names, doubtful=False, guardians=guardians, classes=classes)


def _guardians(hand: Hand, address: int, pupils: Sequence[int]) -> tuple[str, ...]:
    given = func.coalesce(t.person.c.preferred_name, t.person.c.given_name)
    asked = func.min(t.guardianship.c.priority)
    rows = hand.connection.execute(
        select(given, t.person.c.family_name)
        .join(t.person_address, t.person_address.c.person_id == t.person.c.id)
        .join(t.guardianship, t.guardianship.c.guardian_id == t.person.c.id)
        .where(t.person_address.c.address_id == address, t.person.c.active)
        .where(t.guardianship.c.pupil_id.in_(pupils), ~t.guardianship.c.blocked)
        .group_by(t.person.c.id, given, t.person.c.family_name)
        .order_by(asked, given)
    )
    return tuple(f"{row[0]} {row[1]}".strip() for row in rows)
