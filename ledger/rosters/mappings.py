"""How the school's own reports are read, kept as JSON: the broker knows what is in it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, insert, select

from broker.rosters.mapping import ReportMapping
from ledger.hand import Hand
from ledger.tables import mapping


class Mappings:
    """See broker.ports.Mappings."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def all(self) -> Sequence[ReportMapping]:
        """Every mapping, by name."""
        query = select(mapping.c.body).order_by(mapping.c.name)
        return [ReportMapping.of_json(body) for body in self._hand.connection.execute(query).scalars()]

    def named(self, name: str) -> ReportMapping | None:
        """One mapping."""
        query = select(mapping.c.body).where(mapping.c.name == name)
        body = self._hand.connection.execute(query).scalar_one_or_none()
        return None if body is None else ReportMapping.of_json(body)

    def put(self, new: ReportMapping) -> None:
        """Keep it under its name, in the place of another of that name."""
        self.drop(new.name)
        row = {"name": new.name, "body": new.as_json(), "made_at": self._hand.now}
        self._hand.connection.execute(insert(mapping).values(row))

    def drop(self, name: str) -> None:
        """Forget it."""
        self._hand.connection.execute(delete(mapping).where(mapping.c.name == name))
