"""Answers as lists show them: never their words, for looking at those is recorded; and who may have written one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, false, func, select

from broker.address import AddressKind, mask
from broker.ports.office import PersonRow
from ledger import tables as t
from ledger.hand import Hand
from ledger.office.families import person_row
from ledger.reads.found import titles

PAGE = 200
MOST_HOLDERS = 10  # of one number: more is an office's, and nobody's in particular


@dataclass(frozen=True, slots=True)
class Listed:
    """One answer in a list. `sender` is masked; "" of what the safeguarding lead alone may see, for anybody else."""

    id: UUID
    received_at: datetime
    inbox: str
    channel: str
    sender: str
    announcement: UUID | None
    automatic: bool
    concern: bool
    done_at: datetime | None
    done_by: str
    reply: str
    opened_by: str = ""
    number: int = 0  # where the next page of a list goes on
    title: str = ""  # of the announcement


def listed(
    hand: Hand,
    *,
    lead: bool,
    inbox: str | None = None,
    inboxes: Collection[str] | None = None,
    all_of_them: bool = False,
    before: int = 0,
    limit: int = PAGE,
) -> tuple[Sequence[Listed], int]:
    """The newest answers, open ones unless `all_of_them`; and where the next page begins, 0 at the end.

    `inboxes`: those that are there for whoever asks; None for all.
    `lead`: the caller is the safeguarding lead; others see of a concern that it is there.
    """
    query = (
        select(t.answer, t.announcement.c.public_id.label("about"))
        .outerjoin(t.announcement, t.announcement.c.id == t.answer.c.announcement_id)
        .order_by(t.answer.c.id.desc())
        .limit(limit)
    )
    if inbox is not None:
        query = query.where(t.answer.c.inbox == inbox)
    if inboxes is not None:
        query = query.where(t.answer.c.inbox.in_(sorted(inboxes)))
    if not all_of_them:
        query = query.where(t.answer.c.done_at.is_(None))
    if before:
        query = query.where(t.answer.c.id < before)
    rows = hand.connection.execute(query).all()
    following = rows[-1].id if len(rows) == limit else 0
    return [_listed(row, lead=lead) for row in rows], following


class Stands(StrEnum):
    """How answers stand, as a page lists them."""

    CONCERN = "concern"  # about harm perhaps, for the safeguarding lead: before all others
    NEW = "new"  # nobody has read it
    OPEN = "open"  # somebody has, and nobody has dealt with it
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Part:
    """How many stand so, and the newest of them, or those before one; `more`: where the next ones begin, else 0."""

    count: int
    shown: Sequence[Listed]
    more: int


def part(
    hand: Hand,
    stands: Stands,
    *,
    lead: bool,
    inboxes: Collection[str] | None,
    department: str | None = None,
    before: int = 0,
    limit: int = 25,
) -> Part:
    """The answers that stand so, the newest first; what may be about harm has a part of its own for the lead alone.

    The title of an announcement is there for its own department.
    """
    a = t.answer.c
    where = [_standing(stands, lead)]
    if inboxes is not None:
        where.append(a.inbox.in_(sorted(inboxes)))
    run = hand.connection.execute
    count = run(select(func.count()).select_from(t.answer).where(*where)).scalar_one()
    if before:
        where.append(a.id < before)
    query = (
        select(t.answer, t.announcement.c.public_id.label("about"), t.department.c.slug.label("owner"))
        .outerjoin(t.announcement, t.announcement.c.id == a.announcement_id)
        .outerjoin(t.department, t.department.c.id == t.announcement.c.department_id)
        .where(*where)
        .order_by(a.id.desc())
        .limit(limit + 1)
    )
    rows = run(query).all() if count else []
    named = titles(hand, [row.announcement_id for row in rows[:limit] if row.announcement_id is not None])
    shown = []
    for row in rows[:limit]:
        listed = _listed(row, lead=lead)
        theirs = department is None or row.owner == department
        listed = replace(listed, title=named.get(row.announcement_id, "")) if theirs else listed
        shown.append(listed if theirs else replace(listed, announcement=None))
    return Part(count, shown, shown[-1].number if len(rows) > limit else 0)


def senders(hand: Hand, public_id: UUID) -> Sequence[PersonRow]:
    """Who at the school holds the number or email that an answer came from: several, where a family shares it."""
    p = t.person.c
    rows = hand.connection.execute(
        select(t.person)
        .join(t.person_address, t.person_address.c.person_id == p.id)
        .join(t.address, t.address.c.id == t.person_address.c.address_id)
        .join(t.answer, t.answer.c.sender_hash == t.address.c.hash)
        .where(t.answer.c.public_id == public_id, p.active)
        .order_by(p.family_name, p.given_name, p.id)
        .limit(MOST_HOLDERS)
    )
    return [person_row(row) for row in rows]


def _standing(stands: Stands, lead: bool) -> ColumnElement[bool]:
    a = t.answer.c
    if stands is Stands.DONE:
        return a.done_at.is_not(None)
    waits: ColumnElement[bool] = a.done_at.is_(None)
    if stands is Stands.CONCERN:
        return and_(waits, a.concern) if lead else false()
    if lead:
        waits = and_(waits, ~a.concern)
    return and_(waits, a.opened_at.is_(None) if stands is Stands.NEW else a.opened_at.is_not(None))


def is_there(hand: Hand, public_id: UUID, inboxes: Collection[str] | None) -> bool:
    """Whether there is such an answer, in one of these inboxes where they are named."""
    query = select(t.answer.c.id).where(t.answer.c.public_id == public_id)
    if inboxes is not None:
        query = query.where(t.answer.c.inbox.in_(sorted(inboxes)))
    return hand.connection.execute(query).first() is not None


def masked_sender(sender: str) -> str:
    """Where an answer came from, as pages and lists show it."""
    return mask(AddressKind.MOBILE if sender.startswith("+") else AddressKind.EMAIL, sender)


def _listed(row: Row[Any], *, lead: bool) -> Listed:
    return Listed(
        row.public_id,
        row.received_at,
        row.inbox,
        row.channel,
        "" if row.concern and not lead else masked_sender(row.sender),
        row.about,
        bool(row.automatic),
        bool(row.concern),
        row.done_at,
        row.done_by,
        row.reply,
        row.opened_by,
        row.id,
    )
