"""The inbox of verified callbacks: appended by the web, confirmed in chunks by a worker."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import insert, select, update

from broker.values import InboxItem
from ledger.hand import Hand
from ledger.tables import receipt


class Receipts:
    """See broker.ports.Receipts."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def append(self, account: int, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Keep one callback."""
        row = {
            "account_id": account,
            "url": url,
            "headers": json.dumps(dict(headers)),
            "body": body,
            "received_at": self._hand.now,
        }
        self._hand.connection.execute(insert(receipt).values(row))

    def pending(self, *, limit: int) -> Sequence[InboxItem]:
        """Callbacks not yet confirmed, locked, oldest first."""
        rows = self._hand.connection.execute(
            select(receipt)
            .where(receipt.c.confirmed_at.is_(None))
            .order_by(receipt.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [InboxItem(r.id, r.account_id, r.url, json.loads(r.headers), r.body) for r in rows]

    def done(self, ids: Iterable[int], *, fault: str = "") -> None:
        """Mark callbacks as confirmed, or as impossible to read."""
        self._hand.connection.execute(
            update(receipt)
            .where(receipt.c.id.in_(list(ids)))
            .values(confirmed_at=self._hand.now, fault=fault)
        )
