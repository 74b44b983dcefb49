"""The inbox of verified callbacks: appended by the web, confirmed in chunks by a worker."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select, text, update

from broker.values import InboxItem
from ledger.hand import Hand
from ledger.tables import receipt


class Receipts:
    """See broker.ports.Receipts."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def append(self, account: int, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Keep one callback."""
        self.append_all([(account, url, headers, body)])

    def append_all(self, callbacks: Sequence[tuple[int, str, Mapping[str, str], bytes]]) -> None:
        """Keep several; what was kept before, to the letter, is not kept twice."""
        own = self._hand.dialect.parameters(self._hand.connection)
        rows = [
            {
                "account_id": account,
                "url": url,
                "headers": json.dumps(dict(headers)),
                "body": body,
                "digest": digest_of(url, body),
                **own,
            }
            for account, url, headers, body in callbacks
        ]
        self._hand.connection.execute(
            text(
                "INSERT INTO receipt (account_id, url, headers, body, received_at, digest, fault)"
                f" VALUES (:account_id, :url, :headers, :body, {self._hand.dialect.now}, :digest, '')"
                " ON CONFLICT (digest) DO NOTHING"
            ),
            rows,
        )

    def pending(self, *, limit: int) -> Sequence[InboxItem]:
        """Callbacks not yet confirmed, locked, oldest first.

        Nothing that is locked is skipped: a second process waits and goes on behind the first, so that a START in one
        chunk and a STOP in the next keep their order.
        """
        rows = self._hand.connection.execute(
            select(receipt)
            .where(receipt.c.confirmed_at.is_(None))
            .order_by(receipt.c.id)
            .limit(limit)
            .with_for_update()
        )
        return [InboxItem(r.id, r.account_id, r.url, json.loads(r.headers), r.body) for r in rows]

    def done(self, ids: Iterable[int], *, fault: str = "") -> None:
        """Mark callbacks as confirmed, or as impossible to read; what they held of anybody is kept no longer."""
        self._hand.connection.execute(
            update(receipt)
            .where(receipt.c.id.in_(list(ids)))
            .values(confirmed_at=self._hand.now, fault=fault, url="", headers="{}", body=b"")
        )


def digest_of(url: str, body: bytes) -> bytes:
    """Of what a signature covers, so that a callback that is played again is known."""
    return hashlib.sha256(url.encode() + b"\0" + body).digest()
