"""How the house stands: work that waits, the record's unsealed tail, open alarms, workers that show themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select

from broker.delivery import State
from broker.gateways import Stand
from ledger import tables as t
from ledger.hand import Hand


@dataclass(frozen=True, slots=True)
class Waiting:
    """One account's queue: how many are due now, since when the oldest, and how many are being sent."""

    account: str
    channel: str
    paused_why: str | None  # None: it is not paused
    due: int
    oldest_due: datetime | None
    sending: int
    department: str | None = None  # whose it is; None: the school's


@dataclass(frozen=True, slots=True)
class Alarm:
    """One open alarm."""

    kind: str
    subject: str
    message: str
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class GatewayStands:
    """One gateway of an account with several, of which something was noted: how it stands, since when, and why."""

    account: str
    gateway: str
    stand: Stand
    since: datetime | None
    until: datetime | None  # of one that is passed over: when it is tried again
    why: str
    held_by: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One worker, and when it last showed itself."""

    name: str
    started_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Health:
    """The whole at one moment. `unsealed` entries of the record are not yet tamper-evident."""

    at: datetime
    accounts: Sequence[Waiting]
    unsealed: int
    unsealed_since: datetime | None  # the oldest of them
    sealed_at: datetime | None
    receipts: int  # callbacks not yet confirmed
    alarms: Sequence[Alarm]
    workers: Sequence[Seen]
    gateways: Sequence[GatewayStands] = ()


def health(hand: Hand) -> Health:
    """Everything a doctor or a page asks first. Each count walks a partial index of work that is there to do."""
    run = hand.connection.execute
    alarms = run(select(t.alarm).where(t.alarm.c.cleared_at.is_(None)).order_by(t.alarm.c.raised_at))
    workers = run(select(t.worker).order_by(t.worker.c.seen_at.desc()))
    newest = run(
        select(t.record_seal.c.next_mark, t.record_seal.c.sealed_at)
        .order_by(t.record_seal.c.number.desc())
        .limit(1)
    ).one_or_none()
    entry = t.record_entry.c
    unsealed = run(
        select(func.count().label("n"), func.min(entry.at).label("since")).where(
            entry.mark >= (newest.next_mark if newest else 0)
        )
    ).one()
    receipts = select(func.count()).where(t.receipt.c.confirmed_at.is_(None))
    return Health(
        at=hand.now,
        accounts=_accounts(hand),
        unsealed=unsealed.n,
        unsealed_since=unsealed.since,
        sealed_at=newest.sealed_at if newest else None,
        receipts=run(receipts).scalar_one(),
        alarms=[Alarm(row.kind, row.subject, row.message, row.raised_at) for row in alarms],
        workers=[Seen(row.name, row.started_at, row.seen_at) for row in workers],
        gateways=gateways(hand),
    )


def in_order(account: str, order: Sequence[str], noted: Sequence[GatewayStands]) -> Sequence[GatewayStands]:
    """The gateways of an account that has several, as its settings order them; one of which nothing was noted is well.

    Without an order (the account is not configured in this process) those that were noted, by name.
    """
    known = {one.gateway: one for one in noted if one.account == account}
    names = order or tuple(known)
    return [
        _as_it_is(known.get(name) or GatewayStands(account, name, Stand.CLOSED, None, None, "", ""))
        for name in (names if len(names) > 1 else ())
    ]


def _as_it_is(one: GatewayStands) -> GatewayStands:
    """Why it was passed over once is of no matter when it is well again."""
    return replace(one, why="") if one.stand is Stand.CLOSED else one


def gateways(hand: Hand) -> Sequence[GatewayStands]:
    """Those of accounts with several of which something was noted."""
    g = t.gateway.c
    rows = hand.connection.execute(
        select(t.gateway, t.account.c.name.label("account"))
        .join(t.account, t.account.c.id == g.account_id)
        .where(t.account.c.active)
        .order_by(t.account.c.name, g.name)
    )
    return [
        GatewayStands(row.account, row.name, Stand(row.stand), row.since, row.until, row.why, row.held_by)
        for row in rows
    ]


def _accounts(hand: Hand) -> Sequence[Waiting]:
    run, d = hand.connection.execute, t.delivery
    due = select(d.c.account_id, func.count().label("n"), func.min(d.c.due_at).label("oldest"))
    due = due.where(d.c.state == State.QUEUED.value, d.c.due_at <= hand.now).group_by(d.c.account_id)
    sending = select(d.c.account_id, func.count().label("n")).where(d.c.state == State.SENDING.value)
    waiting = {row.account_id: row for row in run(due)}
    busy = {row.account_id: row.n for row in run(sending.group_by(d.c.account_id))}
    return [
        Waiting(
            account=row.name,
            channel=row.channel,
            paused_why=row.paused_why if row.paused_at else None,
            due=waiting[row.id].n if row.id in waiting else 0,
            oldest_due=waiting[row.id].oldest if row.id in waiting else None,
            sending=busy.get(row.id, 0),
            department=row.slug,
        )
        for row in run(
            select(t.account, t.department.c.slug)
            .outerjoin(t.department, t.department.c.id == t.account.c.department_id)
            .order_by(t.account.c.name)
        )
        if row.active or row.id in waiting or row.id in busy
    ]
