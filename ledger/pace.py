"""Pace: turns handed out one after the other, so that every worker together keeps an account's speed.

One row for each account, and gateway of one that has several, holds when the next turn is free (the generic cell rate
algorithm). A worker reserves the turns of the near future and uses each when its moment comes; nothing bursts,
whatever the number of workers.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, select

from broker.values import ON_TIME, AccountRow, Slots
from ledger.hand import Hand
from ledger.tables import pace

NO_LIMIT = timedelta(0)
# Turns are used late, one more than another, and any ten seconds that begin with a heap of late ones must not hold more
# than the quota allows. So turns lie further apart, by what one may be late with its call, of the nine of those
# seconds whose turns are not reserved yet.
MADE_UP_IN = timedelta(seconds=9)
# What is usual is not measured yet when the first turns are reserved; more than a horizon of them cannot pile up.
USUAL, MOST = timedelta(milliseconds=120), timedelta(seconds=1)
CALL = timedelta(milliseconds=100)
# The part of the time ahead that must be free before any of it is handed out: three workers that took turns as these
# came free took thirty at a time, and paid for a claim each time (at 1,000 a second 523 us of a worker and 297 of the
# database a text, where 424 and 207 are enough).
HANDFUL = 1 / 4


def apart(per_second: float, late: timedelta) -> timedelta:
    """How far apart turns lie while some are used so late."""
    allowed = min(max(late, USUAL), MOST) + CALL
    return timedelta(seconds=(1 + allowed / MADE_UP_IN) / per_second)


class Pace:
    """See broker.ports.Pace."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def reserve(
        self, account: AccountRow, *, most: int, within: timedelta, late: timedelta = ON_TIME
    ) -> Slots:
        """Up to `most` turns that begin within this long from now; none before a handful of them are free."""
        if account.per_second is None:
            return Slots(most, NO_LIMIT, NO_LIMIT)
        interval = apart(account.per_second, late)
        run, now = self._hand.connection.execute, self._hand.now
        self._hand.run(
            f"INSERT INTO pace (account_id, gateway, next_at) VALUES (:account, :gateway, {self._hand.dialect.now})"
            " ON CONFLICT (account_id, gateway) DO NOTHING",
            account=account.id,
            gateway=account.gateway,
        )
        held = select(pace.c.next_at).where(*_row(account)).with_for_update()
        first = max(run(held).scalar_one(), now)
        free, handful = (now + within - first) // interval + 1, within * HANDFUL // interval
        count = min(most, max(0, free)) if free >= min(most, handful) else 0
        if count:
            following = first + count * interval
            run(pace.update().where(*_row(account)).values(next_at=following))
        return Slots(count, max(first - now, NO_LIMIT), interval)

    def give_back(self, account: AccountRow, slots: Slots, unused: int) -> None:
        """Return the last `unused` turns of a reservation made in this same transaction."""
        if unused and account.per_second is not None:
            held = select(pace.c.next_at).where(*_row(account))
            following = self._hand.connection.execute(held).scalar_one() - unused * slots.interval
            self._hand.connection.execute(pace.update().where(*_row(account)).values(next_at=following))


def _row(account: AccountRow) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return pace.c.account_id == account.id, pace.c.gateway == account.gateway
