"""Families: for each child who hears about it, in the order to ask in, and by which of their numbers and emails."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Row, Select, or_, select

from broker.ports.office import PersonRow
from ledger import tables as t
from ledger.audience import blocked_for
from ledger.hand import Hand
from ledger.office.families import person_row
from ledger.reads.standing import OF_PEOPLE, Standing, standing_of, standings


@dataclass(frozen=True, slots=True)
class Contact:
    """A guardian and a child: what is known of the two, and how the guardian can be told about this child.

    `blocked`: a court order, nothing goes; `by_hand`: it was set here, and no roster lifts it.
    """

    guardian: PersonRow
    pupil: PersonRow
    priority: int
    parental_responsibility: bool | None
    lives_with: bool | None
    blocked: bool
    by_hand: bool
    addresses: tuple[Standing, ...]

    @property
    def hears(self) -> bool:
        """Whether there is at least one way to tell them about this child."""
        return not self.blocked and any(one.usable for one in self.addresses)


@dataclass(frozen=True, slots=True)
class Household:
    """One child with its guardians; `own` are the child's own addresses."""

    pupil: PersonRow
    contacts: Sequence[Contact] = field(repr=False)
    own: Sequence[Standing] = field(repr=False)

    @property
    def heard(self) -> bool:
        """Whether somebody can be told about this child."""
        return any(one.hears for one in self.contacts)


def households(hand: Hand, pupils: Sequence[PersonRow]) -> Sequence[Household]:
    """The families of these pupils, in their order; six questions however many there are."""
    ids = [one.id for one in pupils]
    if not ids:
        return ()
    found = contacts(hand, t.guardianship.c.pupil_id.in_(ids))
    own = standings(hand, ids)
    of: defaultdict[int, list[Contact]] = defaultdict(list)
    for contact in found:
        of[contact.pupil.id].append(contact)
    return [Household(one, of[one.id], own.get(one.id, ())) for one in pupils]


def family_of(hand: Hand, person: int) -> tuple[Sequence[Contact], Sequence[Contact]]:
    """(those who look after somebody, those whom they look after)."""
    g = t.guardianship.c
    found = contacts(hand, or_(g.pupil_id == person, g.guardian_id == person))
    after = [one for one in found if one.pupil.id == person]
    return after, [one for one in found if one.guardian.id == person]


def contacts(hand: Hand, which: Any) -> Sequence[Contact]:
    """Guardians and children who are both at the school, in the order to ask in."""
    g = t.guardianship.c
    ties = hand.connection.execute(
        select(t.guardianship).where(which).order_by(g.pupil_id, g.blocked, g.priority, g.guardian_id)
    ).all()
    if not ties:
        return ()
    everybody = {one for tie in ties for one in (tie.guardian_id, tie.pupil_id)}
    query = select(t.person).where(t.person.c.id.in_(sorted(everybody)), t.person.c.active)
    known = {row.id: person_row(row) for row in hand.connection.execute(query)}
    held = _held(hand, which)
    return [
        Contact(
            known[tie.guardian_id],
            known[tie.pupil_id],
            tie.priority,
            tie.parental_responsibility,
            tie.lives_with,
            tie.blocked,
            tie.by_hand,
            tuple(held.get((tie.guardian_id, tie.pupil_id), ())),
        )
        for tie in ties
        if tie.guardian_id in known and tie.pupil_id in known
    ]


def _held(hand: Hand, which: Any) -> Mapping[tuple[int, int], Sequence[Standing]]:
    """What each guardian holds; and whether it is kept from the child, whoever of its holders the order names."""
    rows = hand.connection.execute(_addresses().where(which)).all()
    told = standing_of(hand, _once(rows))
    found: defaultdict[tuple[int, int], list[Standing]] = defaultdict(list)
    for row in rows:
        found[row.guardian_id, row.pupil_id].append(replace(told[row.id], barred=bool(row.barred)))
    return found


def _addresses() -> Select[Any]:
    g, held = t.guardianship.c, t.person_address
    return (
        select(
            g.guardian_id, g.pupil_id, t.address, blocked_for(g.pupil_id, held.c.address_id).label("barred")
        )
        .join(held, held.c.person_id == g.guardian_id)
        .join(t.address, t.address.c.id == held.c.address_id)
        .where(t.address.c.kind.in_(OF_PEOPLE))
        .order_by(t.address.c.kind.desc(), held.c.position, t.address.c.id)
    )


def _once(rows: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    return list({row.id: row for row in rows}.values())
