"""The three links of a roster (in a group, guardian of, holder of), compared and swapped by the same statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Subquery,
    Table,
    and_,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from broker.rosters.roster import Role
from ledger.rosters import parts
from ledger.rosters.staging import (
    staged_address,
    staged_group,
    staged_guardianship,
    staged_holding,
    staged_membership,
    staged_person,
)
from ledger.tables import guardianship, membership, person_address


@dataclass(frozen=True)
class Link:
    """A link's table, what is staged for it under the ledger's ids, and which rows of it are the roster's to say."""

    target: Table
    staged: Subquery
    keys: tuple[str, str]
    values: tuple[str, ...]
    ours: ColumnElement[bool]

    @property
    def same(self) -> ColumnElement[bool]:
        """A stored and a staged link join the same two."""
        return and_(*(self.target.c[key] == self.staged.c[key] for key in self.keys))

    @property
    def known(self) -> FromClause:
        """Stored and staged side by side."""
        return self.target.join(self.staged, self.same)

    @property
    def differs(self) -> ColumnElement[bool]:
        """They say different things."""
        compared = (self.target.c[name].is_distinct_from(self.staged.c[name]) for name in self.values)
        return or_(false(), *compared)

    @property
    def is_new(self) -> ColumnElement[bool]:
        """Of a staged link: nothing stored joins these two."""
        return not_(exists().where(self.same).correlate(self.staged))

    @property
    def is_gone(self) -> ColumnElement[bool]:
        """Of a stored link: the roster speaks of it and has it no more."""
        return and_(self.ours, not_(exists().where(self.same).correlate(self.target)))

    def swap(self) -> Iterator[Any]:
        """The statements that make the stored links equal to the staged ones."""
        yield delete(self.target).where(self.is_gone)
        yield (
            update(self.target)
            .where(self.same, self.differs)
            .values({name: self.staged.c[name] for name in self.values})
        )
        columns: Sequence[str] = (*self.keys, *self.values)
        new = select(*(self.staged.c[name] for name in columns)).where(self.is_new)
        yield insert(self.target).from_select(columns, new)


_guardian, _pupil = staged_person.alias("guardian"), staged_person.alias("pupil")
_held = guardianship.alias("held")


def _staged(column: ColumnElement[Any], key: ColumnElement[Any]) -> ColumnElement[bool]:
    """The roster knows whom this column names."""
    return exists().where(key == column)


GUARDIANSHIP = Link(
    target=guardianship,
    staged=select(
        _guardian.c.person_id.label("guardian_id"),
        _pupil.c.person_id.label("pupil_id"),
        staged_guardianship.c.priority,
        staged_guardianship.c.parental_responsibility,
        staged_guardianship.c.lives_with,
        # A file that cannot say leaves a block as it stands: a court order does not lapse by an export. One that was
        # made here, by hand, is lifted here.
        case(
            (_held.c.by_hand, _held.c.blocked),
            else_=func.coalesce(staged_guardianship.c.blocked, _held.c.blocked, false()),
        ).label("blocked"),
    )
    .select_from(staged_guardianship)
    .join(_guardian, _guardian.c.n == staged_guardianship.c.guardian_n)
    .join(_pupil, _pupil.c.n == staged_guardianship.c.pupil_n)
    .outerjoin(
        _held, and_(_held.c.guardian_id == _guardian.c.person_id, _held.c.pupil_id == _pupil.c.person_id)
    )
    .subquery("told_guardianship"),
    keys=("guardian_id", "pupil_id"),
    values=("priority", "parental_responsibility", "lives_with", "blocked"),
    # Where one of the two left, it stays as it was: a block must not lapse by somebody's absence, nor by a link that
    # an export left out.
    ours=and_(
        not_(guardianship.c.blocked),
        _staged(guardianship.c.guardian_id, _guardian.c.person_id),
        _staged(guardianship.c.pupil_id, _pupil.c.person_id),
    ),
)

HOLDING = Link(
    target=person_address,
    staged=select(staged_person.c.person_id, staged_address.c.address_id, staged_holding.c.position)
    .select_from(staged_holding)
    .join(staged_person, staged_person.c.n == staged_holding.c.person_n)
    .join(staged_address, staged_address.c.n == staged_holding.c.address_n)
    .subquery("told_holding"),
    keys=("person_id", "address_id"),
    values=("position",),
    ours=_staged(person_address.c.person_id, staged_person.c.person_id),
)

MEMBERSHIP = Link(
    target=membership,
    staged=select(
        staged_membership.c.group_n,
        staged_group.c.group_id,
        staged_person.c.person_id,
        staged_membership.c.role,
        staged_membership.c.begins_on,
        staged_membership.c.ends_on,
    )
    .select_from(staged_membership)
    .join(staged_group, staged_group.c.n == staged_membership.c.group_n)
    .join(staged_person, staged_person.c.n == staged_membership.c.person_n)
    .subquery("told_membership"),
    keys=("group_id", "person_id"),
    values=("role", "begins_on", "ends_on"),
    ours=_staged(membership.c.group_id, staged_group.c.group_id),
)


@dataclass(frozen=True)
class Links:
    """The three as one roster may change them."""

    guardianship: Link
    holding: Link
    membership: Link

    @property
    def all(self) -> Sequence[Link]:
        """In the order in which they are swapped."""
        return (self.guardianship, self.holding, self.membership)


def links(speaks_for: frozenset[Role]) -> Links:
    """What of the links is this roster's to change: a report of the staff unties no family."""
    families = GUARDIANSHIP.ours if Role.GUARDIAN in speaks_for else false()
    return Links(
        replace(GUARDIANSHIP, ours=families),
        replace(HOLDING, ours=and_(HOLDING.ours, parts.theirs_to_hold(speaks_for))),
        replace(MEMBERSHIP, ours=parts.theirs_in_groups(speaks_for, MEMBERSHIP.ours)),
    )
