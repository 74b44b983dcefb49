"""What providers are still to be asked to forget, and when next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select

from broker.ports.privacy import Redaction
from ledger.hand import Hand
from ledger.tables import account, redaction


class Redactions:
    """See broker.ports.Redactions."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def is_due(self) -> bool:
        """Whether there is something to ask now."""
        found = select(redaction.c.id).where(redaction.c.due_at <= self._hand.now).limit(1)
        return self._hand.connection.execute(found).first() is not None

    def due(self, *, limit: int, again_in: timedelta) -> Sequence[Redaction]:
        """What is to be asked now; each is put off, so that one worker asks."""
        hand, dialect = self._hand, self._hand.dialect
        picked = hand.run(
            f"SELECT id FROM redaction WHERE due_at <= {dialect.now}"
            f" ORDER BY due_at, id LIMIT :limit {dialect.skip_locked}",
            limit=limit,
        )
        ids = [row.id for row in picked]
        if not ids:
            return []
        hand.run(
            f"UPDATE redaction SET due_at = {dialect.after('again')} WHERE {dialect.any_of('id', 'ids')}",
            ids=dialect.ids(ids),
            again=hand.interval(again_in),
        )
        rows = hand.connection.execute(
            select(redaction, account.c.name)
            .join(account, account.c.id == redaction.c.account_id)
            .where(redaction.c.id.in_(ids))
            .order_by(redaction.c.id)
        )
        return [
            Redaction(row.id, row.name, row.gateway, row.provider_id, row.wanted_at, row.failures)
            for row in rows
        ]

    def put_off(self, redaction: int, *, failures: int, by: timedelta) -> None:
        """It could not be asked: later."""
        self._hand.run(
            f"UPDATE redaction SET due_at = {self._hand.dialect.after('by')}, failures = :failures WHERE id = :id",
            id=redaction,
            failures=failures,
            by=self._hand.interval(by),
        )

    def drop(self, redactions: Sequence[int]) -> None:
        """Nothing more is to be asked."""
        self._hand.connection.execute(delete(redaction).where(redaction.c.id.in_(list(redactions))))
