"""Who there is, a page at a time, by name: what they are, and which groups they are in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, select, tuple_, union_all

from broker.announcement import People
from broker.audience import Audience
from broker.ports.office import PersonRow
from broker.rosters.roster import Role
from ledger import tables as t
from ledger.audience import addresses_for, members
from ledger.erased import is_erased
from ledger.hand import Hand
from ledger.office.families import person_row

PAGE = 50
SIDES = (People.PUPILS, People.STAFF)  # whom a group has members as
_IS = {
    Role.PUPIL: t.person.c.is_pupil,
    Role.GUARDIAN: t.person.c.is_guardian,
    Role.STAFF: t.person.c.is_staff,
}


@dataclass(frozen=True, slots=True)
class Sought:
    """Whom a list is of: every filter holds, None is none.

    Guardians are in no group: of them it is a child's of theirs. `audience` has been taken apart
    (`broker.office.expressions.resolve`). `unheard`: pupils about whom no guardian has an address that may be used.
    """

    role: Role | None = None
    audience: Audience | None = None
    unheard: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some people; `before` and `after` are the numbers by which the pages beside it are asked for, where there are."""

    people: Sequence[PersonRow] = field(repr=False)
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Known:
    """One person, also one who left. `unusable`: the roster had a number, or an email, that nothing can go to."""

    person: PersonRow
    here: bool
    born: date | None = field(repr=False)
    language: str
    unusable: tuple[str, ...]
    changed_at: datetime


def people(
    hand: Hand,
    sought: Sought,
    *,
    today: date,
    after: int | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> Page:
    """The people of a page, by family name; it goes on after, or ends before, the person with a number."""
    key = (t.person.c.family_name, t.person.c.given_name, t.person.c.id)
    query = select(t.person).where(t.person.c.active, *_wanted(sought, today)).limit(limit + 1)
    mark = after if after is not None else before
    backwards = mark is not None and after is None
    if mark is not None:
        # By a number, so that nobody's name stands in an address.
        last = t.person.alias("last")
        place = select(last.c.family_name, last.c.given_name, last.c.id).where(last.c.id == mark)
        here = tuple_(*key)
        query = query.where(here < place.scalar_subquery() if backwards else here > place.scalar_subquery())
    ordered = [column.desc() for column in key] if backwards else list(key)
    rows = hand.connection.execute(query.order_by(*ordered)).all()
    more, shown = len(rows) > limit, [person_row(row) for row in rows[:limit]]
    if backwards:
        shown.reverse()
    if not shown:
        return Page((), None, None)
    earlier = more if backwards else mark is not None
    later = True if backwards else more
    return Page(shown, shown[0].id if earlier else None, shown[-1].id if later else None)


def person_at(hand: Hand, public_id: UUID) -> Known | None:
    """One person, at the school or gone from it; None for nobody, and for one who was erased."""
    query = select(t.person).where(t.person.c.public_id == public_id, ~is_erased(t.person.c.source_id))
    row = hand.connection.execute(query).one_or_none()
    if row is None:
        return None
    flags = (("mobile number", row.mobile_refused), ("email", row.email_refused))
    unusable = tuple(what for what, refused in flags if refused)
    return Known(person_row(row), row.active, row.born, row.language, unusable, row.changed_at)


def people_at(hand: Hand, ids: Sequence[int]) -> Sequence[PersonRow]:
    """Those of these numbers who are at the school, in this order."""
    if not ids:
        return ()
    rows = hand.connection.execute(select(t.person).where(t.person.c.id.in_(list(ids)), t.person.c.active))
    known = {row.id: person_row(row) for row in rows}
    return [known[one] for one in ids if one in known]


def _wanted(sought: Sought, today: date) -> Sequence[ColumnElement[bool]]:
    p, role = t.person.c, sought.role
    being: list[ColumnElement[bool]] = [_IS[role]] if role is not None else []
    if sought.unheard:
        being += _unheard()
    if sought.audience is None:
        return being
    sides = (People.STAFF,) if role is Role.STAFF else (People.PUPILS,) if role else SIDES
    within = union_all(*(members(sought.audience, side, today) for side in sides)).subquery("within")
    if role is Role.GUARDIAN:
        g = t.guardianship.c
        of = select(g.guardian_id).join(within, within.c.person_id == g.pupil_id)
        return [*being, p.id.in_(of)]
    return [*being, p.id.in_(select(within.c.person_id))]


def _unheard() -> Sequence[ColumnElement[bool]]:
    """Pupils about whom nobody hears.

    Court orders and guardians who have left are few: only where there is one are addresses gone through. Of all others
    it is enough that a guardian holds one, which two indexes tell without looking at anybody.
    """
    p, g, adult, held = t.person.c, t.guardianship, t.person.alias("adult"), t.person_address
    left = select(g.c.pupil_id).join(adult, and_(adult.c.id == g.c.guardian_id, ~adult.c.active))
    odd = union_all(select(g.c.pupil_id).where(g.c.blocked), left).cte("odd")
    holds = exists().where(held.c.person_id == g.c.guardian_id)
    plain = select(g.c.pupil_id).where(g.c.pupil_id.not_in(select(odd.c.pupil_id)), holds)
    judged = addresses_for(People.GUARDIANS).subquery("judged")
    among = select(judged.c.person_id).where(judged.c.person_id.in_(select(odd.c.pupil_id)))
    return p.id.not_in(plain), p.id.not_in(among)


__all__ = ["PAGE", "Known", "Page", "Sought", "people", "people_at", "person_at"]
