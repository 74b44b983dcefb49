"""Groups kept by hand: members that somebody added, or an expression over other groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, Select, delete, insert, literal, select, union_all, update

from broker.audience import fold, names, parse
from broker.errors import InvalidAnnouncement
from broker.ports.office import KeptRow, Use
from broker.rosters.roster import GroupKind, Role
from ledger.hand import Hand
from ledger.tables import (
    announcement,
    calendar_subscription,
    department,
    event,
    membership,
    people_group,
    reminder_rule,
    schedule,
)

_MADE_OF = select(people_group.c.folded_name, people_group.c.expression).where(
    people_group.c.active, people_group.c.expression.is_not(None)
)


class Groups:
    """See broker.ports.office.Groups."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def made_of(self) -> Mapping[str, str]:
        """Every active group that is an expression: folded name → expression."""
        rows = self._hand.connection.execute(_MADE_OF)
        return {row.folded_name: row.expression for row in rows}

    def named(self, folded_name: str) -> KeptRow | None:
        """One active group."""
        row = self._hand.connection.execute(
            _active().where(people_group.c.folded_name == folded_name)
        ).one_or_none()
        if row is None:
            return None
        return KeptRow(row.id, row.name, row.kind == GroupKind.KEPT.value, row.expression, row.department)

    def add(self, name: str, *, department: str | None, expression: str | None) -> KeptRow:
        """A new group, kept by hand."""
        values = {
            "name": name,
            "folded_name": fold(name),
            "kind": GroupKind.KEPT.value,
            "department_id": self._department(department),
            "expression": expression,
        }
        made = self._hand.connection.execute(
            insert(people_group).values(values).returning(people_group.c.id)
        ).scalar_one()
        return KeptRow(made, name, kept=True, expression=expression, department=department)

    def change(self, group: int, *, department: str | None, expression: str | None) -> None:
        """Whose it is, and what it is made of."""
        values = {"department_id": self._department(department), "expression": expression}
        self._hand.connection.execute(update(people_group).where(people_group.c.id == group).values(values))

    def retire(self, group: int) -> None:
        """It is no longer there; its name is free."""
        values = {"active": False, "public": False}
        self._hand.connection.execute(update(people_group).where(people_group.c.id == group).values(values))

    def given_up(self, group: int) -> KeptRow | None:
        """One that was kept by hand and is no longer there; None for every other."""
        row = self._hand.connection.execute(
            _rows().where(people_group.c.id == group, ~people_group.c.active)
        ).one_or_none()
        if row is None or row.kind != GroupKind.KEPT.value:
            return None
        return KeptRow(row.id, row.name, kept=True, expression=row.expression, department=row.department)

    def bring_back(self, group: int) -> None:
        """It is there again, with the members it had."""
        self._hand.connection.execute(
            update(people_group).where(people_group.c.id == group).values(active=True)
        )

    def rename(self, group: int, name: str) -> None:
        """It is called otherwise."""
        values = {"name": name, "folded_name": fold(name)}
        self._hand.connection.execute(update(people_group).where(people_group.c.id == group).values(values))

    def uses(self, folded_name: str) -> Sequence[Use]:
        """What names it in an audience and is yet to come, groups made of others among it."""
        rows = self._hand.connection.execute(_naming(self._hand.now))
        return [Use(row.what, row.name) for row in rows if _names(row.said, folded_name)]

    def members(self, group: int) -> Sequence[int]:
        """Who is in it."""
        query = select(membership.c.person_id).where(membership.c.group_id == group)
        return list(self._hand.connection.execute(query).scalars())

    def enrol(self, group: int, people: Mapping[int, Role]) -> int:
        """Put people into a group; returns how many were not in it."""
        new = people.keys() - set(self.members(group))
        if new:
            rows = [{"group_id": group, "person_id": one, "role": people[one].value} for one in sorted(new)]
            self._hand.connection.execute(insert(membership), rows)
        return len(new)

    def leave(self, group: int, people: Sequence[int]) -> int:
        """Take people out of a group; returns how many were in it."""
        theirs = sorted(set(people) & set(self.members(group)))
        for at in range(0, len(theirs), 500):
            chunk = theirs[at : at + 500]
            self._hand.connection.execute(
                delete(membership).where(membership.c.group_id == group, membership.c.person_id.in_(chunk))
            )
        return len(theirs)

    def _department(self, slug: str | None) -> int | None:
        if slug is None:
            return None
        found: int = self._hand.connection.execute(
            select(department.c.id).where(department.c.slug == slug)
        ).scalar_one()
        return found


def _naming(now: datetime) -> CompoundSelect[Any]:
    """SELECT what, name, said: every audience of something that is yet to come, and of groups made of others."""
    a, e, r, g, c = announcement.c, event.c, reminder_rule.c, people_group.c, calendar_subscription.c
    waits = (a.fanned_out_at.is_(None), a.withdrawn_at.is_(None), a.expires_at > now)
    found: Mapping[str, Select[Any]] = {
        "group": select(g.name, g.expression).where(g.active, g.expression.is_not(None)),
        "announcement": select(literal("one that waits to go out"), a.audience).where(*waits),
        "schedule": select(schedule.c.name, schedule.c.audience).where(schedule.c.ended.is_(None)),
        "event": select(e.title, e.audience).where(e.starts_at > now, e.cancelled_at.is_(None)),
        "reminder": select(r.name, r.audience).where(r.retired_at.is_(None)),
        "calendar": select(c.name, c.audience).where(c.retired_at.is_(None)),
    }
    kinds = []
    for what, query in found.items():
        name, said = query.selected_columns
        kinds.append(
            query.with_only_columns(literal(what).label("what"), name.label("name"), said.label("said"))
        )
    return union_all(*kinds)


def _names(audience: str, folded_name: str) -> bool:
    try:
        return folded_name in map(fold, names(parse(audience)))
    except InvalidAnnouncement:
        return False


def _active() -> Select[Any]:
    return _rows().where(people_group.c.active)


def _rows() -> Select[Any]:
    return select(
        people_group.c.id,
        people_group.c.name,
        people_group.c.kind,
        people_group.c.expression,
        department.c.slug.label("department"),
    ).outerjoin(department, department.c.id == people_group.c.department_id)
