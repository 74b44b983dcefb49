"""Operators, and the decisions of a second person."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, delete, exists, func, insert, select, update

from broker.announcement import Announcement, Part
from broker.audience import fold
from broker.ports.approvals import Author, Binding, Decided, Decision, Operator, OperatorRole
from broker.rules.approval import SECOND_PERSON
from ledger import tables as t
from ledger.announcements import TOKEN_BYTES
from ledger.hand import Hand


class Operators:
    """See broker.ports.Operators."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def all(self) -> Sequence[Operator]:
        """Everybody who is there, by name."""
        return self._found(t.operator.c.removed_at.is_(None))

    def named(self, folded_name: str) -> Operator | None:
        """One of them."""
        return next(iter(self._found(_there(folded_name))), None)

    def any(self) -> bool:
        """Whether the school has named any."""
        there = exists().where(t.operator.c.removed_at.is_(None))
        return bool(self._hand.connection.execute(select(there)).scalar_one())

    def add(self, name: str, roles: Sequence[OperatorRole], department: str | None, *, by: str) -> None:
        """Name one who is not there."""
        run = self._hand.connection.execute
        owner = None
        if department is not None:
            owner = run(select(t.department.c.id).where(t.department.c.slug == department)).scalar_one()
        row = {
            "name": name,
            "folded_name": fold(name),
            "department_id": owner,
            "added_at": self._hand.now,
            "added_by": by,
        }
        made = run(insert(t.operator).values(row).returning(t.operator.c.id)).scalar_one()
        self._give(made, roles)

    def set_roles(self, folded_name: str, roles: Sequence[OperatorRole]) -> None:
        """Give one these roles in place of those before."""
        run = self._hand.connection.execute
        whose = run(select(t.operator.c.id).where(_there(folded_name))).scalar_one()
        run(delete(t.operator_role).where(t.operator_role.c.operator_id == whose))
        self._give(whose, roles)

    def set_department(self, folded_name: str, department: str | None) -> None:
        """Whose announcements one acts on."""
        owner = select(t.department.c.id).where(t.department.c.slug == department).scalar_subquery()
        moved = {"department_id": None if department is None else owner}
        self._hand.connection.execute(update(t.operator).where(_there(folded_name)).values(moved))

    def remove(self, folded_name: str, *, by: str) -> None:
        """They act no more; what they did stays theirs."""
        gone = {"removed_at": self._hand.now, "removed_by": by}
        self._hand.connection.execute(update(t.operator).where(_there(folded_name)).values(gone))

    def _give(self, operator: int, roles: Sequence[OperatorRole]) -> None:
        rows = [{"operator_id": operator, "role": role.value} for role in sorted(set(roles))]
        self._hand.connection.execute(insert(t.operator_role), rows)

    def _found(self, which: ColumnElement[bool]) -> Sequence[Operator]:
        rows = self._hand.connection.execute(
            select(t.operator, t.operator_role.c.role, t.department.c.slug)
            .join(t.operator_role, t.operator_role.c.operator_id == t.operator.c.id)
            .outerjoin(t.department, t.department.c.id == t.operator.c.department_id)
            .where(which)
            .order_by(t.operator.c.folded_name)
        )
        found: dict[int, Operator] = {}
        for row in rows:
            known = found.get(row.id)
            roles = (known.roles if known else frozenset()) | {OperatorRole(row.role)}
            found[row.id] = Operator(row.name, roles, row.slug, row.added_at)
        return list(found.values())


class Approvals:
    """See broker.ports.Approvals."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def binding(self, announcement: Announcement) -> Binding:
        """What a decision about it would be about now."""
        version = select(func.max(t.content.c.version)).where(t.content.c.announcement_id == announcement.id)
        rules = select(func.coalesce(func.max(t.rules.c.version), 0))
        counted = select(t.headcount.c.counted).where(t.headcount.c.announcement_id == announcement.id)
        row = self._hand.connection.execute(
            select(
                version.scalar_subquery().label("version"),
                rules.scalar_subquery().label("rules"),
                counted.scalar_subquery().label("counted"),
            )
        ).one()
        ways = tuple(tuple(step.channels) for step in announcement.ways)
        people = announcement.people.value
        return Binding(row.version, announcement.audience, people, ways, row.rules, row.counted)

    def author(self, announcement: Announcement) -> Author:
        """Who announced it."""
        row = self._hand.connection.execute(
            select(
                t.announcement.c.actor_kind, t.announcement.c.actor_id, t.announcement.c.on_behalf_of
            ).where(t.announcement.c.id == announcement.id)
        ).one()
        return Author(row.actor_kind, row.actor_id, row.on_behalf_of)

    def standing(self, announcement: int) -> Decision | None:
        """The decision that stands, if any."""
        row = self._hand.connection.execute(decisions().where(*_stands(announcement))).one_or_none()
        return decision_of(row) if row else None

    def add(self, announcement: int, decided: Decided, binding: Binding, *, by: str, why: str) -> None:
        """Keep a decision where none stands."""
        row = {
            "announcement_id": announcement,
            "decision": decided.value,
            "by": by,
            "at": self._hand.now,
            "why": why,
            "content_version": binding.content_version,
            "rules_version": binding.rules_version,
            "bound": binding.digest,
            "counted": binding.counted,
        }
        self._hand.connection.execute(insert(t.approval).values(row))

    def void(self, announcement: int, why: str) -> None:
        """The decision that stood does no more."""
        gone = {"void_at": self._hand.now, "void_why": why}
        self._hand.connection.execute(update(t.approval).where(*_stands(announcement)).values(gone))

    def waits_in_mid_send(self, announcement: int) -> bool:
        """Whether deliveries of it wait for a second person, who has not decided."""
        waits = waiting_in_mid_send().where(t.announcement.c.id == announcement)
        return self._hand.connection.execute(waits.limit(1)).first() is not None

    def to_review(self, announcement: int) -> Decision | None:
        """The override of it that nobody has looked at since, if any."""
        its = decisions().where(t.approval.c.announcement_id == announcement, *_to_review())
        row = self._hand.connection.execute(its.order_by(t.approval.c.id).limit(1)).one_or_none()
        return decision_of(row) if row else None

    def review(self, announcement: int, *, by: str, note: str) -> bool:
        """Somebody looked at an override afterwards; False when none was to be looked at."""
        done = {"reviewed_at": self._hand.now, "reviewed_by": by, "review": note}
        looked = self._hand.connection.execute(
            update(t.approval).where(t.approval.c.announcement_id == announcement, *_to_review()).values(done)
        )
        return bool(looked.rowcount)

    def unreviewed(self) -> Sequence[UUID]:
        """Announcements sent without a second person that nobody has looked at since, the oldest first."""
        rows = self._hand.connection.execute(
            select(t.announcement.c.public_id)
            .join(t.approval, t.approval.c.announcement_id == t.announcement.c.id)
            .where(*_to_review())
            .order_by(t.approval.c.id)
        )
        return list(rows.scalars())

    def reword(
        self, announcement: Announcement, version: int, parts: Mapping[Part, str], language: str
    ) -> None:
        """Keep a new version of the wording, with the files of the one before; its second thoughts begin anew."""
        run = self._hand.connection.execute
        said = t.announcement
        run(update(said).where(said.c.id == announcement.id).values(settled_at=self._hand.now))
        words = {"announcement_id": announcement.id, "version": version, "language": language}
        run(insert(t.content), [{**words, "part": part.value, "text": text} for part, text in parts.items()])
        link = t.content_attachment
        files = run(
            select(link).where(link.c.announcement_id == announcement.id, link.c.version == version - 1)
        )
        again = [
            {**row._mapping, "version": version, "token": secrets.token_urlsafe(TOKEN_BYTES)} for row in files
        ]
        if again:
            run(insert(link), again)


def waiting_in_mid_send() -> Select[Any]:
    """SELECT id, why of announcements whose deliveries wait for a second person, who has not decided."""
    said, last = t.announcement.c, t.verdict.alias("last")
    newest = (
        select(func.max(t.verdict.c.id))
        .where(
            t.verdict.c.announcement_id == last.c.announcement_id, t.verdict.c.account_id == last.c.account_id
        )
        .correlate(last)
        .scalar_subquery()
    )
    agreed = exists().where(
        t.approval.c.announcement_id == said.id,
        t.approval.c.void_at.is_(None),
        t.approval.c.decision != Decided.OVERRIDDEN.value,
    )
    begun = exists().where(t.fanout_cursor.c.announcement_id == said.id)
    return (
        select(said.id, last.c.why)
        .join(last, last.c.announcement_id == said.id)
        .where(last.c.id == newest, last.c.answer == "hold", last.c.code.in_(sorted(SECOND_PERSON)))
        .where(begun, ~agreed)
    )


def decisions() -> Select[Any]:
    """Every decision."""
    return select(t.approval)


def decision_of(row: Row[Any]) -> Decision:
    """The noun from a row of `approval`."""
    return Decision(
        row.id,
        row.announcement_id,
        Decided(row.decision),
        row.by,
        row.at,
        row.why,
        row.bound,
        row.content_version,
        row.rules_version,
        row.counted,
        row.void_at,
        row.void_why,
        row.reviewed_at,
        row.reviewed_by,
        row.review,
    )


def _there(folded_name: str) -> ColumnElement[bool]:
    return (t.operator.c.folded_name == folded_name) & t.operator.c.removed_at.is_(None)


def _stands(announcement: int) -> Sequence[ColumnElement[bool]]:
    return t.approval.c.announcement_id == announcement, t.approval.c.void_at.is_(None)


def _to_review() -> Sequence[ColumnElement[bool]]:
    return t.approval.c.decision == Decided.OVERRIDDEN.value, t.approval.c.reviewed_at.is_(None)
