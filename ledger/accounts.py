"""Accounts: which are configured, and whether they may send."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, select, update

from broker.values import AccountRow
from ledger.hand import Hand
from ledger.tables import account, delivery, department


class Accounts:
    """See broker.ports.Accounts."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def all(self) -> Sequence[AccountRow]:
        """Every active account, by name."""
        rows = self._hand.connection.execute(_ALL)
        return [_row(row) for row in rows]

    def any_gone(self) -> bool:
        """Whether there is an account that the settings name no more."""
        return (
            self._hand.connection.execute(select(account.c.id).where(~account.c.active)).first() is not None
        )

    def named(self, name: str) -> AccountRow | None:
        """One account."""
        row = self._hand.connection.execute(_active().where(account.c.name == name)).one_or_none()
        return _row(row) if row else None

    def for_channel(self, channel: str, department: str) -> AccountRow | None:
        """The department's own account, else one that belongs to the whole school."""
        found = [a for a in self.all() if a.channel == channel]
        own = [a for a in found if a.department == department]
        shared = [a for a in found if a.department is None]
        return next(iter(own + shared), None)

    def pause(self, account_id: int, why: str) -> None:
        """Stop it; a pause in force keeps its first reason."""
        self._hand.connection.execute(
            update(account)
            .where(account.c.id == account_id, account.c.paused_at.is_(None))
            .values(paused_at=self._hand.now, paused_why=why)
        )

    def resume(self, account_id: int) -> None:
        """Let it go on; what the pause held becomes due at once."""
        self._hand.connection.execute(
            update(account).where(account.c.id == account_id).values(paused_at=None, paused_why="")
        )
        self._hand.connection.execute(
            update(delivery)
            .where(
                delivery.c.account_id == account_id,
                delivery.c.state == "queued",
                delivery.c.code.in_(("account_paused", "account_rejected")),
            )
            .values(due_at=self._hand.now)
        )

    def keep_posture(self, account_id: int, facts: Mapping[str, str]) -> None:
        """The last look at the account takes the place of the one before."""
        kept = json.dumps(dict(facts), sort_keys=True)
        self._hand.connection.execute(
            update(account).where(account.c.id == account_id).values(posture=kept, posture_at=self._hand.now)
        )


def _active() -> Select[Any]:
    return (
        select(account, department.c.slug.label("department"))
        .outerjoin(department, department.c.id == account.c.department_id)
        .where(account.c.active)
    )


_ALL = _active().order_by(account.c.name)


def _row(row: Row[Any]) -> AccountRow:
    return AccountRow(
        row.id,
        row.name,
        row.channel,
        row.department,
        row.paused_at,
        row.paused_why,
        row.per_second,
        json.loads(row.posture) if row.posture else None,
        row.posture_at,
    )
