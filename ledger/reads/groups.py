"""The groups there are, by name: how many are in each, whose it is, and which have a public feed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Select, func, select

from broker.announcement import People
from broker.audience import Audience
from broker.office.public_groups import slug_of
from broker.rosters.roster import as_listed
from ledger import tables as t
from ledger.audience import holds_on, members
from ledger.hand import Hand
from ledger.office.reaches import called, group_of

SIDES = (People.PUPILS, People.STAFF)  # whom a group has members as


@dataclass(frozen=True, slots=True)
class Listed:
    """One active group; `slug` is how its feed is asked for, were it public.

    `people` is None for a group made of others: working each out would make the list slow.
    """

    name: str
    kind: str
    people: int | None
    slug: str
    public: bool
    department: str | None = None
    expression: str | None = None


def groups(hand: Hand, *, today: date, department: str | None = None) -> Sequence[Listed]:
    """Every active group, by name, with who is in it today; only a department's own if it is named."""
    inside = sizes_of(today).subquery("inside")
    query: Select[Any] = (
        select(
            t.people_group.c.name,
            t.people_group.c.kind,
            t.people_group.c.public,
            t.people_group.c.expression,
            t.department.c.slug,
            func.coalesce(inside.c.people, 0),
        )
        .outerjoin(inside, inside.c.group_id == t.people_group.c.id)
        .outerjoin(t.department, t.department.c.id == t.people_group.c.department_id)
        .where(t.people_group.c.active)
    )
    if department is not None:
        query = query.where(t.department.c.slug == department)
    found = [
        Listed(
            name,
            "expression" if expression else kind,
            None if expression else people,
            slug_of(name),
            public,
            owner,
            expression,
        )
        for name, kind, public, expression, owner, people in hand.connection.execute(query)
    ]
    return sorted(found, key=lambda one: as_listed(one.name))


def sizes_of(today: date) -> Select[Any]:
    """Group → how many are in it today. Who has left is looked up once, not whether each member is there: a third."""
    m, left = t.membership.c, select(t.person.c.id).where(~t.person.c.active)
    counted = select(m.group_id, func.count().label("people"))
    return counted.where(holds_on(today), m.person_id.not_in(left)).group_by(m.group_id)


@dataclass(frozen=True, slots=True)
class Member:
    """One person of an audience, as pupil or as member of staff."""

    id: str
    name: str = field(repr=False)
    group: str
    staff: bool


@dataclass(frozen=True, slots=True)
class Within:
    """Whom an expression means today: how many, and the first of them by group and name."""

    pupils: int
    staff: int
    members: Sequence[Member]


def within(hand: Hand, audience: Audience, *, today: date, most: int) -> Within:
    """`audience` has been taken apart (`broker.office.expressions.resolve`)."""
    counts: list[int] = []
    listed: list[Member] = []
    for side in SIDES:
        told = members(audience, side, today).subquery("told")
        counts.append(hand.connection.execute(select(func.count()).select_from(told)).scalar_one())
        rows = hand.connection.execute(
            select(t.person.c.source_id, called(), group_of())
            .join(told, told.c.person_id == t.person.c.id)
            .order_by(group_of(), t.person.c.family_name, called(), t.person.c.id)
            .limit(most - len(listed))
        )
        listed += [Member(row[0], row[1], row[2], staff=side is People.STAFF) for row in rows]
    return Within(counts[0], counts[1], listed)
