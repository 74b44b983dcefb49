"""How the gateways of an account with several of them stand. What was never noted has no row, and is well."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import insert, select, update

from broker.gateways import Health, Stand
from ledger.hand import Hand
from ledger.tables import gateway as table

_FACTS = ("since", "until", "why", "openings", "held_by", "counted_from", "tries", "errors", "slow")


class Gateways:
    """See broker.ports.Gateways."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def of(self, account: int, *, locked: bool = False) -> Mapping[str, Health]:
        """By name."""
        query = select(table).where(table.c.account_id == account).order_by(table.c.name)
        rows = self._hand.connection.execute(query.with_for_update() if locked else query)
        return {
            row.name: Health(Stand(row.stand), **{fact: row._mapping[fact] for fact in _FACTS})
            for row in rows
        }

    def keep(self, account: int, gateway: str, health: Health) -> None:
        """It stands so from now on."""
        values = {"stand": health.stand.value, **{fact: getattr(health, fact) for fact in _FACTS}}
        mine = (table.c.account_id == account, table.c.name == gateway)
        if not self._hand.connection.execute(update(table).where(*mine).values(values)).rowcount:
            self._hand.connection.execute(insert(table).values(account_id=account, name=gateway, **values))
