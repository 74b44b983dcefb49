"""Fan-out: from an audience to duties, deliveries and covers, by INSERT … SELECT.

Partitioned by address: one transaction plans every delivery in a range of addresses together with all that each
covers, so that a claim never sees half a family. A cursor per channel lets a planner that died go on. Nothing is asked
to look for a conflict row by row, which would be a third of the cost: the announcement is locked, so nobody else plans
it, and what is there already is left out as a set. The unique indexes stand behind that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

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
    union,
    update,
)
from sqlalchemy import Sequence as DrawnFrom

from broker.address import AddressKind
from broker.announcement import RIGHT_TEXT, Announcement, FollowUp, People, Urgency
from broker.audience import Audience
from broker.delivery import State
from broker.values import AccountRow, Lane, PlanProgress
from ledger import tables as t
from ledger.audience import addresses_for, members, why_unreached
from ledger.deliveries import Deliveries
from ledger.diary.timetables import readers
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

_COVER = ("delivery_id", "duty_id")


@dataclass(frozen=True, slots=True)
class _Span:
    """The addresses of one partition: above `low`, up to `high`, which for a small audience is None: all of them."""

    low: int
    high: int | None

    def holds(self, column: ColumnElement[int]) -> ColumnElement[bool]:
        """Whether a column is within."""
        above = column > self.low
        return above if self.high is None else and_(above, column <= self.high)


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
            span, told = _Span(0, None), addresses_told(announcement.id, channel, again)
        elif people <= size:
            span, told = _Span(0, None), self._told_few(announcement, kind, people)
        elif high := self._end_of_partition(kind, low, size):
            span = _Span(low, high)
            told = self._told_within(announcement, kind, span)
        else:
            self._advance(announcement, channel, low, done=True)
            return PlanProgress(0, 0, done=True)
        deliveries, covers = self._write(announcement, channel, account, span, told, before)
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
            span = _Span(low, page[-1])
            told = meant.where(span.holds(t.subscriber.c.address_id)).subquery("told")  # type: ignore[union-attr]
            known = self._known([announcement.id, *before], channel, span, told)
            values = delivery_values(announcement, channel, account, told.c.address_id, self._hand)
            chosen = select(*values.values()).where(~known).order_by(told.c.address_id)
            added = self._run(insert(t.delivery).from_select(list(values), chosen))
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
        known = self._known([announcement.id], channel, _Span(-1, 0), public)
        values = delivery_values(announcement, channel, account, public.c.address_id, self._hand)
        if version is not None:
            values["content_version"] = literal(version)
        chosen = select(*values.values()).where(~known)
        added = self._run(insert(t.delivery).from_select(list(values), chosen))
        self._advance(announcement, channel, 0, done=True)
        Deliveries(self._hand).tally([(announcement.id, channel, State.QUEUED, added)])
        return PlanProgress(added, 0, done=True)

    def cover(self, announcement: Announcement, channel: str, kind: AddressKind) -> None:
        """Have deliveries that are there cover also whom they do not yet, and whom their addresses speak for today."""
        told = self._told_few(announcement, kind, self._count_duties(announcement))
        self._hand.connection.execute(
            insert(t.delivery_covers).from_select(_COVER, _uncovered(announcement, channel, told))
        )

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

    def _told_within(self, announcement: Announcement, kind: AddressKind, span: _Span) -> FromClause:
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

    def _write(
        self,
        announcement: Announcement,
        channel: str,
        account: AccountRow,
        span: _Span,
        told: FromClause,
        before: Collection[int],
    ) -> tuple[int, int]:
        """Insert a delivery for each address told of that has none yet, and what it covers; how many of both."""
        known = self._known([announcement.id, *before], channel, span, told)
        if self._hand.dialect.changes_together:
            return self._write_together(announcement, channel, account, select(told).where(~known))
        values = delivery_values(announcement, channel, account, told.c.address_id, self._hand)
        chosen = select(*values.values()).where(~known).group_by(told.c.address_id)
        added = self._run(insert(t.delivery).from_select(list(values), chosen.order_by(told.c.address_id)))
        return added, self._run(
            insert(t.delivery_covers).from_select(_COVER, _uncovered(announcement, channel, told))
        )

    def _write_together(
        self, announcement: Announcement, channel: str, account: AccountRow, told: Select[Any]
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
        each = self._hand.dialect.apart(rows, "each").c
        values = delivery_values(announcement, channel, account, each.address_id, self._hand)
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
        added, covered = self._hand.connection.execute(select(*counts)).one()
        return added, covered

    def _known(
        self, announcements: Collection[int], channel: str, span: _Span, told: FromClause
    ) -> ColumnElement[bool]:
        """Whether an address has its delivery already, of any of these."""
        d = t.delivery.c
        return exists().where(
            d.announcement_id.in_(announcements),
            d.channel == channel,
            span.holds(_address(d.address_id)),
            _address(d.address_id) == _address(told.c.address_id),
        )

    def _run(self, statement: Insert) -> int:
        # SQLAlchemy keeps the count of an INSERT only when asked to.
        counted = statement.execution_options(preserve_rowcount=True)
        return self._hand.connection.execute(counted).rowcount

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
