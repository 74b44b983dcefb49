"""Second thoughts: taking an announcement back while nothing of it has left, and saying that its size is meant."""

from __future__ import annotations

from uuid import UUID

from broker import audience as audiences
from broker import intake
from broker.actor import Actor
from broker.announcement import Announcement
from broker.authority import operators
from broker.corrections import binding
from broker.errors import NotFound, Problem, RuleBroken
from broker.moments import today_of
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.record import Entry
from broker.rules.blast import SIZE_CODES
from broker.values import FanOutHint


class TooLate(RuleBroken):
    """Raised when an announcement has begun to go out, or is over, so that it is no time for second thoughts."""


def undo(ports: Ports, public_id: UUID, *, actor: Actor) -> None:
    """Take an announcement back of which nothing has left, nor ever will. Safe to repeat.

    Raises NotFound, NotAllowed; TooLate, with nothing done, once deliveries of it have been planned.
    """

    def unless_planned(tx: Transaction) -> None:
        announcement = _the(tx, public_id)
        operators.must_have(tx, actor, operators.STOPS, announcement.department)
        begun = tx.cases.is_planned(announcement.id) or binding.is_in_effect(tx, announcement)
        if announcement.withdrawn_at is None and begun:
            message = "it has begun to go out, so it cannot be undone any more"
            hint = f"what has not left yet can be stopped: carillon withdraw {public_id}"
            raise TooLate(Problem("too_late", "id", message, hint))
        # Its row is locked until this commits, and fan-out locks it too: it is withdrawn before it could be planned.
        intake.forbid(tx, announcement, actor=actor)

    ports.ledger.transact(unless_planned)


def expect(ports: Ports, public_id: UUID, count: int, *, actor: Actor) -> int:
    """Say how many people an announcement is meant to tell, which lets one go on that waited for it; returns the count.

    Raises NotFound, NotAllowed; TooLate once it is planned or over; RuleBroken with the number that it would be, when
    that is another one.
    """

    def work(tx: Transaction) -> int:
        announcement = _the(tx, public_id)
        operators.must(tx, actor, OperatorRole.AUTHOR, announcement.department)
        if announcement.fanned_out_at or announcement.withdrawn_at or announcement.expires_at <= tx.now:
            message = "it waits for no number any more"
            raise TooLate(Problem("too_late", "id", message, f"see: carillon status {public_id}"))
        audience = binding.audience_of(tx, announcement, audiences.parse(announcement.audience))
        today = today_of(tx)
        counted = binding.counted(tx, announcement, audience, today)  # as fan-out will
        if counted != count:
            message = f"it would tell {counted:,} people, not {count:,}"
            hint = f"if that is right: carillon expect {public_id} {counted}"
            raise RuleBroken(Problem("size_differs", "count", message, hint))
        tx.cases.count(announcement.id, counted, count)
        if announcement.hold_code in SIZE_CODES:
            tx.cases.hold(announcement.id, None)
        tx.record.add([Entry("announcement.expected", actor, {"people": count}, announcement.id)])
        return counted

    counted = ports.ledger.transact(work)
    ports.hints.publish(FanOutHint(public_id))
    return counted


def _the(tx: Transaction, public_id: UUID) -> Announcement:
    announcement = tx.announcements.by_public_id(public_id, lock=True)
    if announcement is None:
        raise NotFound(
            Problem("not_found", "id", "there is no such announcement", "copy its id from `carillon status`")
        )
    return announcement
