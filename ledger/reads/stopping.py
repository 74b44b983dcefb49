"""What a kill switch would stop now: how much is in hand and waits, of a channel, a department or everything."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from broker.delivery import State
from broker.rules.switches import SwitchKind
from ledger import tables as t
from ledger.hand import Hand


@dataclass(frozen=True, slots=True)
class Stopping:
    """Deliveries that are in hand now, and that wait; announcements that are not planned yet."""

    sending: int
    waiting: int
    announcements: int


def stopping(hand: Hand, kind: SwitchKind, subject: str) -> Stopping:
    """Counted through the indexes of what there is to do, however much is done already."""
    d, run = t.delivery.c, hand.connection.execute
    of = select(func.count()).select_from(t.delivery)
    said = select(func.count()).where(
        t.announcement.c.fanned_out_at.is_(None), t.announcement.c.withdrawn_at.is_(None)
    )
    said = said.where(t.announcement.c.expires_at > hand.now)
    if kind is SwitchKind.ACCOUNT:
        of = of.where(
            d.account_id == select(t.account.c.id).where(t.account.c.name == subject).scalar_subquery()
        )
    elif kind is SwitchKind.CHANNEL:
        of = of.where(d.account_id.in_(select(t.account.c.id).where(t.account.c.channel == subject)))
    elif kind is SwitchKind.DEPARTMENT:
        its = select(t.department.c.id).where(t.department.c.slug == subject).scalar_subquery()
        # Asked of each that is open: joined, SQLite begins with all that the department ever said.
        theirs = select(t.announcement.c.id).where(t.announcement.c.id == d.announcement_id)
        of = of.where(theirs.where(t.announcement.c.department_id == its).exists())
        said = said.where(t.announcement.c.department_id == its)
    sending = run(of.where(d.state == State.SENDING.value)).scalar_one()
    waiting = run(of.where(d.state == State.QUEUED.value)).scalar_one()
    alone = kind in {SwitchKind.EVERYTHING, SwitchKind.DEPARTMENT}
    return Stopping(sending, waiting, run(said).scalar_one() if alone else 0)
