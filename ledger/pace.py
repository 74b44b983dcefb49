"""Pace: turns handed out one after the other, so that every worker together keeps an account's speed.

One row per account holds when the next turn is free (the generic cell rate algorithm). A worker reserves the
turns of the near future and uses each when its moment comes; nothing bursts, whatever the number of workers.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from broker.values import AccountRow, Slots
from ledger.hand import Hand
from ledger.tables import pace

NO_LIMIT = timedelta(0)
# Of the quota: a turn is used some milliseconds late, one more than another, and ten seconds that begin with late ones
# must not hold more than the quota allows. This much suffices for turns that are 0.3 s late.
USED = 0.97


class Pace:
    """See broker.ports.Pace."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def reserve(self, account: AccountRow, *, most: int, within: timedelta) -> Slots:
        """Up to `most` turns that begin within this long from now."""
        if account.per_second is None:
            return Slots(most, NO_LIMIT, NO_LIMIT)
        interval = timedelta(seconds=1 / (account.per_second * USED))
        run, now = self._hand.connection.execute, self._hand.now
        self._hand.run(
            f"INSERT INTO pace (account_id, next_at) VALUES (:account, {self._hand.dialect.now})"
            " ON CONFLICT (account_id) DO NOTHING",
            account=account.id,
        )
        held = select(pace.c.next_at).where(pace.c.account_id == account.id).with_for_update()
        first = max(run(held).scalar_one(), now)
        count = min(most, max(0, int((now + within - first) / interval) + 1))
        if count:
            following = first + count * interval
            run(pace.update().where(pace.c.account_id == account.id).values(next_at=following))
        return Slots(count, max(first - now, NO_LIMIT), interval)

    def give_back(self, account: AccountRow, slots: Slots, unused: int) -> None:
        """Return the last `unused` turns of a reservation made in this same transaction."""
        if unused and account.per_second is not None:
            held = select(pace.c.next_at).where(pace.c.account_id == account.id)
            following = self._hand.connection.execute(held).scalar_one() - unused * slots.interval
            self._hand.connection.execute(
                pace.update().where(pace.c.account_id == account.id).values(next_at=following)
            )
