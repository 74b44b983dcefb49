"""One person and everybody who belongs to them: what the office sees before it changes anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, select

from broker.address import AddressKind, mask
from broker.ports.office import PersonRow
from ledger import tables as t
from ledger.hand import Hand
from ledger.office.families import person_row


@dataclass(frozen=True, slots=True)
class Held:
    """One address, masked; `doubtful` ones get no names."""

    kind: AddressKind
    shown: str
    doubtful: bool


@dataclass(frozen=True, slots=True)
class Tie:
    """Somebody this person looks after, or is looked after by. `blocked`: by a court order; `by_hand`: set here."""

    person: PersonRow
    priority: int
    parental_responsibility: bool | None
    lives_with: bool | None
    blocked: bool
    by_hand: bool
    addresses: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """A person with guardians (in the order to ask in), children, groups and addresses."""

    person: PersonRow
    addresses: tuple[Held, ...]
    guardians: tuple[Tie, ...]
    children: tuple[Tie, ...]
    groups: tuple[str, ...] = field(default=())


def family(hand: Hand, person: PersonRow, *, department: str | None = None) -> Family:
    """Everything about one person that concerns messages; another department's groups are not there for one."""
    g = t.guardianship.c
    guardians = _ties(hand, g.guardian_id, g.pupil_id == person.id)
    children = _ties(hand, g.pupil_id, g.guardian_id == person.id)
    group = t.people_group.c
    within = (
        select(group.name)
        .join(t.membership, t.membership.c.group_id == group.id)
        .where(t.membership.c.person_id == person.id, group.active)
        .order_by(group.folded_name)
    )
    if department is not None:
        its = select(t.department.c.id).where(t.department.c.slug == department).scalar_subquery()
        within = within.where(group.department_id.is_(None) | (group.department_id == its))
    groups = tuple(hand.connection.execute(within).scalars())
    return Family(person, _addresses(hand, person.id), guardians, children, groups)


def _ties(hand: Hand, other: Any, where: Any) -> tuple[Tie, ...]:
    rows = hand.connection.execute(
        select(
            t.person,
            t.guardianship.c.priority,
            t.guardianship.c.parental_responsibility,
            t.guardianship.c.lives_with,
            t.guardianship.c.blocked,
            t.guardianship.c.by_hand,
        )
        .join(t.guardianship, other == t.person.c.id)
        .where(where, t.person.c.active)
        .order_by(t.guardianship.c.priority, t.person.c.id)
    ).all()
    return tuple(_tie(hand, row) for row in rows)


def _tie(hand: Hand, row: Row[Any]) -> Tie:
    return Tie(
        person_row(row),
        row.priority,
        row.parental_responsibility,
        row.lives_with,
        row.blocked,
        row.by_hand,
        _addresses(hand, row.id),
    )


def _addresses(hand: Hand, person: int) -> tuple[Held, ...]:
    rows = hand.connection.execute(
        select(t.address.c.kind, t.address.c.value, t.address.c.doubtful)
        .join(t.person_address, t.person_address.c.address_id == t.address.c.id)
        .where(t.person_address.c.person_id == person)
        .order_by(t.address.c.kind, t.person_address.c.position)
    )
    return tuple(
        Held(AddressKind(row.kind), mask(AddressKind(row.kind), row.value), row.doubtful) for row in rows
    )
