"""Whom nothing of a follow-up reaches: above all those who have what it follows by a way that there is no more."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import ColumnElement, Select, insert, literal, select, update

from broker.address import AddressKind
from broker.announcement import AS_CORRECTION, RIGHT_TEXT, Announcement, FollowUp
from broker.delivery import State
from broker.duty import Unreached
from ledger import tables as t
from ledger.audience import addresses_for
from ledger.corrections.following import may_have_left, pairs, undecided
from ledger.hand import Hand


def lose(hand: Hand, announcement: Announcement, before: Collection[int], gone: Collection[str]) -> int:
    """See broker.ports.Threads."""
    run, whose = hand.connection.execute, t.duty.c
    told = _told_by(before, gone)
    if announcement.follow_up is FollowUp.WITHDRAWAL:  # it has duties for those alone to whom it goes
        who = told.subquery("told")
        known = select(whose.id).where(
            whose.announcement_id == announcement.id, whose.person_id == who.c.person_id
        )
        fresh = select(literal(announcement.id, t.Id), who.c.person_id).where(~known.exists())
        run(insert(t.duty).from_select(["announcement_id", "person_id"], fresh.order_by(who.c.person_id)))
    lost = (
        update(t.duty)
        .where(whose.announcement_id == announcement.id, whose.person_id.in_(told), ~_covered())
        .values(unreached=Unreached.WAY_GONE.code)
    )
    return int(run(lost).rowcount)


def say_so(hand: Hand, announcement: Announcement, before: Collection[int], gone: Collection[str]) -> None:
    """See broker.ports.Threads."""
    d = t.delivery.c
    theirs = (
        select(t.delivery_covers.c.delivery_id)
        .join(t.duty, t.duty.c.id == t.delivery_covers.c.duty_id)
        .where(t.duty.c.announcement_id == announcement.id, t.duty.c.person_id.in_(_told_by(before, gone)))
    )
    hand.connection.execute(
        update(t.delivery)
        .where(d.announcement_id == announcement.id, d.state == State.QUEUED.value)
        .where(d.content_version == RIGHT_TEXT, d.id.in_(theirs))
        .values(content_version=AS_CORRECTION)
    )


def untold(
    hand: Hand, announcement: Announcement, before: Collection[int], later: Collection[AddressKind]
) -> Mapping[int, Unreached]:
    """See broker.ports.Threads."""
    waits = pairs(before).where(undecided()).subquery("waits")
    reach = addresses_for(announcement.people).subquery("reach")
    whose = t.duty.c
    query = select(whose.person_id, whose.unreached).where(
        whose.announcement_id == announcement.id,
        ~_covered(),
        ~select(waits.c.person_id).where(waits.c.person_id == whose.person_id).exists(),
    )
    if later:
        turn = select(reach.c.person_id).where(
            reach.c.person_id == whose.person_id, reach.c.kind.in_([kind.value for kind in later])
        )
        query = query.where(~turn.exists())
    rows = hand.connection.execute(query)
    return {
        row.person_id: Unreached.of(row.unreached) if row.unreached else Unreached.NO_ADDRESS for row in rows
    }


def _told_by(before: Collection[int], channels: Collection[str]) -> Select[tuple[int]]:
    """SELECT person_id: who has, or may have, something of the thread by these ways."""
    having = pairs(before).where(t.delivery.c.channel.in_(channels), may_have_left())
    return having.with_only_columns(t.duty.c.person_id).distinct()


def _covered() -> ColumnElement[bool]:
    """Whether a delivery tells of a duty."""
    covers = t.delivery_covers.c
    return select(covers.delivery_id).where(covers.duty_id == t.duty.c.id).correlate(t.duty).exists()
