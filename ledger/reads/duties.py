"""How the duties of one announcement stand: SQL supplies the facts, `broker.duty.derive` alone says what they mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select

from broker.announcement import Announcement
from broker.delivery import REACHED, State
from broker.duty import DutyFacts, DutyState, Unreached, derive
from ledger import tables as t
from ledger.hand import Hand

_COVERING = and_(
    t.delivery.c.id == t.delivery_covers.c.delivery_id,
    t.delivery.c.address_id.is_not(None),  # a broadcast meets no duty
)
_UNCERTAIN = t.delivery.c.state == State.UNCERTAIN.value
_REACHED = t.delivery.c.state.in_([state.value for state in REACHED])
FACTS = ("acknowledged", "reached", "alive", "doubtful", "climbing")


def facts(announcement: int) -> Select[Any]:
    """SELECT duty_id, person_id, unreached and the facts as 0 or 1, for every duty of an announcement."""
    laddered = select(t.ladder.c.seen).where(t.ladder.c.announcement_id == announcement).exists()
    return _facts(laddered).where(t.duty.c.announcement_id == announcement)


def _facts(laddered: ColumnElement[bool]) -> Select[Any]:
    alive = or_(
        t.delivery.c.state.in_((State.QUEUED.value, State.SENDING.value)),
        and_(_UNCERTAIN, t.delivery.c.lookup_at.is_not(None)),
    )
    return (
        select(
            t.duty.c.id.label("duty_id"),
            t.duty.c.person_id,
            t.duty.c.unreached,
            case((t.duty.c.acknowledged_at.is_not(None), 1), else_=0).label("acknowledged"),
            _any(_REACHED).label("reached"),
            _any(alive).label("alive"),
            _any(and_(_UNCERTAIN, t.delivery.c.settled_at.is_(None))).label("doubtful"),
            case((and_(laddered, _before_the_last()), 1), else_=0).label("climbing"),
        )
        .select_from(t.duty)
        .outerjoin(
            t.delivery_covers,
            and_(t.delivery_covers.c.duty_id == t.duty.c.id, ~t.delivery_covers.c.dropped),
        )
        .outerjoin(t.delivery, _COVERING)
        .group_by(t.duty.c.id)
    )


def state_of(row: Any, announcement: Announcement, *, over: bool) -> DutyState:
    """The state of one row of `facts`, or of a group of alike ones."""
    known = {name: bool(getattr(row, name)) for name in FACTS}
    return derive(DutyFacts(**known, over=over, planned=announcement.fanned_out_at is not None))


def count(hand: Hand, announcement: Announcement) -> dict[DutyState, int]:
    """How many duties stand how; none of what is for anybody to read."""
    return count_with_seen(hand, announcement)[0]


def count_with_seen(hand: Hand, announcement: Announcement) -> tuple[dict[DutyState, int], int]:
    """The same, and of how many somebody said that it was seen.

    Sixteen combinations of facts cross, however many people there are.
    """
    return count_of(hand, [announcement])[announcement.id]


def count_of(hand: Hand, these: Sequence[Announcement]) -> Mapping[int, tuple[dict[DutyState, int], int]]:
    """The same for several announcements in one question, and one more for each that reached nobody."""
    laddered = select(t.ladder.c.seen).where(t.ladder.c.announcement_id == t.duty.c.announcement_id)
    each = (
        _facts(laddered.correlate(t.duty).exists())
        .add_columns(t.duty.c.announcement_id)
        .where(t.duty.c.announcement_id.in_([one.id for one in these]))
        .subquery("each")
    )
    columns = [each.c.announcement_id, *(each.c[name] for name in FACTS)]
    found: dict[int, list[Any]] = {one.id: [] for one in these}
    for row in hand.connection.execute(select(*columns, func.count().label("n")).group_by(*columns)):
        found[row.announcement_id].append(row)
    return {one.id: _counted(hand, one, found[one.id]) for one in these}


def _counted(hand: Hand, announcement: Announcement, rows: Sequence[Any]) -> tuple[dict[DutyState, int], int]:
    if not any(row.reached or row.alive for row in rows) and is_for_anybody(hand, announcement):
        rows = ()
    over = is_over(hand, announcement)
    counted: Counter[DutyState] = Counter()
    for row in rows:
        counted[state_of(row, announcement, over=over)] += row.n
    return {state: counted[state] for state in DutyState}, sum(row.n for row in rows if row.acknowledged)


def is_for_anybody(hand: Hand, announcement: Announcement) -> bool:
    """Whether it went by ways alone that everybody reads, so that its people are not those whom it did not reach.

    By what was planned, and not by what its channels are today. A correction may go to those who had the wrong text
    by a way of its own, or say of them that this way is gone: then somebody was meant after all.
    """
    if announcement.fanned_out_at is None:
        return False
    d, mine = t.delivery.c, t.delivery.c.announcement_id == announcement.id
    ways = {name for step in announcement.ways for name in step.channels}
    public = select(func.count()).where(
        mine, d.channel.in_(sorted(ways)), func.coalesce(d.address_id, 0) == 0
    )
    addressed = select(d.id).where(mine, d.address_id.is_not(None)).exists()
    w = t.duty.c
    lost = select(w.id).where(w.announcement_id == announcement.id, w.unreached == Unreached.WAY_GONE.code)
    row = hand.connection.execute(
        select(
            public.scalar_subquery().label("public"),
            addressed.label("addressed"),
            (lost.exists() if announcement.follow_up is not None else false()).label("lost"),
        )
    ).one()
    return row.public == len(ways) and not row.addressed and not row.lost


def is_over(hand: Hand, announcement: Announcement) -> bool:
    """Expired, withdrawn, or corrected by a later one."""
    over = announcement.withdrawn_at is not None or announcement.corrected_at is not None
    return over or announcement.expires_at <= hand.now


def was_reached() -> ColumnElement[bool]:
    """Over the groups of `facts`: whether a direct delivery that covers the duty is sent or delivered."""
    return _any(_REACHED) == 1


def _before_the_last() -> ColumnElement[bool]:
    """Whether a duty of an announcement with ways in order has not come to the last of them."""
    at_last = select(t.rung.c.step).where(t.rung.c.duty_id == t.duty.c.id, t.rung.c.sheet).correlate(t.duty)
    return ~at_last.exists()


def _any(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.max(case((condition, 1), else_=0))
