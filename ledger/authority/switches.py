"""Kill switches of channels, departments and everything; an account's own is its pause."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, insert, or_, select, update

from broker.actor import Actor
from broker.rules.switches import Switch, SwitchKind
from broker.values import StopKind
from ledger import tables as t
from ledger.hand import Hand
from ledger.stops import Stops


class Switches:
    """See broker.ports.Switches."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def off(self) -> Sequence[Switch]:
        """What is switched off, paused accounts among it."""
        run = self._hand.connection.execute
        thrown = run(select(t.switch).where(t.switch.c.on_at.is_(None)).order_by(t.switch.c.id))
        paused = run(
            select(t.account)
            .where(t.account.c.active, t.account.c.paused_at.is_not(None))
            .order_by(t.account.c.name)
        )
        return [
            *(Switch(SwitchKind(r.kind), r.subject, r.why, r.off_at, r.off_by) for r in thrown),
            *(Switch(SwitchKind.ACCOUNT, r.name, r.paused_why, r.paused_at, "") for r in paused),
        ]

    def stands_still(self, department: str) -> bool:
        """Whether nothing of a department may leave by any way: it is stopped, or everything is."""
        off = select(t.switch.c.id).where(_all_of(department), t.switch.c.on_at.is_(None)).limit(1)
        return self._hand.connection.execute(off).first() is not None

    def let_go_at(self, department: str) -> datetime | None:
        """When that last ended; None where it never was."""
        last = select(func.max(t.switch.c.on_at)).where(_all_of(department))
        found: datetime | None = self._hand.connection.execute(last).scalar_one()
        return found

    def switch_off(self, kind: SwitchKind, subject: str, why: str, *, by: Actor) -> bool:
        """Switch it off and stop what is in hand; False when it was off already."""
        run = self._hand.connection.execute
        if run(select(t.switch.c.id).where(*_this(kind, subject))).first():
            return False
        row = {"kind": kind.value, "subject": subject, "why": why, "off_at": self._hand.now, "off_by": by.id}
        run(insert(t.switch).values(row))
        stops = Stops(self._hand)
        if kind is SwitchKind.EVERYTHING:
            stops.add(StopKind.EVERYTHING, 0)
        elif kind is SwitchKind.CHANNEL:
            for one in run(select(t.account.c.id).where(t.account.c.channel == subject)).scalars().all():
                stops.add(StopKind.ACCOUNT, one)
        else:
            stops.add(StopKind.DEPARTMENT, int(run(_department(subject)).scalar_one()))
        return True

    def switch_on(self, kind: SwitchKind, subject: str, *, by: Actor) -> bool:
        """Switch it on; what it held is due at once. False when it was not off."""
        run, now = self._hand.connection.execute, self._hand.now
        lifted = run(update(t.switch).where(*_this(kind, subject)).values(on_at=now, on_by=by.id))
        if not lifted.rowcount:
            return False
        # What something else still stops is judged again, and held again.
        held = update(t.delivery).where(t.delivery.c.state == "queued", t.delivery.c.code == "stopped")
        waiting = update(t.announcement).where(t.announcement.c.hold_code == "stopped")
        if kind is SwitchKind.CHANNEL:
            held = held.where(t.delivery.c.channel == subject)
        elif kind is SwitchKind.DEPARTMENT:
            theirs = select(t.announcement.c.id).where(
                t.announcement.c.department_id == _department(subject).scalar_subquery()
            )
            held = held.where(t.delivery.c.announcement_id.in_(theirs))
        run(held.values(due_at=now))
        run(waiting.values(held_until=now))
        return True


def _this(kind: SwitchKind, subject: str) -> tuple[ColumnElement[bool], ...]:
    return t.switch.c.kind == kind.value, t.switch.c.subject == subject, t.switch.c.on_at.is_(None)


def _all_of(department: str) -> ColumnElement[bool]:
    """The switches that stop whatever a department says."""
    own = and_(t.switch.c.kind == SwitchKind.DEPARTMENT.value, t.switch.c.subject == department)
    return or_(t.switch.c.kind == SwitchKind.EVERYTHING.value, own)


def _department(slug: str) -> Select[Any]:
    return select(t.department.c.id).where(t.department.c.slug == slug)
