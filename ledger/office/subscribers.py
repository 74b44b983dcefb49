"""Subscribers: browsers that asked to be told with a group, and the SELECT of those whom an announcement is for."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Select, Text, cast, delete, func, insert, literal, select, true, update

from broker.address import AddressKind
from broker.announcement import Announcement, People
from broker.audience import expand, parse, told_whole
from broker.errors import RuleBroken
from ledger.hand import Hand
from ledger.office.groups import Groups
from ledger.rosters.people import keyed_hash
from ledger.tables import address, delivery, people_group, private_link, subscriber
from ledger.told_before import LEFT, earlier_of

_PUSH = AddressKind.PUSH
KEY_BYTES = 32


class Subscribers:
    """See broker.ports.links.Subscribers."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def add(self, link: int, account: int, value: str) -> int | None:
        """Keep one; its address, or None where it is there already. By another link or account it moves over."""
        run, now = self._hand.connection.execute, self._hand.now
        theirs = {"link_id": link, "account_id": account}
        known = self.address_of(value)
        if known is None:
            keyed = keyed_hash(self._hand.signer, _PUSH, value)
            row = {"kind": _PUSH.value, "value": value, "hash": keyed, "confirmed_at": now}
            row["commitment_key"] = secrets.token_bytes(KEY_BYTES)
            known = run(insert(address).values(row).returning(address.c.id)).scalar_one()
        there = run(select(subscriber).where(subscriber.c.address_id == known)).one_or_none()
        if there is None:
            run(insert(subscriber).values(address_id=known, **theirs, made_at=now))
        elif (there.link_id, there.account_id) == (link, account):
            return None
        else:
            run(update(subscriber).where(subscriber.c.address_id == known).values(theirs))
        return known

    def address_of(self, value: str) -> int | None:
        """The address of one that is there."""
        query = select(address.c.id).where(address.c.kind == _PUSH.value, address.c.value == value)
        return self._hand.connection.execute(query).scalar_one_or_none()

    def link_of(self, address: int) -> int | None:
        """The link by which one subscribed; None when it is none any more."""
        query = select(subscriber.c.link_id).where(subscriber.c.address_id == address)
        return self._hand.connection.execute(query).scalar_one_or_none()

    def count(self, link: int) -> int:
        """How many subscribed by a link."""
        query = select(func.count()).where(subscriber.c.link_id == link)
        return int(self._hand.connection.execute(query).scalar_one())

    def by(self, link: int) -> Sequence[int]:
        """The addresses of those who subscribed by a link."""
        query = select(subscriber.c.address_id).where(subscriber.c.link_id == link)
        return self._hand.connection.execute(query.order_by(subscriber.c.address_id)).scalars().all()

    def end(self, addresses: Collection[int]) -> Sequence[int]:
        """They are told nothing more, and what is known of each is forgotten; which of these there were."""
        run = self._hand.connection.execute
        gone = delete(subscriber).where(subscriber.c.address_id.in_(addresses))
        ended = run(gone.returning(subscriber.c.address_id)).scalars().all()
        own = literal("erased~").concat(cast(address.c.id, Text))
        emptied = {"value": own, "hash": b"", "commitment_key": None}
        run(update(address).where(address.c.id.in_(ended), address.c.kind == _PUSH.value).values(emptied))
        return sorted(ended)


def subscribers_of(hand: Hand, announcement: Announcement, channel: str, account: int) -> Select[Any] | None:
    """SELECT address_id: the subscribers of one account whom an announcement is for; None where it is for none.

    Of groups that are told whole, and never of what staff alone are told. What is for those whom others told, or for
    all but them, goes by what left for each subscriber.
    """
    if announcement.people is People.STAFF:
        return None
    everyone, names = _told_whole(hand, announcement.audience)
    if not everyone and not names:
        return None
    query = (
        select(subscriber.c.address_id)
        .join(private_link, private_link.c.id == subscriber.c.link_id)
        .join(people_group, people_group.c.id == private_link.c.group_id)
        .where(subscriber.c.account_id == account, private_link.c.revoked_at.is_(None), people_group.c.active)
        .where(true() if everyone else people_group.c.folded_name.in_(names))
    )
    earlier = earlier_of(hand, announcement.id)
    if earlier.again:
        return query.where(_was_told(channel, earlier.again))
    return query.where(~_was_told(channel, earlier.but)) if earlier.but else query


def _told_whole(hand: Hand, audience: str) -> tuple[bool, frozenset[str]]:
    """The groups as they are named, and those that they are made of."""
    written = parse(audience)
    try:
        apart = expand(written, Groups(hand).made_of())
    except RuleBroken:  # a group has gone: it waits for that
        apart = written
    sides = [told_whole(written), told_whole(apart)]
    return any(everyone for everyone, _ in sides), sides[0][1] | sides[1][1]


def _was_told(channel: str, announcements: Collection[int]) -> Any:
    d = delivery.c
    told = select(d.id).where(d.announcement_id.in_(announcements), d.channel == channel, d.state.in_(LEFT))
    return told.where(d.address_id == subscriber.c.address_id).exists()
