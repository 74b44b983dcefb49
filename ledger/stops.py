"""The stop-list: what must not go on, read by every worker four times a second."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, insert

from broker.values import Stop, StopKind
from ledger.hand import Hand
from ledger.tables import stop

# Longer than any transaction may live and than any lease: older stops concern nothing that is in hand.
CONCERNS = timedelta(minutes=10)


class Stops:
    """See broker.ports.Stops."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def add(self, kind: StopKind, subject: int) -> None:
        """Forbid what is in hand on this subject, from the moment this transaction commits."""
        self.add_all(kind, [subject])

    def add_all(self, kind: StopKind, subjects: Sequence[int]) -> None:
        """The same for several subjects of one kind."""
        now = self._hand.now
        rows = [{"kind": kind.value, "subject": subject, "at": now} for subject in subjects]
        if rows:
            self._hand.connection.execute(insert(stop), rows)

    def recent(self) -> tuple[datetime, Sequence[Stop]]:
        """The database's time and every stop young enough to concern work in hand."""
        hand = self._hand
        # One statement, for every worker asks five times a second: the time, and beside it the stops if there are any.
        rows = hand.run(
            f"SELECT {hand.dialect.now} AS now, s.id, s.kind, s.subject FROM (SELECT 1 AS one) AS always"
            f" LEFT JOIN stop s ON s.at > {hand.dialect.after('ago')}",
            ago=hand.interval(-CONCERNS),
        ).all()
        hand.dialect.saw_now(hand.connection, rows[0].now)
        return hand.now, [Stop(r.id, StopKind(r.kind), r.subject) for r in rows if r.id is not None]

    def prune(self) -> int:
        """Drop stops that are too old to concern anything."""
        gone = self._hand.connection.execute(delete(stop).where(stop.c.at <= self._hand.now - CONCERNS))
        return gone.rowcount
