"""What the rules answered, each time it was another answer than before."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import select

from broker.announcement import Announcement
from broker.ports.rules import KeptVerdict
from ledger.dialect import Column
from ledger.hand import Hand
from ledger.tables import account, verdict

_COLUMNS: tuple[Column, ...] = (
    ("announcement_id", "bigint"),
    ("account_id", "bigint"),
    ("rules_version", "integer"),
    ("at", "moment"),
    ("answer", "text"),
    ("code", "text"),
    ("why", "text"),
    ("until", "moment"),
    ("evidence", "text"),
)


class Verdicts:
    """See broker.ports.Verdicts."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def keep(self, verdicts: Sequence[KeptVerdict]) -> None:
        """Keep them."""
        rows = [
            (
                each.announcement,
                each.account,
                each.rules_version,
                each.at,
                each.answer,
                each.code,
                each.why,
                each.until,
                json.dumps(dict(each.evidence), sort_keys=True),
            )
            for each in verdicts
        ]
        if rows:
            named = ", ".join(name for name, _ in _COLUMNS)
            self._hand.run_rows(
                f"INSERT INTO verdict ({named}) SELECT {named} FROM {self._hand.dialect.rows(_COLUMNS)}",
                _COLUMNS,
                rows,
            )

    def of(self, announcement: Announcement) -> Sequence[KeptVerdict]:
        """Every answer about an announcement, the oldest first."""
        query = (
            select(verdict, account.c.name, account.c.channel)
            .join(account, account.c.id == verdict.c.account_id)
            .where(verdict.c.announcement_id == announcement.id)
            .order_by(verdict.c.id)
        )
        return [
            KeptVerdict(
                row.announcement_id,
                row.account_id,
                row.name,
                row.channel,
                row.rules_version,
                row.at,
                row.answer,
                row.code,
                row.why,
                row.until,
                json.loads(row.evidence),
            )
            for row in self._hand.connection.execute(query)
        ]
