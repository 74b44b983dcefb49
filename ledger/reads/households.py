"""Families: for each child who hears about it, in the order to ask in, and by which of their numbers and emails."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, or_, select

from broker.ports.office import PersonRow
from ledger import tables as t
from ledger.audience import blocked_for
from ledger.hand import Hand
from ledger.office.families import person_row
from ledger.reads.standing import Standing, standings

# Of a person, as `person_row` reads it.
PERSON = (
    *("id", "public_id", "source_id", "is_pupil", "is_guardian", "is_staff", "given_name", "family_name"),
    *("preferred_name", "year", "form", "active"),
)


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
    """The families of these pupils, in their order; three questions however many there are."""
    if not pupils:
        return ()
    found, held = contacts(hand, t.guardianship.c.pupil_id.in_([one.id for one in pupils]), and_of=pupils)
    of: defaultdict[int, list[Contact]] = defaultdict(list)
    for contact in found:
        of[contact.pupil.id].append(contact)
    return [Household(one, of[one.id], held.get(one.id, ())) for one in pupils]


@dataclass(frozen=True, slots=True)
class Kin:
    """Those who look after somebody, those whom they look after, and their own addresses."""

    guardians: Sequence[Contact] = field(repr=False)
    children: Sequence[Contact] = field(repr=False)
    own: Sequence[Standing] = field(repr=False)


def kin_of(hand: Hand, person: PersonRow) -> Kin:
    """Everybody who belongs to somebody."""
    g = t.guardianship.c
    found, held = contacts(hand, or_(g.pupil_id == person.id, g.guardian_id == person.id), and_of=[person])
    return Kin(
        [one for one in found if one.pupil.id == person.id],
        [one for one in found if one.guardian.id == person.id],
        held.get(person.id, ()),
    )


def contacts(
    hand: Hand, which: ColumnElement[bool], *, and_of: Sequence[PersonRow]
) -> tuple[Sequence[Contact], Mapping[int, Sequence[Standing]]]:
    """Guardians and children who are both at the school, in the order to ask in; and what each of them all holds."""
    ties, known = _ties(hand, which, {one.id for one in and_of}), {one.id: one for one in and_of}
    for tie in ties:
        for prefix in ("adult", "child"):
            if tie[f"{prefix}_id"] not in known:
                known[tie[f"{prefix}_id"]] = _person(tie, prefix)
    held = standings(hand, known)
    barred = _barred(hand, which) if any(tie["blocked"] for tie in ties) else frozenset()
    found = [
        Contact(
            known[tie["guardian_id"]],
            known[tie["pupil_id"]],
            tie["priority"],
            tie["parental_responsibility"],
            tie["lives_with"],
            tie["blocked"],
            tie["by_hand"],
            tuple(
                replace(one, barred=(tie["pupil_id"], one.id) in barred)
                for one in held.get(tie["guardian_id"], ())
            ),
        )
        for tie in ties
    ]
    return found, held


def _ties(hand: Hand, which: ColumnElement[bool], here: Set[int]) -> Sequence[RowMapping]:
    """Each guardianship with its two people, who are at the school or among those that are asked for."""
    g, adult, child = t.guardianship.c, t.person.alias("adult"), t.person.alias("child")
    rows = hand.connection.execute(
        select(t.guardianship, *_named(adult, "adult"), *_named(child, "child"))
        .join(adult, adult.c.id == g.guardian_id)
        .join(child, child.c.id == g.pupil_id)
        .where(which)
        .order_by(g.pupil_id, g.blocked, g.priority, g.guardian_id)
    )
    return [
        row
        for row in rows.mappings()
        if (row["adult_active"] or row["adult_id"] in here)
        and (row["child_active"] or row["child_id"] in here)
    ]


def _named(who: Any, prefix: str) -> Sequence[Any]:
    return [who.c[column].label(f"{prefix}_{column}") for column in PERSON]


def _person(row: Any, prefix: str) -> PersonRow:
    return person_row(SimpleNamespace(**{column: row[f"{prefix}_{column}"] for column in PERSON}))


def _barred(hand: Hand, which: ColumnElement[bool]) -> frozenset[tuple[int, int]]:
    """(child, address) of what is kept from a child, whoever of its holders the order names."""
    g, held = t.guardianship.c, t.person_address
    rows = hand.connection.execute(
        select(g.pupil_id, held.c.address_id)
        .join(held, held.c.person_id == g.guardian_id)
        .where(which, blocked_for(g.pupil_id, held.c.address_id))
    )
    return frozenset((row.pupil_id, row.address_id) for row in rows)
