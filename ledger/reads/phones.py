"""Whom to ring about somebody whom no message reaches. Numbers stand here in full: it is made for a telephone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import and_, false, func, literal, or_, select, text, union_all

from broker.address import AddressKind
from ledger import tables as t
from ledger.audience import blocked_for
from ledger.hand import Hand


@dataclass(frozen=True, slots=True)
class Call:
    """One number of one adult; "" where none is on file. `pupil` is whom it is about.

    `unkept`: the roster has one that no text can go to, a landline perhaps, which is not kept here.
    """

    pupil: UUID
    name: str = field(repr=False)
    number: str = field(repr=False)
    unkept: bool = False


def calls(hand: Hand, about: Sequence[UUID]) -> Sequence[Call]:
    """The unblocked guardians of pupils, or members of staff themselves, in the order to ask in, with their numbers.

    A number that a blocked guardian holds too is left out for that pupil, whoever else answers it.
    """
    ids = _ids(hand, about)
    if not ids:
        return []
    guardians = select(
        t.guardianship.c.pupil_id, t.guardianship.c.guardian_id.label("adult_id"), t.guardianship.c.priority
    ).where(~t.guardianship.c.blocked)
    themselves = select(t.person.c.id, t.person.c.id, literal(0)).where(
        t.person.c.is_staff, t.person.c.is_pupil == false()
    )
    both = union_all(guardians, themselves).subquery("both")
    adult, pupil, number = t.person.alias("adult"), t.person.alias("pupil"), t.address.alias("number")
    held = t.person_address.alias("held")
    usable = and_(number.c.id == held.c.address_id, number.c.kind == AddressKind.MOBILE.value)
    rows = hand.connection.execute(
        select(
            pupil.c.public_id,
            func.coalesce(adult.c.preferred_name, adult.c.given_name),
            adult.c.family_name,
            number.c.value,
            adult.c.mobile_refused,
        )
        .select_from(both)
        .join(pupil, pupil.c.id == both.c.pupil_id)
        .join(adult, and_(adult.c.id == both.c.adult_id, adult.c.active))
        .outerjoin(held.join(number, usable), held.c.person_id == adult.c.id)
        .where(text(hand.dialect.any_of("pupil.id", "about")))
        .where(or_(number.c.id.is_(None), ~blocked_for(both.c.pupil_id, held.c.address_id)))
        .order_by(pupil.c.id, both.c.priority, adult.c.id, held.c.position),
        {"about": hand.dialect.ids(ids)},
    )
    return [
        Call(one, f"{given} {family}".strip(), value or "", unkept=refused and not value)
        for one, given, family, value, refused in rows
    ]


def _ids(hand: Hand, about: Sequence[UUID]) -> Sequence[int]:
    found: list[int] = []
    for at in range(0, len(about), 500):
        query = select(t.person.c.id).where(t.person.c.public_id.in_(about[at : at + 500]))
        found += hand.connection.execute(query).scalars()
    return found
