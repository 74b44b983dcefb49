"""Groups a page at a time: which there are without working each out, how many are in some of them, who is in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, func, literal, or_, select, tuple_, union_all

from broker.announcement import People
from broker.audience import Audience, fold
from broker.ports.office import PersonRow
from broker.rosters.roster import GroupKind, as_listed
from ledger import tables as t
from ledger.audience import holds_on, members
from ledger.hand import Hand
from ledger.office.families import person_row
from ledger.office.reaches import called, group_of
from ledger.reads.groups import Member as Named
from ledger.reads.groups import Within, sizes_of

MEMBERS = 100


@dataclass(frozen=True, slots=True)
class GroupLine:
    """One group; `expression` is what it is made of, None for one that has members of its own."""

    id: int
    name: str
    kind: GroupKind
    department: str | None
    public: bool
    expression: str | None
    active: bool = True

    @property
    def kept(self) -> bool:
        """Whether it is kept here by hand; the others are the roster's."""
        return self.kind is GroupKind.KEPT


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a group, and from when until when, where that is said."""

    person: PersonRow = field(repr=False)
    begins_on: date | None
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class Members:
    """Some of a group's members, by name; `after` is the number that the next page is asked for by."""

    shown: Sequence[Member]
    after: int | None


def group_lines(
    hand: Hand, *, department: str | None = None, kinds: Sequence[GroupKind] = tuple(GroupKind)
) -> Sequence[GroupLine]:
    """The active groups of these kinds, as a school lists them; with a department, its own and the school's."""
    return [_line(row) for row in _listed(hand, department, kinds, "")]


def group_page(
    hand: Hand,
    *,
    department: str | None = None,
    kinds: Sequence[GroupKind] = tuple(GroupKind),
    containing: str = "",
    after: int | None = None,
    limit: int,
) -> tuple[Sequence[GroupLine], int, int | None]:
    """(some of the same, how many there are of them all, the number after which the next page begins)."""
    rows = _listed(hand, department, kinds, containing)
    begin = next((n + 1 for n, row in enumerate(rows) if row.id == after), 0) if after is not None else 0
    shown = [_line(row) for row in rows[begin : begin + limit]]
    return shown, len(rows), shown[-1].id if len(rows) > begin + limit else None


def _listed(hand: Hand, department: str | None, kinds: Sequence[GroupKind], containing: str) -> Sequence[Any]:
    """No database sorts 7B before 10A; a school has a thousand or two."""
    group = t.people_group.c
    query = _groups().where(group.active, group.kind.in_([kind.value for kind in kinds]))
    if department is not None:
        query = query.where(or_(group.department_id.is_(None), t.department.c.slug == department))
    if containing:
        query = query.where(group.folded_name.contains(fold(containing), autoescape=True))
    return sorted(hand.connection.execute(query), key=lambda row: _place(row.name))


_place = lru_cache(maxsize=8_192)(as_listed)  # of the names of a large school's groups, at each page anew


def group_at(hand: Hand, number: int, *, department: str | None = None) -> GroupLine | None:
    """One group, also one that was given up; None when there is none, or it is another department's."""
    row = hand.connection.execute(_groups().where(t.people_group.c.id == number)).one_or_none()
    if row is None or (department is not None and row.department not in {None, department}):
        return None
    return _line(row)


def given_up(hand: Hand, *, department: str | None = None, limit: int) -> Sequence[GroupLine]:
    """Groups kept by hand that are there no more, the newest first."""
    group = t.people_group.c
    query = _groups().where(~group.active, group.kind == GroupKind.KEPT.value)
    if department is not None:
        query = query.where(or_(group.department_id.is_(None), t.department.c.slug == department))
    return [_line(row) for row in hand.connection.execute(query.order_by(group.id.desc()).limit(limit))]


def sizes(hand: Hand, groups: Sequence[int], *, today: date) -> Mapping[int, int]:
    """Group → how many are in it today."""
    if not groups:
        return {}
    rows = hand.connection.execute(sizes_of(today).where(t.membership.c.group_id.in_(groups)))
    return {group: people for group, people in rows}  # noqa: C416 - a Row is no pair to mypy


def few_of(hand: Hand, audience: Audience, *, today: date, most: int) -> Within:
    """Whom an expression that was taken apart means today: how many, and a few of them by name."""
    every = union_all(
        *(
            select(side.c.person_id, literal(kind is People.STAFF).label("staff"))
            for kind in (People.PUPILS, People.STAFF)
            for side in (members(audience, kind, today).subquery(),)
        )
    ).cte("every")
    # Worked out once for all three, where two questions would work it out four times.
    counted = [
        select(func.count()).where(every.c.staff.is_(staff)).scalar_subquery() for staff in (False, True)
    ]
    rows = hand.connection.execute(
        select(t.person.c.source_id, called(), group_of(), every.c.staff, *counted)
        .join(every, every.c.person_id == t.person.c.id)
        .order_by(every.c.staff, t.person.c.family_name, t.person.c.given_name, t.person.c.id)
        .limit(most)
    ).all()
    pupils, staff = (rows[0][4], rows[0][5]) if rows else (0, 0)
    return Within(pupils, staff, [Named(row[0], row[1], row[2], staff=bool(row[3])) for row in rows])


def members_of(hand: Hand, group: int, *, after: int | None = None, limit: int = MEMBERS) -> Members:
    """Who is in a group that has members of its own, whenever they began, by family name."""
    p = t.person.c
    key = (p.family_name, p.given_name, p.id)
    query = (
        select(t.person, t.membership.c.begins_on, t.membership.c.ends_on)
        .join(t.membership, t.membership.c.person_id == p.id)
        .where(t.membership.c.group_id == group, p.active)
        .order_by(*key)
        .limit(limit + 1)
    )
    if after is not None:
        last = t.person.alias("last")
        place = select(last.c.family_name, last.c.given_name, last.c.id).where(last.c.id == after)
        query = query.where(tuple_(*key) > place.scalar_subquery())
    rows = hand.connection.execute(query).all()
    shown = [Member(person_row(row), row.begins_on, row.ends_on) for row in rows[:limit]]
    return Members(shown, shown[-1].person.id if len(rows) > limit else None)


def groups_of(hand: Hand, person: int, *, today: date, department: str | None = None) -> Sequence[GroupLine]:
    """The groups that somebody is in today, as a school lists them; with a department, its own and the school's."""
    group, m = t.people_group.c, t.membership.c
    query = (
        _groups()
        .join(t.membership, m.group_id == group.id)
        .where(m.person_id == person, group.active, holds_on(today))
    )
    if department is not None:
        query = query.where(or_(group.department_id.is_(None), t.department.c.slug == department))
    return sorted((_line(row) for row in hand.connection.execute(query)), key=lambda one: as_listed(one.name))


def _groups() -> Select[Any]:
    group = t.people_group.c
    return select(
        group.id, group.name, group.kind, group.public, group.expression, group.active,
        t.department.c.slug.label("department"),
    ).outerjoin(t.department, t.department.c.id == group.department_id)  # fmt: skip


def _line(row: Any) -> GroupLine:
    return GroupLine(
        row.id, row.name, GroupKind(row.kind), row.department, row.public, row.expression, row.active
    )
