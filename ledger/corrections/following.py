"""Planning what follows up: from the deliveries of a thread to those of what is said next, by INSERT … SELECT.

What is decided is decided in one statement, on one snapshot: an address of which anything is still queued, being sent
or looked up is left for the next time.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, insert, literal, or_, select, update

from broker.address import AddressKind
from broker.announcement import AS_CORRECTION, RIGHT_TEXT, Announcement, FollowUp
from broker.corrections.law import MAY_HAVE_LEFT
from broker.delivery import State, is_settled
from broker.values import AccountRow
from ledger import tables as t
from ledger.audience import addresses_for
from ledger.deliveries import Deliveries
from ledger.erased import is_erased
from ledger.fresh_deliveries import delivery_values
from ledger.hand import Hand
from ledger.plans import Plans

d, mine = t.delivery.c, t.delivery.alias("mine")
_COVER = ("delivery_id", "duty_id")
_UNSETTLED = [state.value for state in State if not is_settled(state, None)]


def undecided() -> ColumnElement[bool]:
    """Whether a delivery is not settled (`broker.delivery.is_settled`)."""
    looked_up = and_(d.state == State.UNCERTAIN.value, d.lookup_at.is_not(None))
    return or_(d.state.in_(_UNSETTLED), looked_up)


def may_have_left() -> ColumnElement[bool]:
    """Whether a settled delivery left, or may have."""
    return d.state.in_([state.value for state in MAY_HAVE_LEFT])


def is_somebody() -> ColumnElement[bool]:
    """Whether a person was not erased since: nobody is to be told of them any more."""
    return ~is_erased(t.person.c.source_id)


def whether(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """1 where it holds for any of a group."""
    return func.max(case((condition, 1), else_=0))


def pairs(before: Collection[int], channel: str | None = None) -> Select[Any]:
    """SELECT address_id, person_id, state: of whom each address of the thread was told, or was to be."""
    query = (
        select(d.address_id, t.duty.c.person_id, d.state)
        .join(t.delivery_covers, t.delivery_covers.c.delivery_id == d.id)
        .join(t.duty, t.duty.c.id == t.delivery_covers.c.duty_id)
        .join(t.person, t.person.c.id == t.duty.c.person_id)
        .where(d.announcement_id.in_(before), d.address_id.is_not(None), ~t.delivery_covers.c.dropped)
        .where(is_somebody())
    )
    return query if channel is None else query.where(d.channel == channel)


def follow(
    hand: Hand,
    announcement: Announcement,
    before: Collection[int],
    channel: str,
    account: AccountRow,
    kind: AddressKind,
    *,
    limit: int,
    waits: bool,
) -> int:
    """See broker.ports.Threads; `waits`: for what is not decided yet."""
    run, left = hand.connection.execute, whether(may_have_left())
    known = _has(announcement, channel, d.address_id)
    decided = whether(undecided()) <= (0 if waits else 1)
    if announcement.follow_up is FollowUp.WITHDRAWAL:
        decided = and_(decided, left == 1)
    values = delivery_values(announcement, channel, account, d.address_id, hand)
    if announcement.follow_up is FollowUp.CORRECTION:
        values["content_version"] = case((left == 1, literal(AS_CORRECTION)), else_=literal(RIGHT_TEXT))
    chosen = (
        select(*values.values())
        .where(d.announcement_id.in_(before), d.channel == channel, d.address_id.is_not(None), ~known)
        .group_by(d.address_id)
        .having(decided)
        .order_by(d.address_id)
        .limit(limit)
    )
    planned = insert(t.delivery).from_select(list(values), chosen).execution_options(preserve_rowcount=True)
    added = run(planned).rowcount
    if added:
        _cover(hand, announcement, before, channel)
        if announcement.follow_up is FollowUp.CORRECTION:
            Plans(hand).cover(announcement, channel, kind)
        Deliveries(hand).tally([(announcement.id, channel, State.QUEUED, added)])
    return added


def send_again(
    hand: Hand,
    announcement: Announcement,
    first: int,
    channel: str,
    account: AccountRow,
    kind: AddressKind,
    *,
    step: int,
) -> int:
    """See broker.ports.Threads."""
    run = hand.connection.execute
    _duties_of_the_first(hand, announcement, first)
    listed, reach = t.follow_up_person.c, addresses_for(announcement.people).subquery("reach")
    told = (
        select(reach.c.address_id, reach.c.person_id)
        .join(t.follow_up_person, listed.person_id == reach.c.person_id)
        .where(listed.announcement_id == announcement.id, reach.c.kind == kind.value)
        .where(_stands_on(first, listed.person_id, step) if step else literal(True))
        .where(~knows(first, listed.person_id))
        .distinct()
        .subquery("told")
    )
    earlier = _by_this_way(first, channel)
    before = select(func.max(earlier.c.id)).where(earlier.c.person_id == told.c.person_id).scalar_subquery()
    same = select(earlier.c.id).where(earlier.c.address_id == told.c.address_id).exists()
    values = delivery_values(announcement, channel, account, told.c.address_id, hand)
    values["replaces"] = func.max(case((~same, before)))
    chosen = select(*values.values()).where(~_has(announcement, channel, told.c.address_id))
    if announcement.follow_up is FollowUp.REDIRECT:
        chosen = chosen.where(~same)
    chosen = chosen.group_by(told.c.address_id).order_by(told.c.address_id)
    planned = insert(t.delivery).from_select(list(values), chosen).execution_options(preserve_rowcount=True)
    added = run(planned).rowcount
    if added:
        meant = and_(t.duty.c.announcement_id == first, t.duty.c.person_id == told.c.person_id)
        its = and_(
            mine.c.announcement_id == announcement.id,
            mine.c.channel == channel,
            mine.c.address_id == told.c.address_id,
        )
        covers = select(mine.c.id, t.duty.c.id).select_from(told.join(mine, its).join(t.duty, meant))
        run(insert(t.delivery_covers).from_select(_COVER, covers))
        Deliveries(hand).tally([(announcement.id, channel, State.QUEUED, added)])
    return added


def _stands_on(first: int, person: ColumnElement[int], step: int) -> ColumnElement[bool]:
    """Whether the duty of the first about somebody has come to a step."""
    return (
        select(t.rung.c.step)
        .join(t.duty, t.duty.c.id == t.rung.c.duty_id)
        .where(t.duty.c.announcement_id == first, t.duty.c.person_id == person, t.rung.c.step >= step)
        .exists()
    )


def knows(first: ColumnElement[int] | int, person: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether it was said that somebody has seen it."""
    return (
        select(t.duty.c.id)
        .where(
            t.duty.c.announcement_id == first,
            t.duty.c.person_id == person,
            t.duty.c.acknowledged_at.is_not(None),
        )
        .exists()
    )


def _by_this_way(first: int, channel: str) -> Any:
    """SELECT id, address_id, person_id: what went, or was to go, by one way about the duties of the first."""
    return (
        select(d.id, d.address_id, t.duty.c.person_id)
        .join(t.delivery_covers, t.delivery_covers.c.delivery_id == d.id)
        .join(t.duty, t.duty.c.id == t.delivery_covers.c.duty_id)
        .where(t.duty.c.announcement_id == first, d.channel == channel)
        .subquery("earlier")
    )


def _duties_of_the_first(hand: Hand, announcement: Announcement, first: int) -> None:
    """Whoever joined since is somebody whom the first one has to tell."""
    listed = t.follow_up_person.c
    known = select(t.duty.c.id).where(
        t.duty.c.announcement_id == first, t.duty.c.person_id == listed.person_id
    )
    fresh = select(literal(first, t.Id), listed.person_id).where(
        listed.announcement_id == announcement.id, ~known.exists()
    )
    run = hand.connection.execute
    run(insert(t.duty).from_select(["announcement_id", "person_id"], fresh.order_by(listed.person_id)))
    these = select(listed.person_id).where(listed.announcement_id == announcement.id)
    run(
        update(t.duty)
        .where(t.duty.c.announcement_id == first, t.duty.c.person_id.in_(these))
        .values(unreached=None)
    )


def _cover(hand: Hand, announcement: Announcement, before: Collection[int], channel: str) -> None:
    """What a fresh delivery covers: whomever the thread told, or was to tell, by that address."""
    told = pairs(before, channel).subquery("told")
    bare = ~select(t.delivery_covers.c.duty_id).where(t.delivery_covers.c.delivery_id == mine.c.id).exists()
    its = and_(
        mine.c.announcement_id == announcement.id,
        mine.c.channel == channel,
        func.coalesce(mine.c.address_id, 0) == told.c.address_id,
    )
    joined = told.join(mine, its)
    run = hand.connection.execute
    known = select(t.duty.c.id).where(
        t.duty.c.announcement_id == announcement.id, t.duty.c.person_id == told.c.person_id
    )
    people = (
        select(literal(announcement.id, t.Id), told.c.person_id)
        .select_from(joined)
        .where(bare, ~known.exists())
    )
    run(insert(t.duty).from_select(["announcement_id", "person_id"], people.distinct()))
    meant = and_(t.duty.c.announcement_id == announcement.id, t.duty.c.person_id == told.c.person_id)
    covers = select(mine.c.id, t.duty.c.id).select_from(joined.join(t.duty, meant)).where(bare).distinct()
    run(insert(t.delivery_covers).from_select(_COVER, covers))


def _has(announcement: Announcement, channel: str, address: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether an address has its delivery already; by the unique index, on both sides an expression."""
    return (
        select(mine.c.id)
        .where(
            mine.c.announcement_id == announcement.id,
            mine.c.channel == channel,
            func.coalesce(mine.c.address_id, 0) == func.coalesce(address, 0),
        )
        .exists()
    )
