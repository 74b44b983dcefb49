"""Announcements told to exactly those whom others told, at the same addresses; or to everybody but them, as SELECTs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import FromClause, Select, except_, select

from broker.delivery import State
from ledger.hand import Hand
from ledger.tables import announcement as said
from ledger.tables import delivery, delivery_covers, duty, person, told_before

# What arrived, or may have: an uncertain one is told again rather than left with the wrong time.
LEFT = (State.SENT.value, State.DELIVERED.value, State.UNCERTAIN.value)
SEEN = (*LEFT, State.RETRACTED.value)  # of what the public could read


@dataclass(frozen=True, slots=True)
class Earlier:
    """The announcements to whose people one is told again; those to whose people it is not."""

    again: Sequence[int]
    but: Sequence[int]


def earlier_of(hand: Hand, announcement: int) -> Earlier:
    """What an announcement has to do with earlier ones; nothing, as a rule."""
    query = select(told_before.c.earlier_id, told_before.c.again).where(
        told_before.c.announcement_id == announcement
    )
    rows = hand.connection.execute(query).all()
    if not rows:
        return Earlier((), ())
    again, but = ([row[0] for row in rows if bool(row.again) is wanted] for wanted in (True, False))
    return Earlier(with_follow_ups(hand, again), with_follow_ups(hand, but))


def with_follow_ups(hand: Hand, announcements: Sequence[int]) -> Sequence[int]:
    """These, and what corrected them or said them again: whom a correction told was told."""
    if not announcements:
        return ()
    under = select(said.c.id).where(said.c.id.in_(announcements)).cte("under", recursive=True)
    under = under.union(select(said.c.id).where(said.c.corrects == under.c.id))
    return hand.connection.execute(select(under.c.id).order_by(under.c.id)).scalars().all()


def selected(meant: Select[Any], earlier: Earlier) -> Select[Any]:
    """SELECT person_id: of those who are meant, those whom it is for."""
    if earlier.again:
        return told_by(earlier.again)
    return _but(meant, earlier.but) if earlier.but else meant


def told_by(earlier: Sequence[int]) -> Select[Any]:
    """SELECT person_id: whom these announcements told, by whichever way."""
    return (
        select(duty.c.person_id)
        .join(delivery_covers, delivery_covers.c.duty_id == duty.c.id)
        .join(delivery, delivery.c.id == delivery_covers.c.delivery_id)
        .join(person, person.c.id == duty.c.person_id)
        .where(duty.c.announcement_id.in_(earlier), delivery.c.state.in_(LEFT))
        .where(~delivery_covers.c.dropped, person.c.active)
        .distinct()
    )


def _but(meant: Select[Any], earlier: Sequence[int]) -> Select[Any]:
    """SELECT person_id: who is meant, without whom these announcements told."""
    sides = [select(meant.cte().c.person_id), select(told_by(earlier).cte().c.person_id)]
    return select(except_(*sides).cte().c.person_id)


def addresses_told(announcement: int, channel: str, earlier: Sequence[int]) -> FromClause:
    """SELECT address_id, duty_id: where these announcements told each of an announcement's people, by one channel."""
    before = duty.alias("before")
    return (
        select(delivery.c.address_id, duty.c.id.label("duty_id"))
        .join_from(duty, before, before.c.person_id == duty.c.person_id)
        .join(delivery_covers, delivery_covers.c.duty_id == before.c.id)
        .join(delivery, delivery.c.id == delivery_covers.c.delivery_id)
        .where(duty.c.announcement_id == announcement, before.c.announcement_id.in_(earlier))
        .where(delivery.c.channel == channel, delivery.c.address_id.is_not(None))
        .where(delivery.c.state.in_(LEFT), ~delivery_covers.c.dropped)
        .distinct()
        .subquery("told")
    )


def public_told(hand: Hand, channel: str, earlier: Sequence[int]) -> bool:
    """Whether everybody could read one of these there."""
    d = delivery.c
    query = select(d.id).where(
        d.announcement_id.in_(earlier), d.channel == channel, d.address_id.is_(None), d.state.in_(SEEN)
    )
    return hand.connection.execute(query.limit(1)).first() is not None
