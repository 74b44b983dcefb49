"""Doubtful addresses: shared by people who share no guardian (an office number, a refuge). They get no names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    case,
    exists,
    func,
    not_,
    or_,
    select,
    union,
)

from ledger.hand import Hand
from ledger.tables import address, guardianship, person, person_address


def mark(hand: Hand) -> set[int]:
    """Judge every address anew; returns those that are doubtful only now.

    An address is about the pupils whose guardians hold it, and about the pupils and staff who hold it themselves.
    It is doubtful when that is more than one and one of them is staff, or no one guardian is guardian of all. A
    teacher whose own child it is about is the guardian, also where two reports made two people of them, of one name.
    """
    judged = set(hand.connection.execute(_doubtful()).scalars())
    known = set(hand.connection.execute(select(address.c.id).where(address.c.doubtful)).scalars())
    for ids, doubtful in ((judged - known, True), (known - judged, False)):
        which = hand.dialect.any_of("id", "ids")
        hand.run(
            f"UPDATE address SET doubtful = :doubtful WHERE {which}",
            doubtful=doubtful,
            ids=hand.dialect.ids(sorted(ids)),
        )
    return judged - known


def _doubtful() -> Select[Any]:
    subject = _subjects().cte("subject")
    crowded = (
        select(
            subject.c.address_id,
            func.count().label("subjects"),
            func.max(case((person.c.is_staff, 1), else_=0)).label("staff"),
        )
        .join(person, person.c.id == subject.c.person_id)
        .group_by(subject.c.address_id)
        .having(func.count() > 1)
        .cte("crowded")
    )
    one_guardian_of_all = (
        select(crowded.c.address_id)
        .join(subject, subject.c.address_id == crowded.c.address_id)
        .join(guardianship, guardianship.c.pupil_id == subject.c.person_id)
        .group_by(crowded.c.address_id, crowded.c.subjects, guardianship.c.guardian_id)
        .having(func.count() == crowded.c.subjects)
    )
    return select(crowded.c.address_id).where(
        or_(crowded.c.staff == 1, crowded.c.address_id.not_in(one_guardian_of_all))
    )


def _subjects() -> CompoundSelect[Any]:
    """SELECT address_id, person_id: whom a message to the address may be about."""
    holder, pupil = person.alias("holder"), person.alias("pupil")
    held = person_address.join(holder, and_(holder.c.id == person_address.c.person_id, holder.c.active))
    of_guardians = held.join(guardianship, guardianship.c.guardian_id == holder.c.id).join(
        pupil, and_(pupil.c.id == guardianship.c.pupil_id, pupil.c.active)
    )
    return union(
        select(person_address.c.address_id, pupil.c.id.label("person_id")).select_from(of_guardians),
        select(person_address.c.address_id, holder.c.id)
        .select_from(held)
        .where(or_(holder.c.is_pupil, and_(holder.c.is_staff, not_(_is_a_parent_here(holder))))),
    )


def _is_a_parent_here(teacher: Any) -> ColumnElement[bool]:
    """Whether a member of staff who holds an address is a guardian who holds it: the same person, or the same name."""
    parent, child, theirs = person.alias("parent"), person.alias("child"), person_address.alias("theirs")
    same_name = and_(
        func.lower(parent.c.given_name) == func.lower(teacher.c.given_name),
        func.lower(parent.c.family_name) == func.lower(teacher.c.family_name),
    )
    return exists(
        select(1)
        .select_from(theirs)
        .join(parent, and_(parent.c.id == theirs.c.person_id, parent.c.active))
        .join(guardianship, guardianship.c.guardian_id == parent.c.id)
        .join(child, and_(child.c.id == guardianship.c.pupil_id, child.c.active))
        .where(theirs.c.address_id == person_address.c.address_id)
        .where(or_(parent.c.id == teacher.c.id, same_name))
        .correlate(person_address, teacher)
    )
