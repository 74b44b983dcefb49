"""What came back, which addresses get nothing more for it, and how far mailboxes are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, insert, select, text, update

from broker.delivery import REACHED, State
from broker.incoming.bouncing import Aside, Bounce, BounceKind, KnownTry
from ledger import tables as t
from ledger.hand import Hand
from ledger.tables.deliveries import FAILED_STATES

_REACHED = [state.value for state in REACHED]


class Bounces:
    """See broker.ports.Bounces."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def tries(self, attempts: Sequence[int]) -> Mapping[int, KnownTry]:
        """What each attempt was a try of; an unknown one is left out."""
        query = (
            select(
                t.attempt.c.id,
                t.delivery.c.id.label("delivery"),
                t.delivery.c.channel,
                t.delivery.c.address_id,
                t.account.c.name,
            )
            .join(t.delivery, t.delivery.c.id == t.attempt.c.delivery_id)
            .join(t.account, t.account.c.id == t.delivery.c.account_id)
            .where(t.attempt.c.id.in_(sorted(attempts)))
        )
        rows = self._hand.connection.execute(query)
        return {r.id: KnownTry(r.id, r.delivery, r.channel, r.name, r.address_id) for r in rows}

    def add(self, bounce: Bounce, of: KnownTry) -> bool:
        """Keep what a report said; False when it was read before."""
        run = self._hand.connection.execute
        same = (t.bounce.c.key == bounce.key, t.bounce.c.attempt_id == bounce.attempt)
        if run(select(t.bounce.c.id).where(*same)).first() is not None:
            return False
        row = {
            "key": bounce.key,
            "attempt_id": bounce.attempt,
            "delivery_id": of.delivery,
            "address_id": of.address_id,
            "channel": of.channel,
            "kind": bounce.kind.value,
            "code": bounce.code,
            "at": self._hand.now,
        }
        run(insert(t.bounce).values(row))
        return True

    def soft_since(self, of: KnownTry, *, within: timedelta) -> int:
        """How many deliveries to this address have come back lately, since it was last confirmed."""
        query = select(func.count(t.bounce.c.delivery_id.distinct())).where(
            t.bounce.c.address_id == of.address_id,
            t.bounce.c.channel == of.channel,
            t.bounce.c.kind != BounceKind.DELAYED.value,
            t.bounce.c.at > self._hand.now - within,
            t.address.c.id == t.bounce.c.address_id,
            t.bounce.c.at > t.address.c.confirmed_at,
        )
        return int(self._hand.connection.execute(query).scalar_one())

    def mark(self, address: int, channel: str, *, code: str) -> bool:
        """Nothing more goes to this address on this channel; False when it was so already."""
        run = self._hand.connection.execute
        hashed = run(select(t.address.c.hash).where(t.address.c.id == address)).scalar_one_or_none()
        if hashed is None:  # erased meanwhile
            return False
        known = select(t.bounced.c.code).where(t.bounced.c.hash == hashed, t.bounced.c.channel == channel)
        if run(known).first() is not None:
            return False
        run(insert(t.bounced).values(hash=hashed, channel=channel, code=code[:16], at=self._hand.now))
        return True

    def clear(self, address: int) -> int:
        """Somebody says that it is right: let it be tried again; returns on how many channels."""
        hashed = select(t.address.c.hash).where(t.address.c.id == address).scalar_subquery()
        return self._hand.connection.execute(delete(t.bounced).where(t.bounced.c.hash == hashed)).rowcount

    def failing(self, *, since: datetime, within: timedelta, times: int) -> Sequence[tuple[int, str, str]]:
        """(address, channel, code) where so many in a row were refused for good, the last of them since then."""
        run, d = self._hand.connection.execute, t.delivery
        refused = (
            # As the partial index has it, or SQLite does not see that it would do.
            text(f"delivery.{FAILED_STATES}"),
            d.c.state == State.REJECTED.value,
            d.c.changed_at > self._hand.now - within,
        )
        often = (
            select(d.c.address_id)
            .join(t.address, t.address.c.id == d.c.address_id)
            .where(*refused, d.c.changed_at > t.address.c.confirmed_at, ~_is_marked())
            .group_by(d.c.address_id, d.c.channel)
            .having(func.count() >= times, func.max(d.c.changed_at) > since)
        )
        failing = sorted(set(run(often).scalars()))
        if not failing:
            return []
        # One walk for all of them: an address has no index in a table of millions.
        theirs, ids = (
            text(self._hand.dialect.any_of("address_id", "these")),
            {"these": self._hand.dialect.ids(failing)},
        )
        key = (d.c.address_id, d.c.channel)
        arrived = select(*key, func.max(d.c.id)).where(theirs, d.c.state.in_(_REACHED)).group_by(*key)
        last = {(address, channel): newest for address, channel, newest in run(arrived, ids)}
        counted: dict[tuple[int, str], list[str]] = {}
        for address, channel, delivery, code in run(
            select(*key, d.c.id, d.c.code).where(theirs, *refused).order_by(d.c.id), ids
        ):
            if delivery > last.get((address, channel), 0):
                counted.setdefault((address, channel), []).append(code)
        return [(*which, codes[-1]) for which, codes in counted.items() if len(codes) >= times]

    def take_turn(self, mailbox: str, *, every: timedelta) -> str | None:
        """How far it has been read, for whoever is the first to ask in this while; None for others."""
        run, now = self._hand.connection.execute, self._hand.now
        known = run(select(t.mailbox.c.position).where(t.mailbox.c.name == mailbox)).scalar_one_or_none()
        if known is None:
            run(insert(t.mailbox).values(name=mailbox, position="", read_at=now))
            return ""
        mine = update(t.mailbox).where(t.mailbox.c.name == mailbox, t.mailbox.c.read_at <= now - every)
        return str(known) if run(mine.values(read_at=now)).rowcount else None

    def read_to(self, mailbox: str, position: str) -> None:
        """Keep how far it has been read."""
        self._hand.connection.execute(
            update(t.mailbox).where(t.mailbox.c.name == mailbox).values(position=position)
        )

    def set_aside(self, mailbox: str, key: str, *, place: str, fault: str) -> bool:
        """A mail cannot be taken in and stays where it lies; False when that was known."""
        run, mail = self._hand.connection.execute, t.mail_aside.c
        known = select(mail.id).where(mail.mailbox == mailbox, mail.key == key)
        if run(known).first() is not None:
            return False
        row = {"mailbox": mailbox, "key": key, "place": place, "fault": fault, "at": self._hand.now}
        run(insert(t.mail_aside).values(row))
        return True

    def aside(self) -> Sequence[Aside]:
        """Mails that could not be taken in, the oldest first."""
        rows = self._hand.connection.execute(select(t.mail_aside).order_by(t.mail_aside.c.id))
        return [Aside(row.id, row.mailbox, row.place, row.fault, row.at) for row in rows]

    def not_aside(self, mailbox: str, key: str) -> bool:
        """It could be taken in after all; False when it was not set aside."""
        mail = t.mail_aside.c
        gone = delete(t.mail_aside).where(mail.mailbox == mailbox, mail.key == key)
        return self._hand.connection.execute(gone).rowcount > 0

    def settle_aside(self, number: int) -> str | None:
        """Somebody has dealt with it; its mailbox, None when there is no such mail."""
        gone = delete(t.mail_aside).where(t.mail_aside.c.id == number).returning(t.mail_aside.c.mailbox)
        return self._hand.connection.execute(gone).scalar_one_or_none()


def _is_marked() -> ColumnElement[Any]:
    return exists().where(t.bounced.c.hash == t.address.c.hash, t.bounced.c.channel == t.delivery.c.channel)
