"""From an audience expression to SQL: who the duties are about, and which addresses may hear of whom.

Both answers are SELECTs that a caller joins or inserts from: ten thousand people never pass through Python.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    except_,
    exists,
    intersect,
    literal,
    or_,
    select,
    union,
    union_all,
)

from broker.announcement import People
from broker.audience import Audience, Combined, Everyone, Group, OfRole, fold, operands
from broker.duty import Unreached
from broker.rosters.roster import Role
from ledger.dialect import Dialect
from ledger.tables import address, guardianship, membership, people_group, person, person_address

LOOKING_AFTER = (People.GUARDIANS, People.FIRST)
_IS = {Role.PUPIL: person.c.is_pupil, Role.GUARDIAN: person.c.is_guardian, Role.STAFF: person.c.is_staff}
_COMBINE = {"+": union, "&": intersect, "-": except_}


def members(audience: Audience, people: People, today: date) -> Select[Any]:
    """SELECT person_id: everybody a duty would be about, each once.

    Staff for `People.STAFF`, else pupils. A membership counts on the days it holds (both included) and for
    what the person is *there*: a sixth-former who helps in 7B as staff does not bring the own guardians in. Groups
    made of others have been taken apart (`broker.audience.expand`).
    """
    role = Role.STAFF if people is People.STAFF else Role.PUPIL
    return _select(audience, role, today)


def told(dialect: Dialect, audience: Audience, people: People, today: date) -> FromClause:
    """The same to join what is asked of them to: FROM told.

    Of one group they are found first, apart. Merged with whose addresses speak for them it is a join of nine tables,
    which PostgreSQL plans as it is written: 82 ms for a class of 28 among 25,000 families, 437 by first contact, where
    4 and 8 are enough. Everybody is most of the table, and is better left to the planner (pupils: 15 ms, apart 50).
    """
    chosen = members(audience, people, today)
    return dialect.apart(chosen, "told") if isinstance(audience, Group) else chosen.subquery("told")


def _select(audience: Audience, role: Role, today: date) -> Select[Any]:
    being = person.c.is_staff if role is Role.STAFF else person.c.is_pupil
    active = and_(person.c.active, being)
    if isinstance(audience, Everyone):
        return select(person.c.id.label("person_id")).where(active)
    if isinstance(audience, OfRole):
        return select(person.c.id.label("person_id")).where(active, _IS[audience.role])
    if isinstance(audience, Combined):
        # SQLite takes no brackets in a compound select and overflows at six SELECTs in each other; WITH is flat.
        sides = [_select(side, role, today).cte() for side in operands(audience)]
        joined = _COMBINE[audience.operator](*(select(side.c.person_id) for side in sides))
        return select(joined.cte().c.person_id)
    return (
        select(membership.c.person_id)
        .join(people_group, people_group.c.id == membership.c.group_id)
        .join(person, person.c.id == membership.c.person_id)
        .where(
            people_group.c.folded_name == fold(audience.name),
            people_group.c.active,
            membership.c.role == role.value,
            holds_on(today),
            active,
        )
    )


def holds_on(today: date) -> ColumnElement[bool]:
    """Whether a membership holds on this day; an open end is no limit."""
    return and_(
        or_(membership.c.begins_on.is_(None), membership.c.begins_on <= today),
        or_(membership.c.ends_on.is_(None), membership.c.ends_on >= today),
    )


def addresses_for(people: People) -> Select[Any]:
    """SELECT person_id, address_id, kind, holder_id: by which addresses each person a duty is about may be told.

    For guardians: what the unblocked guardians of the pupil hold; for the first, of those who come before all others
    whom an address of this kind reaches. An address that *any* blocked guardian of a
    pupil holds is left out for that pupil, whoever else holds it: a text cannot choose who reads it. A pair
    comes twice when two holders share the address, so insert it with DISTINCT; without one here, a database
    can push a partition's bounds inside.
    """
    holders = holders_of(people).subquery("holder")
    wanted = (
        select(holders.c.person_id, person_address.c.address_id, address.c.kind, holders.c.holder_id)
        .join(person, person.c.id == holders.c.holder_id)
        .join(person_address, person_address.c.person_id == holders.c.holder_id)
        .join(address, address.c.id == person_address.c.address_id)
        .where(person.c.active)
    )
    if people is People.STAFF:
        return wanted
    if people is People.FIRST:
        wanted = wanted.where(_is_first(holders.c.person_id, holders.c.priority))
    return wanted.where(~blocked_for(holders.c.person_id, person_address.c.address_id))


def blocked_for(pupil: ColumnElement[Any], address_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a court order keeps a holder of this address from this pupil."""
    barred = guardianship.alias("barred")
    theirs = person_address.alias("theirs")
    return exists(
        select(1)
        .select_from(barred)
        .join(theirs, theirs.c.person_id == barred.c.guardian_id)
        .where(barred.c.pupil_id == pupil, barred.c.blocked, theirs.c.address_id == address_id)
        # Two levels down SQLAlchemy would name the outer table once more, and ask of everybody instead of this pupil.
        .correlate_except(barred, theirs)
    )


def _is_first(pupil: ColumnElement[Any], priority: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether nobody who is asked before this guardian can be reached by an address of this kind.

    By kind, so that a first contact without a number does not leave the child without a text.
    """
    better = guardianship.alias("better")
    asked = person.alias("asked")
    holding, other = person_address.alias("holding"), address.alias("other")
    return ~exists(
        select(1)
        .select_from(better)
        .join(asked, and_(asked.c.id == better.c.guardian_id, asked.c.active))
        .join(holding, holding.c.person_id == better.c.guardian_id)
        .join(other, and_(other.c.id == holding.c.address_id, other.c.kind == address.c.kind))
        .where(better.c.pupil_id == pupil, ~better.c.blocked, better.c.priority < priority)
        .where(~blocked_for(better.c.pupil_id, holding.c.address_id))
    )


def holders_of(people: People) -> Any:
    """SELECT person_id, holder_id, priority: whose addresses speak for a person."""
    own = select(person.c.id.label("person_id"), person.c.id.label("holder_id"), literal(0).label("priority"))
    guardians = select(
        guardianship.c.pupil_id.label("person_id"),
        guardianship.c.guardian_id.label("holder_id"),
        guardianship.c.priority,
    ).where(~guardianship.c.blocked)
    if people in LOOKING_AFTER:
        return guardians
    return union_all(guardians, own) if people is People.BOTH else own


def why_unreached(people: People, person_id: ColumnElement[Any]) -> ColumnElement[str]:
    """Why no address speaks for a person, as the code of a `broker.duty.Unreached`."""
    no_address = literal(Unreached.NO_ADDRESS.code)
    if people is People.STAFF:
        return no_address
    known = holders_of(people).subquery("known")
    barred = (
        exists()
        .where(known.c.person_id == person_id, person_address.c.person_id == known.c.holder_id)
        .where(blocked_for(person_id, person_address.c.address_id))
    )
    reasons: list[tuple[ColumnElement[bool], ColumnElement[str]]] = [
        (barred, literal(Unreached.BLOCKED.code))
    ]
    if people in LOOKING_AFTER:
        theirs = exists().where(guardianship.c.pupil_id == person_id)
        reasons += [
            (~theirs, literal(Unreached.NO_GUARDIAN.code)),
            (~theirs.where(~guardianship.c.blocked), literal(Unreached.BLOCKED.code)),
        ]
    return case(*reasons, else_=no_address)
