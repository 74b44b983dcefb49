"""Whether the ledger moves: what has waited longest of each kind of work. Facts alone; who asks judges them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select

from broker.delivery import State
from ledger import tables as t
from ledger.hand import Hand


@dataclass(frozen=True, slots=True)
class Progress:
    """One look. Each time is since when the oldest of its kind waits, None where nothing does."""

    at: datetime
    to_plan: datetime | None  # announcements whose time has come
    to_send: datetime | None  # deliveries of accounts that may go
    began: datetime | None  # when a sender last began with a delivery
    in_hand: bool  # whether somebody holds deliveries just now
    to_confirm: datetime | None  # callbacks
    to_seal: datetime | None  # entries of the record


def progress(hand: Hand) -> Progress:
    """A few probes of partial indexes: cheap at any size."""
    run, now = hand.connection.execute, hand.now
    said, sent, entry = t.announcement.c, t.delivery.c, t.record_entry.c
    to_plan = select(func.min(said.due_at)).where(
        said.fanned_out_at.is_(None),
        said.approved_at.is_not(None),
        said.withdrawn_at.is_(None),
        said.due_at <= now,
        said.expires_at > now,
        or_(said.held_until.is_(None), said.held_until <= now),
    )
    # What an alarm or a switch stops on purpose does not stand still: somebody has been told of it.
    alarms = run(select(t.alarm.c.kind, t.alarm.c.subject).where(t.alarm.c.cleared_at.is_(None))).all()
    subjects = {row.subject for row in alarms}
    may = [
        row.id
        for row in run(select(t.account).where(t.account.c.active))
        if row.paused_at is None and row.name not in subjects
    ]
    if run(select(t.switch.c.id).where(t.switch.c.on_at.is_(None)).limit(1)).first() is not None:
        may = []
    due = select(func.min(sent.due_at)).where(sent.state == State.QUEUED.value, sent.due_at <= now)
    leased = select(sent.id).where(sent.state == State.SENDING.value, sent.lease_until > now).limit(1)
    newest_attempt = select(t.attempt.c.started_at).order_by(t.attempt.c.id.desc()).limit(1)
    oldest_receipt = select(t.receipt.c.received_at).where(t.receipt.c.confirmed_at.is_(None))
    sealed = run(select(func.max(t.record_seal.c.next_mark))).scalar_one()
    return Progress(
        at=now,
        to_plan=run(to_plan).scalar_one(),
        to_send=run(due.where(sent.account_id.in_(may))).scalar_one() if may else None,
        began=run(newest_attempt).scalar_one_or_none(),
        in_hand=run(leased).first() is not None,
        to_confirm=run(oldest_receipt.order_by(t.receipt.c.id).limit(1)).scalar_one_or_none(),
        to_seal=run(select(func.min(entry.at)).where(entry.mark >= (sealed or 0))).scalar_one(),
    )


def deliveries(hand: Hand) -> Mapping[tuple[str, str], int]:
    """(channel, state) → how many, by the kept counters and what is not folded into them yet."""
    counted: dict[tuple[str, str], int] = {}
    for table in (t.tally, t.tally_delta):
        query = select(table.c.channel, table.c.state, func.sum(table.c.n).label("n"))
        for row in hand.connection.execute(query.group_by(table.c.channel, table.c.state)):
            key = row.channel, row.state
            counted[key] = counted.get(key, 0) + int(row.n)
    return counted
