"""Calendars elsewhere that are read again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Select, insert, select, update

from broker.ports.calendar import SubscriptionRow
from ledger import tables as t
from ledger.hand import Hand

_READ = ("read_at", "etag", "modified", "digest", "why")


class Subscriptions:
    """See broker.ports.Subscriptions."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def all(self) -> Sequence[SubscriptionRow]:
        """Every one, by name."""
        query = _subscriptions().order_by(t.calendar_subscription.c.name)
        return [_row(row) for row in self._hand.connection.execute(query)]

    def add(self, row: SubscriptionRow) -> int:
        """Keep a new one; its number here."""
        owner = select(t.department.c.id).where(t.department.c.slug == row.department).scalar_subquery()
        values = {
            "name": row.name,
            "department_id": owner,
            "url": row.url,
            "audience": row.audience,
            "in_term": row.in_term,
            "every_seconds": int(row.every.total_seconds()),
            "made_by": row.made_by,
            "made_at": row.made_at,
        }
        made = insert(t.calendar_subscription).values(values).returning(t.calendar_subscription.c.id)
        return int(self._hand.connection.execute(made).scalar_one())

    def retire(self, subscription: int) -> None:
        """It is read no more; its events stay as they are."""
        self._change(subscription, retired_at=self._hand.now)

    def take_due(self) -> SubscriptionRow | None:
        """One that nobody has tried to read for as long as it is left alone; then the turn is ours."""
        now, c = self._hand.now, t.calendar_subscription.c
        query = _subscriptions().order_by(c.tried_at.is_not(None), c.tried_at, c.id)
        rows = self._hand.connection.execute(
            query.with_for_update(of=t.calendar_subscription, skip_locked=True)
        )
        for row in rows:
            if row.tried_at is None or row.tried_at + timedelta(seconds=row.every_seconds) <= now:
                self._change(row.id, tried_at=now)
                return _row(row)
        return None

    def keep(self, row: SubscriptionRow) -> None:
        """How it was read last."""
        self._change(row.id, **{name: getattr(row, name) for name in _READ})

    def _change(self, subscription: int, **values: Any) -> None:
        table = t.calendar_subscription
        self._hand.connection.execute(update(table).where(table.c.id == subscription).values(values))


def _subscriptions() -> Select[Any]:
    table = t.calendar_subscription
    return (
        select(table, t.department.c.slug.label("department"))
        .join(t.department, t.department.c.id == table.c.department_id)
        .where(table.c.retired_at.is_(None))
    )


def _row(row: Row[Any]) -> SubscriptionRow:
    every = timedelta(seconds=row.every_seconds)
    made = SubscriptionRow(
        row.id, row.name, row.department, row.url, row.audience, row.in_term, every, row.made_by, row.made_at
    )
    return replace(made, **{name: getattr(row, name) for name in _READ})
