"""A roster that speaks for a part of the school: what of the ledger is its to change, and what it leaves alone.

A report of the staff ends nobody's being a pupil. Of somebody who is something that it does not speak for (a teacher
whose child is here), it only adds: the role, addresses, groups; the name stays as the other report has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    exists,
    false,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    true,
    update,
)

from broker.rosters.roster import EVERYBODY, GroupKind, Role
from ledger.hand import Hand
from ledger.tables import membership, people_group, person, person_address

IS = {Role.PUPIL: "is_pupil", Role.GUARDIAN: "is_guardian", Role.STAFF: "is_staff"}


def theirs_to_leave(speaks_for: frozenset[Role]) -> ColumnElement[bool]:
    """Of a person: no longer at the school where the roster does not tell of them."""
    return and_(true(), *(not_(person.c[IS[role]]) for role in _others(speaks_for)))


def theirs_at_all(speaks_for: frozenset[Role]) -> ColumnElement[bool]:
    """Of a person: one of those the roster speaks for. A whole roster speaks for those without a role, too."""
    if speaks_for == EVERYBODY:
        return true()
    return or_(false(), *(person.c[IS[role]] for role in sorted(speaks_for)))


def theirs_to_end(speaks_for: frozenset[Role]) -> ColumnElement[bool]:
    """Of a group: not kept by hand, and nobody is in it for whom the roster does not speak."""
    not_kept = people_group.c.kind != GroupKind.KEPT.value
    if speaks_for == EVERYBODY:
        return not_kept
    here = membership.alias("here")
    theirs = here.c.group_id == people_group.c.id
    told = here.c.role.in_([role.value for role in speaks_for])
    return and_(not_kept, exists().where(theirs, told), not_(exists().where(theirs, not_(told))))


def theirs_in_groups(
    speaks_for: frozenset[Role], in_a_told_group: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Of a membership: gone where the roster does not tell of it."""
    if speaks_for == EVERYBODY:
        return in_a_told_group
    roles = [role.value for role in speaks_for]
    return and_(membership.c.role.in_(roles), or_(in_a_told_group, _in_a_group_that_stays(roles)))


def _in_a_group_that_stays(roles: Sequence[str]) -> ColumnElement[bool]:
    """Of a membership: of a group that the roster does not tell of and that is there for others."""
    group, other = people_group.alias("group_that_stays"), membership.alias("other")
    from_roster = exists().where(
        group.c.id == membership.c.group_id, group.c.active, group.c.kind != GroupKind.KEPT.value
    )
    return and_(
        from_roster, exists().where(other.c.group_id == membership.c.group_id, other.c.role.not_in(roles))
    )


def theirs_to_hold(speaks_for: frozenset[Role]) -> ColumnElement[bool]:
    """Of an address and its holder: gone where the roster does not tell of it."""
    if speaks_for == EVERYBODY:
        return true()
    holder = person.alias("holder")
    others = (holder.c[IS[role]] for role in _others(speaks_for))
    return not_(exists().where(holder.c.id == person_address.c.person_id, or_(*others)))


def complete(hand: Hand, staged: Any, fields: Sequence[str], speaks_for: frozenset[Role]) -> None:
    """Make what is staged of people who are something else as well say what the ledger has of that."""
    others = _others(speaks_for)
    if not others:
        return
    spoken = [IS[role] for role in sorted(speaks_for)]
    something_else = and_(person.c.active, or_(*(person.c[IS[role]] for role in others)))
    theirs = {field: person.c[field] for field in fields if field not in spoken}
    hand.connection.execute(
        update(staged).where(staged.c.person_id == person.c.id, something_else).values(theirs)
    )
    # Who is told of no more loses the role, and with it what it brought; the other one stays.
    number = func.row_number().over(order_by=person.c.id)
    last = hand.connection.execute(select(func.coalesce(func.max(staged.c.n), 0))).scalar_one()
    values = {
        "n": number + last,
        "person_id": person.c.id,
        "source_id": person.c.source_id,
        "public_id": person.c.public_id,
        "commitment_key": literal(b""),  # theirs stays
        **theirs,
        **dict.fromkeys(spoken, false()),
    }
    lost = and_(something_else, or_(*(person.c[flag] for flag in spoken)))
    untold = not_(exists().where(staged.c.person_id == person.c.id))
    hand.connection.execute(
        insert(staged).from_select([*values], select(*values.values()).where(lost, untold))
    )


def _others(speaks_for: frozenset[Role]) -> list[Role]:
    return sorted(EVERYBODY - speaks_for)
