"""Answers as lists show them: never their words, for looking at those is recorded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from broker.address import AddressKind, mask
from ledger import tables as t
from ledger.hand import Hand

PAGE = 200


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


def is_there(hand: Hand, public_id: UUID, inboxes: Collection[str] | None) -> bool:
    """Whether there is such an answer, in one of these inboxes where they are named."""
    query = select(t.answer.c.id).where(t.answer.c.public_id == public_id)
    if inboxes is not None:
        query = query.where(t.answer.c.inbox.in_(sorted(inboxes)))
    return hand.connection.execute(query).first() is not None


def _listed(row: Row[Any], *, lead: bool) -> Listed:
    kind = AddressKind.MOBILE if row.sender.startswith("+") else AddressKind.EMAIL
    return Listed(
        row.public_id,
        row.received_at,
        row.inbox,
        row.channel,
        "" if row.concern and not lead else mask(kind, row.sender),
        row.about,
        bool(row.automatic),
        bool(row.concern),
        row.done_at,
        row.done_by,
        row.reply,
    )
