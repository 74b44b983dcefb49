"""What has had its time, taken away in chunks: each a short transaction, and a job that died goes on where it was.

What is held for the law stays, and so does what is still under way.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    and_,
    delete,
    exists,
    insert,
    not_,
    or_,
    select,
    true,
    update,
)

from broker.delivery import State
from broker.ports.office import PersonRow
from broker.ports.privacy import Pruned
from broker.rules.keeping import Kept
from ledger import tables as t
from ledger.erased import erased_mark, is_erased
from ledger.hand import Hand
from ledger.office.families import person_row
from ledger.privacy import holds
from ledger.privacy.registry import REGISTRY

_ABANDONED = timedelta(days=30)  # after its expiry nothing can be under way, whatever its state says
_OF_MESSAGES = ("delivery_covers", "attempt", "retraction")  # rows by a delivery's number


class Prunings:
    """See broker.ports.Prunings."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def night(self, day: date, *, lease: timedelta) -> bool:
        """Take this night's work: the first who asks, and whoever comes after a lease that ran out."""
        run, now, night = self._hand.connection.execute, self._hand.now, t.night
        row = run(select(night).where(night.c.day == day).with_for_update()).one_or_none()
        until = now + lease
        if row is None:
            run(insert(night).values(day=day, began_at=now, lease_until=until))
            return True
        if row.ended_at is not None or row.lease_until > now:
            return False
        run(update(night).where(night.c.day == day).values(lease_until=until))
        return True

    def night_done(self, day: date, done: Mapping[str, int], *, ended: bool) -> None:
        """Add to what this night came to."""
        run, night = self._hand.connection.execute, t.night
        known: Counter[str] = Counter(
            json.loads(run(select(night.c.done).where(night.c.day == day)).scalar_one())
        )
        known.update(done)
        values = {"done": json.dumps(known), "lease_until": self._hand.now}
        if ended:
            values["ended_at"] = self._hand.now
        run(update(night).where(night.c.day == day).values(values))

    def last_night(self) -> tuple[date, datetime | None, Mapping[str, int]] | None:
        """The newest night."""
        newest = select(t.night).order_by(t.night.c.day.desc()).limit(1)
        row = self._hand.connection.execute(newest).one_or_none()
        return (row.day, row.ended_at, json.loads(row.done)) if row else None

    def content(self, before: datetime, *, limit: int) -> Pruned:
        """Wordings and files, an announcement's all at once."""
        run, content, link = self._hand.connection.execute, t.content, t.content_attachment
        has = or_(
            exists().where(content.c.announcement_id == t.announcement.c.id),
            exists().where(link.c.announcement_id == t.announcement.c.id),
        )
        ids = self._over(before, and_(has, not_(holds.told_somebody(self._hand, t.announcement.c.id))), limit)
        if not ids:
            return Pruned(self._files(), more=False)
        gone = run(delete(content).where(content.c.announcement_id.in_(ids))).rowcount
        gone += run(delete(link).where(link.c.announcement_id.in_(ids))).rowcount
        return Pruned(gone, more=True)

    def messages(self, before: datetime, *, limit: int) -> Pruned:
        """Who was told what; deliveries first, and when an announcement has none left its duties."""
        run, now = self._hand.connection.execute, self._hand.now
        has = or_(
            exists().where(t.delivery.c.announcement_id == t.announcement.c.id, self._may_go(now)),
            exists().where(t.duty.c.announcement_id == t.announcement.c.id, self._of_nobody_held()),
        )
        first = self._over(before, has, 1)
        if not first:
            return Pruned(0, more=False)
        deliveries = run(
            select(t.delivery.c.id)
            .where(t.delivery.c.announcement_id == first[0], self._may_go(now))
            .order_by(t.delivery.c.id)
            .limit(limit)
        ).scalars()
        if ids := list(deliveries):
            return Pruned(self._drop_deliveries(ids), more=True, announcement=first[0], runs=_runs(ids))
        duties = (
            select(t.duty.c.id)
            .where(t.duty.c.announcement_id == first[0], self._of_nobody_held())
            .order_by(t.duty.c.id)
            .limit(limit)
        )
        ids = list(run(duties).scalars())
        for table in (t.rung, t.acknowledgement):
            run(delete(table).where(table.c.duty_id.in_(ids)))
        gone = run(delete(t.duty).where(t.duty.c.id.in_(ids))).rowcount
        return Pruned(gone, more=True)

    def leavers_addresses(self, before: datetime, *, limit: int) -> Pruned:
        """Of those who left only keyed hashes stay, until they are erased: a stop and an answer are found by them.

        An address that nobody holds goes whole; while anything is held for the law it stays.
        """
        here = self._held_by(or_(t.person.c.active, t.person.c.changed_at >= before))
        kept = exists().where(
            t.person_address.c.address_id == t.address.c.id,
            t.legal_hold.c.person_id == t.person_address.c.person_id,
            t.legal_hold.c.lifted_at.is_(None),
        )
        left = self._empty(and_(self._held_by(true()), not_(here), not_(kept)), limit)
        # Of a group that is gone nobody is told anything any more.
        subscribed = exists().where(
            t.subscriber.c.address_id == t.address.c.id,
            t.private_link.c.id == t.subscriber.c.link_id,
            t.people_group.c.id == t.private_link.c.group_id,
            t.people_group.c.active,
        )
        orphans = and_(t.address.c.confirmed_at < before, not_(self._held_by(true())), not_(subscribed))
        # Nobody can tell whether one was a held person's before.
        nobodys = 0 if holds.any_stands(self._hand) else self._empty(orphans, limit, hash=b"")
        return Pruned(left + nobodys, more=limit in (left, nobodys))

    def leavers(self, before: datetime, *, after: int, limit: int) -> Sequence[PersonRow]:
        """Who left before, and is there by name still."""
        query = (
            select(t.person)
            .where(
                t.person.c.id > after,
                not_(t.person.c.active),
                t.person.c.changed_at < before,
                ~is_erased(t.person.c.source_id),
                self._not_held(t.person.c.id),
            )
            .order_by(t.person.c.id)
            .limit(limit)
        )
        return [person_row(row) for row in self._hand.connection.execute(query)]

    def aged(self, kept: str, before: datetime, *, limit: int) -> Mapping[str, Pruned]:
        """Rows of every table that is kept so, by its own age."""
        went: dict[str, Pruned] = {}
        for name, held in REGISTRY.items():
            if held.kept != kept or held.aged is None:
                continue
            table = t.metadata.tables[name]
            keys = list(table.primary_key)
            of_age = table.c[held.aged].is_not(None) & (table.c[held.aged] < before)
            stays = holds.of_somebody(table, held)
            if held.kept is Kept.CONTENT and "announcement_id" in table.c:
                stays = or_(stays, holds.told_somebody(self._hand, table.c.announcement_id))
            chosen = select(*keys).where(of_age, not_(stays)).limit(limit)
            if len(keys) != 1:
                raise AssertionError(f"{name} goes by its age and has more than one key")
            gone = self._hand.connection.execute(delete(table).where(keys[0].in_(chosen))).rowcount
            went[name] = Pruned(gone, more=gone == limit)
        return went

    # ---

    def _over(self, before: datetime, has: ColumnElement[bool], limit: int) -> list[int]:
        """Announcements that expired before, have something of the kind still, and are not held."""
        query = (
            select(t.announcement.c.id)
            .where(
                t.announcement.c.expires_at < before, has, not_(holds.of_announcement(t.announcement.c.id))
            )
            .order_by(t.announcement.c.id)
            .limit(limit)
        )
        return list(self._hand.connection.execute(query).scalars())

    def _not_held(self, person: ColumnElement[int]) -> ColumnElement[bool]:
        return not_(exists().where(t.legal_hold.c.lifted_at.is_(None), t.legal_hold.c.person_id == person))

    def _of_nobody_held(self) -> ColumnElement[bool]:
        return self._not_held(t.duty.c.person_id)

    def _may_go(self, now: datetime) -> ColumnElement[bool]:
        """A delivery about nobody who is held, to no address that is or may have been theirs, and not under way."""
        d = t.delivery.c
        under_way = and_(
            or_(
                d.state.in_([State.QUEUED.value, State.SENDING.value]),
                and_(d.state == State.UNCERTAIN.value, d.lookup_at.is_not(None)),
            ),
            d.expires_at > now - _ABANDONED,
        )
        about = exists().where(
            t.delivery_covers.c.delivery_id == d.id,
            t.duty.c.id == t.delivery_covers.c.duty_id,
            t.legal_hold.c.person_id == t.duty.c.person_id,
            t.legal_hold.c.lifted_at.is_(None),
        )
        to = exists().where(
            t.person_address.c.address_id == d.address_id,
            t.legal_hold.c.person_id == t.person_address.c.person_id,
            t.legal_hold.c.lifted_at.is_(None),
        )
        return and_(
            not_(under_way), not_(about), not_(to), not_(holds.of_nobody(t.address.c.id == d.address_id))
        )

    def _drop_deliveries(self, ids: Sequence[int]) -> int:
        hand, bound = self._hand, self._hand.dialect.ids(ids)
        for table in _OF_MESSAGES:
            hand.run(f"DELETE FROM {table} WHERE {hand.dialect.any_of('delivery_id', 'ids')}", ids=bound)
        hand.run(f"DELETE FROM delivery WHERE {hand.dialect.any_of('id', 'ids')}", ids=bound)
        return len(ids)

    def _files(self) -> int:
        """Files that go with no announcement any more, nor with a template."""
        used = (
            exists().where(each.c.sha256 == t.attachment.c.sha256)
            for each in (t.content_attachment, t.template_attachment, t.schedule_attachment)
        )
        return self._hand.connection.execute(delete(t.attachment).where(not_(or_(*used)))).rowcount

    def _held_by(self, which: ColumnElement[bool]) -> ColumnElement[bool]:
        return exists().where(
            t.person_address.c.address_id == t.address.c.id,
            t.person.c.id == t.person_address.c.person_id,
            which,
        )

    def _empty(self, which: ColumnElement[bool], limit: int, **more: bytes) -> int:
        chosen = (
            select(t.address.c.id)
            .where(~is_erased(t.address.c.value), which)
            .order_by(t.address.c.id)
            .limit(limit)
        )
        ids = list(self._hand.connection.execute(chosen).scalars())
        self._hand.connection.execute(
            update(t.address)
            .where(t.address.c.id.in_(ids))
            .values(value=erased_mark(t.address.c.id), commitment_key=None, **more)
        )
        return len(ids)


def _runs(numbers: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """The first and last of each run without a gap, in numbers that rise."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return tuple(runs)
