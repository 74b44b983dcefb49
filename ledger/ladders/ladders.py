"""Ladders and the rungs of duties: facts for the law, and what a climb plans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, func, insert, or_, select, text, update

from broker.announcement import Announcement
from broker.delivery import REACHED, State
from broker.ladders.ladder import Climb, Ladder, Need, Opening, Standing
from broker.ports.ladders import LinkTold, RungWay
from ledger import tables as t
from ledger.hand import Hand
from ledger.ladders.planning import plan_rung
from ledger.ladders.seen import Seen
from ledger.reads import duties

_COVERING = and_(t.delivery.c.id == t.delivery_covers.c.delivery_id, t.delivery.c.address_id.is_not(None))


class Ladders(Seen):
    """See broker.ports.ladders.Ladders."""

    def add(self, announcement: Announcement, ladder: Ladder) -> None:
        """Keep the ladder of an announcement just stored, its openings as instants."""
        run = self._hand.connection.execute
        first = {"announcement_id": announcement.id, "seen": ladder.asks, "look_at": announcement.due_at}
        run(insert(t.ladder).values(first))
        rows = [
            {
                "announcement_id": announcement.id,
                "step": step,
                "opens_at": opening.by(announcement.due_at),
                "unless": opening.unless.value,
            }
            for step, opening in enumerate(ladder.openings, start=1)
        ]
        if rows:
            run(insert(t.ladder_step), rows)

    def of(self, announcement: int) -> Ladder | None:
        """The ladder of an announcement, its openings as instants; None for one without."""
        run = self._hand.connection.execute
        asked = select(t.ladder.c.seen).where(t.ladder.c.announcement_id == announcement)
        seen = run(asked).scalar_one_or_none()
        if seen is None:
            return None
        steps = run(
            select(t.ladder_step)
            .where(t.ladder_step.c.announcement_id == announcement)
            .order_by(t.ladder_step.c.step)
        )
        return Ladder(tuple(Opening(row.opens_at, Need(row.unless)) for row in steps), seen)

    def due(self, *, limit: int) -> Sequence[UUID]:
        """Announcements whose ladder is to be looked at now; reads only."""
        waiting = (
            select(t.announcement.c.public_id)
            .join(t.ladder, t.ladder.c.announcement_id == t.announcement.c.id)
            .where(
                t.ladder.c.ended_at.is_(None),
                t.ladder.c.look_at <= self._hand.now,
                or_(
                    t.announcement.c.fanned_out_at.is_not(None),
                    t.announcement.c.withdrawn_at.is_not(None),
                    t.announcement.c.expires_at <= self._hand.now,
                ),
            )
            .order_by(t.ladder.c.look_at)
            .limit(limit)
        )
        return list(self._hand.connection.execute(waiting).scalars())

    def is_over(self, announcement: Announcement) -> bool:
        """Whether it is withdrawn, corrected or expired."""
        return duties.is_over(self._hand, announcement)

    def standing(
        self, announcement: Announcement, ladder: Ladder, *, after: int, limit: int
    ) -> tuple[Sequence[Standing], int | None]:
        """The next duties that may still climb, in the order of ids; and after which to go on, None at the end."""
        page = (
            select(t.duty.c.id)
            .where(
                t.duty.c.announcement_id == announcement.id,
                t.duty.c.id > after,
                t.duty.c.acknowledged_at.is_(None),
                ~exists().where(t.rung.c.duty_id == t.duty.c.id, t.rung.c.sheet),
            )
            .order_by(t.duty.c.id)
            .limit(limit)
        )
        ids = list(self._hand.connection.execute(page).scalars())
        if not ids:
            return [], None
        rows = self._hand.connection.execute(
            _facts(self._hand, announcement), {"duties": self._hand.dialect.ids(ids)}
        )
        found = [
            Standing(
                duty=row.duty_id,
                step=row.step,
                covered=bool(row.covered),
                reached=bool(row.reached),
                delivered=bool(row.delivered),
                under_way=bool(row.under_way),
                looking=bool(row.looking),
                doubtful=bool(row.doubtful),
                opened_at=row.opened_at,
                again_at=row.again_at,
            )
            for row in rows
        ]
        return found, ids[-1] if len(ids) == limit else None

    def open(
        self,
        announcement: Announcement,
        climbs: Mapping[int, Climb],
        ways: Iterable[RungWay],
        *,
        sheet: int,
    ) -> int:
        """Put duties on their new rungs, and plan what tells of them; returns how many deliveries were added."""
        rows = [
            {
                "duty_id": duty,
                "step": climb.step,
                "sheet": climb.step == sheet,
                "code": climb.why.value,
                "opened_at": self._hand.now,
            }
            for duty, climb in climbs.items()
        ]
        self._hand.connection.execute(insert(t.rung), rows)
        said = self.have_said(climbs)
        added = 0
        for way in ways:
            wanted = [duty for duty, climb in climbs.items() if climb.step == way.step]
            added += plan_rung(self._hand, announcement, way, wanted, said) if wanted else 0
        return added

    def looked(self, announcement: int, *, look_at: datetime, resting: bool) -> None:
        """When to look again, and whether every duty rests until something happens to it."""
        self._change(announcement, look_at=look_at, resting=resting)

    def end(self, announcement: int) -> None:
        """Nothing climbs here any more."""
        self._change(announcement, ended_at=self._hand.now, resting=True)

    def by_delivery(self, delivery: int) -> LinkTold | None:
        """What the link in a delivery's message is about; None where it tells of nobody any more."""
        found = self._told_by(delivery)
        if found is None:
            return None
        announcement, address, told = found
        of_them = self._said_by(told, address)
        waiting = self._open(told)
        over = duties.is_over(self._hand, announcement)
        return LinkTold(announcement, address, told, of_them, waiting, over)

    def _change(self, announcement: int, **values: Any) -> None:
        which = update(t.ladder).where(t.ladder.c.announcement_id == announcement)
        self._hand.connection.execute(which.values(**values))


def _facts(hand: Hand, announcement: Announcement) -> Any:
    """SELECT the facts of the duties in the parameter `duties`, over all steps so far; on which rung each stands."""
    wanted = text(hand.dialect.any_of("duty.id", "duties"))
    of_rung = text(hand.dialect.any_of("rung.duty_id", "duties"))
    highest = (
        select(
            t.rung.c.duty_id,
            func.max(t.rung.c.step).label("step"),
            func.max(t.rung.c.opened_at).label("opened_at"),
        )
        .where(of_rung)
        .group_by(t.rung.c.duty_id)
        .subquery("highest")
    )
    step = func.coalesce(highest.c.step, 0)
    state, look = t.delivery.c.state, t.delivery.c.lookup_at
    uncertain = state == State.UNCERTAIN.value
    again = t.delivery.c.announcement_id != announcement.id
    return (
        select(
            t.duty.c.id.label("duty_id"),
            step.label("step"),
            highest.c.opened_at,
            _any(_step_of(announcement) == step).label("covered"),
            _any(state.in_([each.value for each in REACHED])).label("reached"),
            _any(state == State.DELIVERED.value).label("delivered"),
            _any(state.in_((State.QUEUED.value, State.SENDING.value))).label("under_way"),
            _any(and_(uncertain, look.is_not(None))).label("looking"),
            _any(and_(uncertain, look.is_(None))).label("doubtful"),
            func.max(case((again, t.delivery.c.created_at))).label("again_at"),
        )
        .select_from(t.duty)
        .outerjoin(highest, highest.c.duty_id == t.duty.c.id)
        .outerjoin(
            t.delivery_covers, and_(t.delivery_covers.c.duty_id == t.duty.c.id, ~t.delivery_covers.c.dropped)
        )
        .outerjoin(t.delivery, _COVERING)
        .where(wanted)
        .group_by(t.duty.c.id, highest.c.step, highest.c.opened_at)
        .order_by(t.duty.c.id)
    )


def _step_of(announcement: Announcement) -> ColumnElement[int]:
    """The step that a delivery's channel stands in."""
    steps = [(t.delivery.c.channel.in_(step.channels), place) for place, step in enumerate(announcement.ways)]
    return case(*steps, else_=-1)


def _any(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.max(case((condition, 1), else_=0))
