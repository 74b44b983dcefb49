"""What waits for a second person, what went without one, and what was decided about an announcement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from broker.announcement import Announcement, Content
from broker.ports.approvals import Author, Binding, Decided, Decision, Operator
from broker.rules.approval import SECOND_PERSON
from ledger import tables as t
from ledger.announcements import Announcements
from ledger.authority.approvals import (
    Approvals,
    Operators,
    decision_of,
    decisions,
    waiting_in_mid_send,
)
from ledger.hand import Hand

MOST = 200


@dataclass(frozen=True, slots=True)
class Waiting:
    """One announcement that a second person should look at, and why; `overridden`: it went without one."""

    id: UUID
    department: str
    author: str
    audience: str
    counted: int | None
    accepted_at: datetime
    expires_at: datetime
    why: str
    overridden: bool = False
    sent_by: str = ""  # of one that went without: who sent it so


@dataclass(frozen=True, slots=True)
class Looked:
    """All that somebody should see before they decide: what is said to whom, by whom, and what was decided before."""

    announcement: Announcement
    author: Author
    binding: Binding
    why: str
    contents: Sequence[Content] = field(repr=False)
    decisions: Sequence[Decision] = ()
    waits: bool = False  # for a second person


def operators(hand: Hand) -> Sequence[Operator]:
    """Everybody who may act."""
    return Operators(hand).all()


def to_review(hand: Hand, department: str | None = None) -> Sequence[Waiting]:
    """What went out without a second person and nobody has looked at since, the oldest first."""
    query = _without()
    if department is not None:
        query = query.where(t.department.c.slug == department)
    rows = hand.connection.execute(query)
    return [_waiting(row, row.reason, overridden=True, sent_by=row.whose) for row in rows]


def department_of(hand: Hand, public_id: UUID, department: str | None = None) -> str | None:
    """The name of the department that an announcement is of; None where there is none, or it is another's."""
    query = (
        select(t.department.c.name)
        .join(t.announcement, t.announcement.c.department_id == t.department.c.id)
        .where(t.announcement.c.public_id == public_id)
    )
    if department is not None:
        query = query.where(t.department.c.slug == department)
    found: str | None = hand.connection.execute(query).scalar_one_or_none()
    return found


def waiting(hand: Hand) -> Sequence[Waiting]:
    """What waits for a second person, soonest over first; then what went without one and nobody has reviewed."""
    said = t.announcement.c
    still = (said.withdrawn_at.is_(None), said.expires_at > hand.now)
    of_hold = said.hold_code.in_(sorted(SECOND_PERSON))
    held = _listed().where(of_hold, said.fanned_out_at.is_(None), *still).order_by(said.expires_at)
    stopped = waiting_in_mid_send().where(*still).subquery("stopped")
    in_mid_send = (
        _listed()
        .add_columns(func.min(stopped.c.why).label("reason"))
        .join(stopped, stopped.c.id == said.id)
        .where(of_hold.is_not(True))
        .group_by(*t.announcement.c, t.department.c.slug, t.headcount.c.counted)
        .order_by(said.expires_at)
    )
    run = hand.connection.execute
    return [
        *(_waiting(row, row.hold_why or "") for row in run(held.limit(MOST))),
        *(_waiting(row, row.reason) for row in run(in_mid_send.limit(MOST))),
        *(
            _waiting(row, f"sent without a second person by {row.whose}: {row.reason}", overridden=True)
            for row in run(_without())
        ),
    ]


def decided(hand: Hand, public_id: UUID) -> Sequence[Decision]:
    """What was decided about one announcement, in its order."""
    said = t.announcement.c
    about = decisions().join(t.announcement, said.id == t.approval.c.announcement_id)
    found = hand.connection.execute(about.where(said.public_id == public_id).order_by(t.approval.c.id))
    return [decision_of(row) for row in found]


def looked_at(hand: Hand, public_id: UUID) -> Looked | None:
    """One announcement as somebody decides about it; None where there is none."""
    announcement = Announcements(hand).by_public_id(public_id)
    if announcement is None:
        return None
    port = Approvals(hand)
    binding = port.binding(announcement)
    stopped = waiting_in_mid_send().where(t.announcement.c.id == announcement.id).limit(1)
    about = decisions().where(t.approval.c.announcement_id == announcement.id).order_by(t.approval.c.id)
    run = hand.connection.execute
    held = announcement.hold_code in SECOND_PERSON
    in_mid_send = None if held else run(stopped).one_or_none()
    return Looked(
        announcement,
        port.author(announcement),
        binding,
        in_mid_send.why if in_mid_send is not None else announcement.hold_why,
        Announcements(hand).content(announcement.id, binding.content_version),
        [decision_of(row) for row in run(about)],
        waits=(held or in_mid_send is not None) and announcement.withdrawn_at is None,
    )


def _listed() -> Select[Any]:
    return (
        select(t.announcement, t.department.c.slug.label("department"), t.headcount.c.counted)
        .join(t.department, t.department.c.id == t.announcement.c.department_id)
        .outerjoin(t.headcount, t.headcount.c.announcement_id == t.announcement.c.id)
    )


def _without() -> Select[Any]:
    return (
        _listed()
        .add_columns(t.approval.c.why.label("reason"), t.approval.c.by.label("whose"))
        .join(t.approval, t.approval.c.announcement_id == t.announcement.c.id)
        .where(t.approval.c.decision == Decided.OVERRIDDEN.value, t.approval.c.reviewed_at.is_(None))
        .order_by(t.approval.c.id)
        .limit(MOST)
    )


def _waiting(row: Any, why: str, *, overridden: bool = False, sent_by: str = "") -> Waiting:
    return Waiting(
        row.public_id,
        row.department,
        Author(row.actor_kind, row.actor_id, row.on_behalf_of).told,
        row.audience,
        row.counted,
        row.accepted_at,
        row.expires_at,
        why,
        overridden,
        sent_by,
    )
