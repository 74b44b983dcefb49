"""What the sweep asks of the ledger, and does to it in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, insert, or_, select

from broker.delivery import State
from broker.values import DeliverHint, Due, Lane
from ledger import tables as t
from ledger.deliveries import TALLY
from ledger.hand import Hand


class Sweeps:
    """See broker.ports.Sweeps."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def may_sweep(self) -> bool:
        """Take the sweeper's lock for this transaction; False when another sweep is at work."""
        return self._hand.dialect.may_sweep(self._hand.connection)

    def due(self, *, limit: int) -> Due:
        """Announcements to plan, and accounts with due deliveries in either lane."""
        run, now = self._hand.connection.execute, self._hand.now
        waiting = run(
            select(t.announcement.c.public_id)
            .where(
                t.announcement.c.fanned_out_at.is_(None),
                t.announcement.c.approved_at.is_not(None),
                t.announcement.c.withdrawn_at.is_(None),
                t.announcement.c.corrected_by.is_(None),
                t.announcement.c.due_at <= now,
                or_(t.announcement.c.held_until.is_(None), t.announcement.c.held_until <= now),
            )
            .order_by(t.announcement.c.due_at)
            .limit(limit)
        )
        # One probe of the partial index per account and lane, not a scan of everything that is due.
        hints = [
            DeliverHint(account.name, account.channel, lane)
            for account in run(
                select(t.account.c.id, t.account.c.name, t.account.c.channel).where(t.account.c.active)
            ).all()
            for lane in Lane
            if run(
                select(t.delivery.c.id)
                .where(
                    t.delivery.c.state == State.QUEUED.value,
                    t.delivery.c.account_id == account.id,
                    t.delivery.c.lane == lane.value,
                    t.delivery.c.due_at <= now,
                )
                .order_by(t.delivery.c.due_at, t.delivery.c.id)
                .limit(1)
            ).first()
        ]
        return Due([row.public_id for row in waiting], hints)

    def due_lookups(self) -> list[str]:
        """Names of accounts with a look-up that is due."""
        rows = self._hand.connection.execute(
            select(t.account.c.name)
            .where(
                t.account.c.active,
                select(t.delivery.c.id)
                .where(
                    t.delivery.c.state == State.UNCERTAIN.value,
                    t.delivery.c.account_id == t.account.c.id,
                    t.delivery.c.lookup_at <= self._hand.now,
                )
                .exists(),
            )
            .order_by(t.account.c.name)
        )
        return [row.name for row in rows]

    def asks(self, account: int, gateway: str) -> bool:
        """Whether something of an account is in doubt with this gateway and is to be asked for there."""
        newest = (
            select(func.max(t.attempt.c.fence))
            .where(t.attempt.c.delivery_id == t.delivery.c.id)
            .correlate(t.delivery)
            .scalar_subquery()
        )
        doubtful = (
            select(t.delivery.c.id)
            .join(t.attempt, (t.attempt.c.delivery_id == t.delivery.c.id) & (t.attempt.c.fence == newest))
            .where(
                t.delivery.c.state == State.UNCERTAIN.value,
                t.delivery.c.account_id == account,
                t.delivery.c.lookup_at.is_not(None),
                t.attempt.c.gateway == gateway,
            )
            .limit(1)
        )
        return self._hand.connection.execute(doubtful).first() is not None

    def fold_tallies(self) -> int:
        """Fold appended counter deltas into the counters; the caller holds the sweeper's lock."""
        run = self._hand.run
        newest = run("SELECT max(id) AS id FROM tally_delta").scalar_one()
        if newest is None:
            return 0
        # Only rows that this statement sees are folded and deleted: RETURNING names them, a late id stays.
        rows = run(
            "DELETE FROM tally_delta WHERE id <= :newest RETURNING announcement_id, channel, state, n",
            newest=newest,
        ).all()
        summed: dict[tuple[int, str, str], int] = {}
        for row in rows:
            key = (row.announcement_id, row.channel, row.state)
            summed[key] = summed.get(key, 0) + row.n
        if counted := [(*key, n) for key, n in sorted(summed.items())]:
            self._hand.run_rows(
                "INSERT INTO tally (announcement_id, channel, state, n)"
                # "WHERE true" keeps SQLite from reading ON CONFLICT as part of a join.
                f" SELECT announcement_id, channel, state, n FROM {self._hand.dialect.rows(TALLY)} WHERE true"
                " ON CONFLICT (announcement_id, channel, state) DO UPDATE SET n = tally.n + excluded.n",
                TALLY,
                counted,
            )
        return len(rows)

    def expire_all_leases(self) -> int:
        """Let every lease run out now: for a database whose only worker has just begun."""
        past = self._hand.now - timedelta(microseconds=1)
        moved = self._hand.connection.execute(
            t.delivery.update().where(t.delivery.c.state == State.SENDING.value).values(lease_until=past)
        )
        return moved.rowcount

    def expire_leases_of(self, holder: str) -> int:
        """Let what one process has in hand run out now: for a process that is known to be dead."""
        past = self._hand.now - timedelta(microseconds=1)
        in_hand = t.delivery.update().where(
            t.delivery.c.state == State.SENDING.value,
            t.delivery.c.holder == holder,
            t.delivery.c.lease_until > past,
        )
        return self._hand.connection.execute(in_hand.values(lease_until=past)).rowcount

    def raise_alarm(self, kind: str, subject: str, message: str) -> None:
        """Tell whoever watches; the same alarm is raised once until it is cleared."""
        open_already = select(t.alarm.c.id).where(
            t.alarm.c.kind == kind, t.alarm.c.subject == subject, t.alarm.c.cleared_at.is_(None)
        )
        if self._hand.connection.execute(open_already).first() is None:
            row = {"kind": kind, "subject": subject, "message": message, "raised_at": self._hand.now}
            self._hand.connection.execute(insert(t.alarm).values(row))

    def alarmed(self, kind: str) -> bool:
        """Whether an alarm of this kind is open."""
        is_open = select(t.alarm.c.id).where(t.alarm.c.kind == kind, t.alarm.c.cleared_at.is_(None))
        return self._hand.connection.execute(is_open).first() is not None

    def alarmed_about(self, kind: str) -> Sequence[str]:
        """What open alarms of this kind are about."""
        is_open = select(t.alarm.c.subject).where(t.alarm.c.kind == kind, t.alarm.c.cleared_at.is_(None))
        return self._hand.connection.execute(is_open).scalars().all()

    def clear_alarm(self, kind: str, subject: str) -> None:
        """The reason is gone."""
        self._hand.connection.execute(
            t.alarm.update()
            .where(t.alarm.c.kind == kind, t.alarm.c.subject == subject, t.alarm.c.cleared_at.is_(None))
            .values(cleared_at=self._hand.now)
        )

    def beat(self, worker: str) -> None:
        """A worker shows that it lives: its hints arrive, and it reaches the ledger."""
        run, now = self._hand.connection.execute, self._hand.now
        seen = run(t.worker.update().where(t.worker.c.name == worker).values(seen_at=now))
        if not seen.rowcount:
            run(insert(t.worker).values(name=worker, started_at=now, seen_at=now))

    def workers_seen(self, within: timedelta) -> int:
        """How many workers showed themselves lately."""
        recent = select(func.count()).where(t.worker.c.seen_at > self._hand.now - within)
        return int(self._hand.connection.execute(recent).scalar_one())
