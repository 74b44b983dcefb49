"""Who may stand in the ledger twice: a teacher who is a parent, and came in two reports with an id in each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Select, func, select

from broker.audience import fold
from ledger import tables as t
from ledger.hand import Hand


@dataclass(frozen=True, slots=True)
class Twice:
    """A member of staff and a guardian of one name, by the school's ids; `shares` a number or an email as well."""

    name: str = field(repr=False)
    staff: str
    guardian: str
    shares: bool


@dataclass(frozen=True, slots=True)
class _Kept:
    state: Any
    found: Sequence[Twice] = field(repr=False)


# By the dialect, which each opened ledger has one of.
_kept: WeakKeyDictionary[Any, _Kept] = WeakKeyDictionary()


def twice_now(hand: Hand) -> Sequence[Twice]:
    """The same for a page: gone through anew only when somebody came, went or changed."""
    p = t.person.c
    whose = select(func.max(p.changed_at), func.count()).where(p.active)
    state = tuple(hand.connection.execute(whose).one())
    kept = _kept.get(hand.dialect)
    if kept is None or kept.state != state:
        kept = _kept[hand.dialect] = _Kept(state, twice(hand))
    return kept.found


def twice(hand: Hand) -> Sequence[Twice]:
    """Those who share something first: they are one person for certain, or nearly."""
    run = hand.connection.execute
    people = select(t.person.c.source_id, t.person.c.given_name, t.person.c.family_name).where(
        t.person.c.active
    )
    guardians: defaultdict[str, list[str]] = defaultdict(list)
    for row in run(people.where(t.person.c.is_guardian, ~t.person.c.is_staff)):
        guardians[_whole(row.given_name, row.family_name)].append(row.source_id)
    sharing = {(row.staff, row.guardian) for row in run(_sharing())}
    found = [
        Twice(
            f"{row.given_name} {row.family_name}".strip(),
            row.source_id,
            other,
            (row.source_id, other) in sharing,
        )
        for row in run(people.where(t.person.c.is_staff, ~t.person.c.is_guardian))
        for other in guardians.get(_whole(row.given_name, row.family_name), ())
    ]
    return sorted(found, key=lambda one: (not one.shares, one.name, one.staff, one.guardian))


def _whole(given: str, family: str) -> str:
    return fold(f"{given} {family}")


def _sharing() -> Select[tuple[str, str]]:
    """SELECT staff, guardian: who of each hold an address together."""
    teacher, parent = t.person.alias("teacher"), t.person.alias("parent")
    one, other = t.person_address.alias("one"), t.person_address.alias("other")
    return (
        select(teacher.c.source_id.label("staff"), parent.c.source_id.label("guardian"))
        .join(one, one.c.person_id == teacher.c.id)
        .join(other, other.c.address_id == one.c.address_id)
        .join(parent, parent.c.id == other.c.person_id)
        .where(teacher.c.is_staff, parent.c.is_guardian, teacher.c.id != parent.c.id)
    )
