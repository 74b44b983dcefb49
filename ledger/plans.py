"""Fan-out: from an audience to duties, deliveries and covers, by INSERT … SELECT.

Partitioned by address: one transaction plans every delivery in a range of addresses together with all that each
covers, so that a claim never sees half a family. A cursor per channel lets a planner that died go on. Nothing is asked
to look for a conflict row by row, which would be a third of the cost: the announcement is locked, so nobody else plans
it, and what is there already is left out as a set. The unique indexes stand behind that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    FromClause,
    Select,
    exists,
    func,
    insert,
    literal,
    literal_column,
    select,
    union,
    update,
)

from broker.address import AddressKind
from broker.announcement import Announcement, People
from broker.audience import Audience
from broker.delivery import State
from broker.values import AccountRow, PlanProgress
from ledger import tables as t
from ledger.audience import addresses_for, members, why_unreached
from ledger.deliveries import Deliveries
from ledger.diary.timetables import readers
from ledger.fresh_deliveries import Span, add_with_covers, cover, delivery_values, has_one, run_counted
from ledger.hand import Hand
from ledger.office.subscribers import subscribers_of
from ledger.told_before import (
    Earlier,
    addresses_told,
    earlier_of,
    public_told,
    selected,
    told_by,
    with_follow_ups,
)


class Plans:
    """See broker.ports.Plans."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def add_duties(self, announcement: Announcement, audience: Audience, today: date) -> int:
        """Write the duties that are not there yet; returns how many the announcement has."""
        told = self._meant(announcement, audience, today).subquery("told")
        known = exists().where(
            t.duty.c.announcement_id == announcement.id, t.duty.c.person_id == told.c.person_id
        )
        chosen = select(literal(announcement.id, t.Id), told.c.person_id).where(~known)
        self._hand.connection.execute(
            insert(t.duty).from_select(["announcement_id", "person_id"], chosen.order_by(told.c.person_id))
        )
        return self._count_duties(announcement)

    def count_told(self, announcements: Sequence[UUID]) -> int:
        """How many people these have told, or may have."""
        return self._count(told_by(self._numbers(announcements)))

    def count_untold(
        self, audience: Audience, people: People, today: date, announcements: Sequence[UUID]
    ) -> int:
        """How many of an audience these have not told."""
        earlier = Earlier((), self._numbers(announcements))
        return self._count(selected(members(audience, people, today), earlier))

    def _numbers(self, announcements: Sequence[UUID]) -> Sequence[int]:
        query = select(t.announcement.c.id).where(t.announcement.c.public_id.in_(announcements))
        return with_follow_ups(self._hand, self._hand.connection.execute(query).scalars().all())

    def _count(self, chosen: Select[Any]) -> int:
        told = chosen.subquery("told")
        counted = select(func.count(func.distinct(told.c.person_id)))
        return int(self._hand.connection.execute(counted).scalar_one())

    def count_meant(self, announcement: Announcement, audience: Audience, today: date) -> int:
        """How many a duty would be about, without those who only read it too."""
        return self._count(self._whom(announcement, audience, today))

    def add_partition(
        self,
        announcement: Announcement,
        channel: str,
        account: AccountRow,
        kind: AddressKind,
        *,
        size: int,
        before: Collection[int] = (),
    ) -> PlanProgress:
        """Plan the next `size` addresses of one channel; of a small audience, all.

        What these announcements `before` it have a delivery for is left out: its thread decides about it.
        """
        low, done = self._cursor(announcement, channel)
        if done:
            return PlanProgress(0, 0, done=True)
        if not kind.of_people:
            return self._add_subscribers(announcement, channel, account, low, size, before)
        again = earlier_of(self._hand, announcement.id).again if low == 0 else ()
        people = self._count_duties(announcement, most=size + 1) if low == 0 else size + 1
        if again:  # whoever was told at an address is told there, whatever else there is now
            span, told = Span(0, None), addresses_told(announcement.id, channel, again)
        elif people <= size:
            span, told = Span(0, None), self._told_few(announcement, kind, people)
        elif high := self._end_of_partition(kind, low, size):
            span = Span(low, high)
            told = self._told_within(announcement, kind, span)
        else:
            self._advance(announcement, channel, low, done=True)
            return PlanProgress(0, 0, done=True)
        planned = has_one([announcement.id, *before], channel, span, told)
        deliveries, covers = add_with_covers(self._hand, announcement, channel, account, told, planned)
        self._advance(announcement, channel, span.high or low, done=span.high is None)
        queued = (announcement.id, channel, State.QUEUED, deliveries)
        Deliveries(self._hand).tally([queued] if deliveries else [])
        return PlanProgress(deliveries, covers, done=span.high is None)

    def _add_subscribers(
        self,
        announcement: Announcement,
        channel: str,
        account: AccountRow,
        low: int,
        size: int,
        before: Collection[int],
    ) -> PlanProgress:
        """Plan the next of those who subscribed: nobody knows who they are, so that what goes there covers nobody."""
        meant = subscribers_of(self._hand, announcement, channel, account.id)
        page = [] if meant is None else self._page(meant, low, size)
        added = 0
        if page:
            span = Span(low, page[-1])
            told = meant.where(span.holds(t.subscriber.c.address_id)).subquery("told")  # type: ignore[union-attr]
            planned = has_one([announcement.id, *before], channel, span, told)
            values = delivery_values(announcement, channel, account, told.c.address_id, self._hand)
            chosen = select(*values.values()).where(~planned).order_by(told.c.address_id)
            added = run_counted(self._hand, insert(t.delivery).from_select(list(values), chosen))
            Deliveries(self._hand).tally([(announcement.id, channel, State.QUEUED, added)])
        done = len(page) < size
        self._advance(announcement, channel, page[-1] if page else low, done=done)
        return PlanProgress(added, 0, done=done)

    def _page(self, meant: Select[Any], low: int, size: int) -> Sequence[int]:
        following = meant.where(t.subscriber.c.address_id > low).order_by(t.subscriber.c.address_id)
        return self._hand.connection.execute(following.limit(size)).scalars().all()

    def add_public(
        self, announcement: Announcement, channel: str, account: AccountRow, *, version: int | None = None
    ) -> PlanProgress:
        """Plan the one delivery of a broadcast channel."""
        _, done = self._cursor(announcement, channel)
        if done:
            return PlanProgress(0, 0, done=True)
        again = earlier_of(self._hand, announcement.id).again
        if again and not public_told(self._hand, channel, again):
            self._advance(announcement, channel, 0, done=True)
            return PlanProgress(0, 0, done=True)
        public = select(literal(None, t.Id).label("address_id")).subquery("public")
        planned = has_one([announcement.id], channel, Span(-1, 0), public)
        values = delivery_values(announcement, channel, account, public.c.address_id, self._hand)
        if version is not None:
            values["content_version"] = literal(version)
        chosen = select(*values.values()).where(~planned)
        added = run_counted(self._hand, insert(t.delivery).from_select(list(values), chosen))
        self._advance(announcement, channel, 0, done=True)
        Deliveries(self._hand).tally([(announcement.id, channel, State.QUEUED, added)])
        return PlanProgress(added, 0, done=True)

    def cover(self, announcement: Announcement, channel: str, kind: AddressKind) -> None:
        """Have deliveries that are there cover also whom they do not yet, and whom their addresses speak for today."""
        told = self._told_few(announcement, kind, self._count_duties(announcement))
        cover(self._hand, announcement, channel, told)

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

    def _meant(self, announcement: Announcement, audience: Audience, today: date) -> Select[Any]:
        """SELECT person_id: whom it is for, and who reads it too."""
        meant = self._whom(announcement, audience, today)
        copied = select(t.announcement_copy.c.person_id).where(
            t.announcement_copy.c.announcement_id == announcement.id
        )
        if self._hand.connection.execute(copied.limit(1)).first() is not None:
            meant = select(union(meant, copied).subquery("meant").c.person_id)
        return meant

    def _whom(self, announcement: Announcement, audience: Audience, today: date) -> Select[Any]:
        """SELECT person_id: its audience, as far as others did not tell them; of a timetable's those with a line."""
        line = t.timetable_line.c
        lines = select(line.id).where(line.announcement_id == announcement.id).limit(1)
        if self._hand.connection.execute(lines).first() is not None:
            return readers(announcement.id)
        earlier = earlier_of(self._hand, announcement.id)
        return selected(members(audience, announcement.people, today), earlier)

    def _told_few(self, announcement: Announcement, kind: AddressKind, people: int) -> FromClause:
        """SELECT address_id, duty_id from the duties on, which the planner is told the number of.

        A partition of addresses costs what lies in it, whoever is told: an urgent text to thirty families would wait
        until the addresses of the whole school have been looked through.
        """
        few = (
            select(t.duty.c.id, t.duty.c.person_id)
            .where(t.duty.c.announcement_id == announcement.id)
            .limit(literal_column(str(people)))
        )
        duty = self._hand.dialect.apart(few, "few")
        reach = addresses_for(announcement.people).subquery("reach")
        rows = (
            select(reach.c.address_id, duty.c.id.label("duty_id"))
            .distinct()
            .select_from(duty)
            .join(reach, reach.c.person_id == duty.c.person_id)
            .where(reach.c.kind == kind.value)
        )
        return self._hand.dialect.apart(rows, "told")

    def _told_within(self, announcement: Announcement, kind: AddressKind, span: Span) -> FromClause:
        """SELECT address_id, duty_id from the addresses of a partition on.

        Who may be reached by them is computed apart, and each one's duty then looked up: left free, PostgreSQL believes
        that the duties written a moment ago are few, and begins with them, or reads them all for every partition.
        """
        reach = addresses_for(announcement.people).subquery("reach")
        within = select(reach.c.person_id, reach.c.address_id).distinct()
        inside = self._hand.dialect.apart(
            within.where(reach.c.kind == kind.value, span.holds(reach.c.address_id)), "inside"
        )
        its = (t.duty.c.announcement_id == announcement.id, t.duty.c.person_id == inside.c.person_id)
        found = select(t.duty.c.id).where(*its).scalar_subquery()
        rows = self._hand.dialect.apart(select(inside.c.address_id, found.label("duty_id")), "found")
        return select(rows).where(rows.c.duty_id.is_not(None)).subquery("told")

    def _count_duties(self, announcement: Announcement, *, most: int | None = None) -> int:
        its = select(t.duty.c.id).where(t.duty.c.announcement_id == announcement.id).limit(most)
        counted = select(func.count()).select_from(its.subquery())
        return int(self._hand.connection.execute(counted).scalar_one())

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
