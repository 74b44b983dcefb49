"""Deliveries listed, newest first, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, literal_column, select

from broker.address import AddressKind, mask
from broker.delivery import FAILED, State
from ledger import tables as t
from ledger.hand import Hand

PAGE = 100
PUBLIC = "the public"


@dataclass(frozen=True, slots=True)
class Listed:
    """One delivery as a list shows it; `address` is masked."""

    id: int
    announcement: UUID
    channel: str
    account: str
    address: str
    state: State
    code: str
    why: str
    burned: int
    due_at: datetime
    changed_at: datetime
    settled_by: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries: all filters hold together, None is no filter."""

    announcement: UUID | None = None
    channel: str | None = None
    states: frozenset[State] | None = None
    department: str | None = None
    delivery: int | None = None


FAILURES = Wanted(states=FAILED)


def deliveries(
    hand: Hand, wanted: Wanted, *, before: int | None = None, limit: int = PAGE
) -> Sequence[Listed]:
    """Up to `limit` deliveries with an id below `before`, newest first; pass the last id on for the next page."""
    query = (
        select(
            t.delivery,
            t.announcement.c.public_id,
            t.account.c.name.label("account"),
            t.address.c.kind,
            t.address.c.value,
        )
        .join(t.announcement, t.announcement.c.id == t.delivery.c.announcement_id)
        .join(t.account, t.account.c.id == t.delivery.c.account_id)
        .outerjoin(t.address, t.address.c.id == t.delivery.c.address_id)
        .order_by(t.delivery.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(t.delivery.c.id < before)
    if wanted.announcement is not None:
        query = query.where(t.announcement.c.public_id == wanted.announcement)
    if wanted.channel is not None:
        query = query.where(t.delivery.c.channel == wanted.channel)
    if wanted.delivery is not None:
        query = query.where(t.delivery.c.id == wanted.delivery)
    if wanted.department is not None:
        owner = select(t.department.c.id).where(t.department.c.slug == wanted.department).scalar_subquery()
        query = query.where(t.announcement.c.department_id == owner)
    if wanted.states is not None:
        # As words, not as parameters: SQLite takes a partial index only where the query says what the index says.
        states: list[ColumnElement[str]] = [
            literal_column(f"'{state.value}'") for state in sorted(wanted.states)
        ]
        query = query.where(t.delivery.c.state.in_(states))
    return [
        Listed(
            id=row.id,
            announcement=row.public_id,
            channel=row.channel,
            account=row.account,
            address=mask(AddressKind(row.kind), row.value) if row.kind else PUBLIC,
            state=State(row.state),
            code=row.code,
            why=row.why,
            burned=row.burned,
            due_at=row.due_at,
            changed_at=row.changed_at,
            settled_by=row.settled_by,
        )
        for row in hand.connection.execute(query)
    ]
