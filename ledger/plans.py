"""Fan-out: from an audience to duties, deliveries and covers, by INSERT … SELECT.

Partitioned by address: one transaction plans every delivery in a range of addresses together with all that each
covers, so that a claim never sees half a family. A cursor per channel lets a planner that died go on.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Table,
    and_,
    exists,
    func,
    insert,
    literal,
    literal_column,
    select,
    update,
)

from broker.address import AddressKind
from broker.announcement import Announcement, People, Urgency
from broker.audience import Audience
from broker.delivery import State
from broker.values import AccountRow, Lane, PlanProgress
from ledger import tables as t
from ledger.audience import addresses_for, members, why_unreached
from ledger.deliveries import Deliveries
from ledger.hand import Hand


class Plans:
    """See broker.ports.Plans."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def add_duties(self, announcement: Announcement, audience: Audience, today: date) -> int:
        """Write the duties that are not there yet; returns how many the announcement has."""
        told = members(audience, announcement.people, today).subquery("told")
        chosen = select(literal(announcement.id), told.c.person_id).where(literal(True))
        self._insert_new(t.duty, ["announcement_id", "person_id"], chosen)
        counted = select(func.count()).where(t.duty.c.announcement_id == announcement.id)
        return int(self._hand.connection.execute(counted).scalar_one())

    def add_partition(
        self, announcement: Announcement, channel: str, account: AccountRow, kind: AddressKind, *, size: int
    ) -> PlanProgress:
        """Plan the next `size` addresses of one channel."""
        low, done = self._cursor(announcement, channel)
        if done:
            return PlanProgress(0, 0, done=True)
        high = self._end_of_partition(kind, low, size)
        if high is None:
            self._advance(announcement, channel, low, done=True)
            return PlanProgress(0, 0, done=True)
        deliveries = self._add_deliveries(announcement, channel, account, kind, (low, high))
        covers = self._add_covers(announcement, channel, kind, (low, high))
        self._advance(announcement, channel, high, done=False)
        queued = (announcement.id, channel, State.QUEUED, deliveries)
        Deliveries(self._hand).tally([queued] if deliveries else [])
        return PlanProgress(deliveries, covers, done=False)

    def add_public(self, announcement: Announcement, channel: str, account: AccountRow) -> PlanProgress:
        """Plan the one delivery of a broadcast channel."""
        _, done = self._cursor(announcement, channel)
        if done:
            return PlanProgress(0, 0, done=True)
        values = _delivery_values(announcement, channel, account, literal(None), self._hand)
        added = self._insert_new(t.delivery, list(values), select(*values.values()))
        self._advance(announcement, channel, 0, done=True)
        Deliveries(self._hand).tally([(announcement.id, channel, State.QUEUED, added)])
        return PlanProgress(added, 0, done=True)

    def finish(self, announcement: Announcement) -> None:
        """Explain every duty that nothing covers, and set fanned_out_at."""
        covered = exists().where(t.delivery_covers.c.duty_id == t.duty.c.id)
        self._hand.connection.execute(
            update(t.duty)
            .where(t.duty.c.announcement_id == announcement.id, ~covered)
            .values(unreached=why_unreached(announcement.people, t.duty.c.person_id))
        )
        self._hand.connection.execute(
            update(t.announcement)
            .where(t.announcement.c.id == announcement.id, t.announcement.c.fanned_out_at.is_(None))
            .values(fanned_out_at=self._hand.now)
        )

    def _add_deliveries(
        self,
        announcement: Announcement,
        channel: str,
        account: AccountRow,
        kind: AddressKind,
        span: tuple[int, int],
    ) -> int:
        reach = self._reach(announcement.people, kind, span)
        values = _delivery_values(announcement, channel, account, reach.c.address_id, self._hand)
        chosen = (
            select(*values.values())
            .distinct()
            .select_from(reach)
            .join(t.duty, t.duty.c.person_id == reach.c.person_id)
            .where(t.duty.c.announcement_id == announcement.id)
        )
        return self._insert_new(t.delivery, list(values), chosen)

    def _add_covers(
        self, announcement: Announcement, channel: str, kind: AddressKind, span: tuple[int, int]
    ) -> int:
        reach = self._reach(announcement.people, kind, span)
        chosen = (
            select(t.delivery.c.id, t.duty.c.id)
            .distinct()
            .select_from(reach)
            .join(t.duty, t.duty.c.person_id == reach.c.person_id)
            .join(
                t.delivery,
                and_(
                    t.delivery.c.announcement_id == announcement.id,
                    t.delivery.c.channel == channel,
                    # Exactly the index's expression, on both sides: SQLite uses an index on an expression only where
                    # the other side has no column's affinity, and read the whole announcement for each address.
                    _address(t.delivery.c.address_id) == _address(reach.c.address_id),
                ),
            )
            .where(t.duty.c.announcement_id == announcement.id)
        )
        return self._insert_new(t.delivery_covers, ["delivery_id", "duty_id"], chosen)

    def _reach(self, people: People, kind: AddressKind, span: tuple[int, int]) -> FromClause:
        """Who may be told through the addresses of one partition.

        Computed apart: left free, PostgreSQL believes that the duties written a moment ago are few, begins with
        them, and reads the whole school for every partition.
        """
        low, high = span
        reach = addresses_for(people).subquery("reach")
        within = (reach.c.kind == kind.value, reach.c.address_id > low, reach.c.address_id <= high)
        rows = select(reach.c.person_id, reach.c.address_id).distinct().where(*within)
        return self._hand.dialect.apart(rows, "span")

    def _insert_new(self, table: Table, columns: list[str], chosen: Select[Any]) -> int:
        statement = self._hand.dialect.insert_new(table, columns, chosen)
        # SQLAlchemy keeps the count of an INSERT only when asked to.
        counted = statement.execution_options(preserve_rowcount=True)
        return self._hand.connection.execute(counted).rowcount

    def _end_of_partition(self, kind: AddressKind, low: int, size: int) -> int | None:
        following = (
            select(t.address.c.id)
            .where(t.address.c.kind == kind.value, t.address.c.id > low)
            .order_by(t.address.c.id)
            .limit(size)
            .subquery()
        )
        end: int | None = self._hand.connection.execute(select(func.max(following.c.id))).scalar_one()
        return end

    def _cursor(self, announcement: Announcement, channel: str) -> tuple[int, bool]:
        row = self._hand.connection.execute(
            select(t.fanout_cursor).where(
                t.fanout_cursor.c.announcement_id == announcement.id, t.fanout_cursor.c.channel == channel
            )
        ).one_or_none()
        return (row.address_id, row.done) if row else (0, False)

    def _advance(self, announcement: Announcement, channel: str, to: int, *, done: bool) -> None:
        moved = self._hand.connection.execute(
            update(t.fanout_cursor)
            .where(t.fanout_cursor.c.announcement_id == announcement.id, t.fanout_cursor.c.channel == channel)
            .values(address_id=to, done=done)
        )
        if not moved.rowcount:
            row = {"announcement_id": announcement.id, "channel": channel, "address_id": to, "done": done}
            self._hand.connection.execute(insert(t.fanout_cursor).values(row))


def _address(column: ColumnElement[int]) -> ColumnElement[int]:
    """As in the index `ux_delivery_once`, where the public is 0."""
    return func.coalesce(column, literal_column("0"))


def _delivery_values(
    announcement: Announcement, channel: str, account: AccountRow, address: Any, hand: Hand
) -> dict[str, Any]:
    lane = Lane.URGENT if announcement.urgency is Urgency.URGENT else Lane.ROUTINE
    return {
        "announcement_id": literal(announcement.id, t.Id),
        "channel": literal(channel),
        "account_id": literal(account.id, t.Id),
        "address_id": address,
        "lane": literal(lane.value),
        "state": literal(State.QUEUED.value),
        "code": literal("new"),
        "due_at": literal(announcement.due_at, t.Moment()),
        "expires_at": literal(announcement.expires_at, t.Moment()),
        "created_at": literal(hand.now, t.Moment()),
        "changed_at": literal(hand.now, t.Moment()),
    }
