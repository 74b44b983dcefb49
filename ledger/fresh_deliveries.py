"""A fresh delivery, by INSERT … SELECT: what its columns hold, which address has one already, and what it covers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Insert,
    Select,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    literal_column,
    select,
)
from sqlalchemy import Sequence as DrawnFrom

from broker.announcement import RIGHT_TEXT, Announcement, FollowUp, Urgency
from broker.delivery import State
from broker.values import AccountRow, Lane
from ledger import tables as t
from ledger.hand import Hand

_COVER = ("delivery_id", "duty_id")


@dataclass(frozen=True, slots=True)
class Span:
    """The addresses of one partition: above `low`, up to `high`, which for a small audience is None: all of them."""

    low: int
    high: int | None

    def holds(self, column: ColumnElement[int]) -> ColumnElement[bool]:
        """Whether a column is within."""
        above = column > self.low
        return above if self.high is None else and_(above, column <= self.high)


def delivery_values(
    announcement: Announcement, channel: str, account: AccountRow, address: Any, hand: Hand
) -> dict[str, Any]:
    """The columns of a fresh delivery, each as an expression; of a correction with the right text."""
    lane = Lane.URGENT if announcement.urgency is Urgency.URGENT else Lane.ROUTINE
    return {
        "announcement_id": literal(announcement.id, t.Id),
        "channel": literal(channel),
        "content_version": literal(RIGHT_TEXT)
        if announcement.follow_up is FollowUp.CORRECTION
        else select(func.max(t.content.c.version))
        .where(t.content.c.announcement_id == announcement.id)
        .scalar_subquery(),
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


def has_one(
    announcements: Collection[int], channel: str, span: Span, told: FromClause
) -> ColumnElement[bool]:
    """Whether an address has its delivery already, of any of these."""
    d = t.delivery.c
    return exists().where(
        d.announcement_id.in_(announcements),
        d.channel == channel,
        span.holds(_address(d.address_id)),
        _address(d.address_id) == _address(told.c.address_id),
    )


def add_with_covers(
    hand: Hand,
    announcement: Announcement,
    channel: str,
    account: AccountRow,
    told: FromClause,
    planned: ColumnElement[bool],
) -> tuple[int, int]:
    """Insert a delivery for each address told of that has none yet, and what it covers; how many of both.

    `told`: address_id, duty_id. `planned`: which of them have one; see `has_one`.
    """
    if hand.dialect.changes_together:
        return _add_together(hand, announcement, channel, account, select(told).where(~planned))
    values = delivery_values(announcement, channel, account, told.c.address_id, hand)
    chosen = select(*values.values()).where(~planned).group_by(told.c.address_id)
    added = run_counted(
        hand, insert(t.delivery).from_select(list(values), chosen.order_by(told.c.address_id))
    )
    return added, cover(hand, announcement, channel, told)


def cover(hand: Hand, announcement: Announcement, channel: str, told: FromClause) -> int:
    """Have the deliveries that are there cover what they are told of and do not yet; how much that was."""
    covers = insert(t.delivery_covers).from_select(_COVER, _uncovered(announcement, channel, told))
    return run_counted(hand, covers)


def run_counted(hand: Hand, statement: Insert) -> int:
    """How many rows it inserted, which SQLAlchemy keeps only when asked to."""
    counted = statement.execution_options(preserve_rowcount=True)
    return hand.connection.execute(counted).rowcount


def _add_together(
    hand: Hand, announcement: Announcement, channel: str, account: AccountRow, told: Select[Any]
) -> tuple[int, int]:
    """In one statement that looks nothing up: the ids are drawn first, in the order of the addresses.

    Joined again to what was inserted, the covers were at the mercy of a guess of how many those are: where it
    guessed one, PostgreSQL compared each with each, and a partition took eight seconds.
    """
    pair = told.subquery("pair").c
    of_address = func.row_number().over(partition_by=pair.address_id, order_by=pair.duty_id)
    ranked = select(pair.address_id, pair.duty_id, of_address.label("nth")).subquery("ranked").c
    fresh = case((ranked.nth == 1, DrawnFrom("delivery_id_seq").next_value()))
    drawn = select(*ranked, fresh.label("fresh")).subquery("drawn").c
    of_all = func.max(drawn.fresh).over(partition_by=drawn.address_id)
    rows = select(drawn.address_id, drawn.duty_id, drawn.nth, of_all.label("delivery_id"))
    each = hand.dialect.apart(rows, "each").c
    values = delivery_values(announcement, channel, account, each.address_id, hand)
    values = {"id": each.delivery_id, **values}
    first = select(*values.values()).where(each.nth == 1)
    made = insert(t.delivery).from_select(list(values), first).returning(t.delivery.c.id).cte("made")
    covers = (
        insert(t.delivery_covers)
        .from_select(_COVER, select(each.delivery_id, each.duty_id))
        .returning(t.delivery_covers.c.duty_id)
        .cte("covers")
    )
    counts = (select(func.count()).select_from(cte).scalar_subquery() for cte in (made, covers))
    added, covered = hand.connection.execute(select(*counts)).one()
    return added, covered


def _uncovered(announcement: Announcement, channel: str, told: FromClause) -> Select[Any]:
    """SELECT delivery_id, duty_id: what the deliveries that are there do not cover yet."""
    d, c = t.delivery.c, t.delivery_covers.c
    # Exactly the index's expression, on both sides: SQLite uses an index on an expression only where
    # the other side has no column's affinity, and read the whole announcement for each address.
    same = _address(d.address_id) == _address(told.c.address_id)
    its = and_(d.announcement_id == announcement.id, d.channel == channel, same)
    covered = exists().where(c.delivery_id == d.id, c.duty_id == told.c.duty_id)
    return select(d.id, told.c.duty_id).select_from(told).join(t.delivery, its).where(~covered)


def _address(column: ColumnElement[int]) -> ColumnElement[int]:
    """As in the index `ux_delivery_once`, where the public is 0."""
    return func.coalesce(column, literal_column("0"))
