"""What a page of accounts asks besides how they stand: what waits, what went lately, who paused them, what is stopped.

Bounded however much there is: of announcements the newest, of the record its end.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Subquery, and_, func, literal, or_, select, union_all

from broker.announcement import Part
from broker.authority.switching import STOPPED
from broker.delivery import State
from broker.rules.switches import Switch, SwitchKind
from broker.values import AccountRow
from ledger import tables as t
from ledger.hand import Hand
from ledger.reads.health import Alarm
from ledger.reads.status import tallies_of

NEWEST = 300  # announcements that are looked through for what an account sent
RECORD_END = 20_000  # entries that are looked through for who paused it: weeks of a busy school
LATELY = 10
MOST_GROUPS = 2_000  # classes, courses and clubs of a large school
LONGEST_TITLE = 200  # characters


@dataclass(frozen=True, slots=True)
class Queue:
    """What is to go by an account: due now, and in hand."""

    due: int = 0
    sending: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """An announcement that went by an account, and what became of it there."""

    public_id: UUID
    title: str
    at: datetime
    states: Mapping[State, int]


def queues(hand: Hand) -> Mapping[int, Queue]:
    """What is to go by each account, by its number; one with nothing to do is left out."""
    d, n = t.delivery.c, func.count().label("n")
    queued, sending = State.QUEUED.value, State.SENDING.value
    due = select(d.account_id, literal(queued).label("state"), n)
    due = due.where(d.state == queued, d.due_at <= hand.now).group_by(d.account_id)
    busy = select(d.account_id, literal(sending).label("state"), n)
    busy = busy.where(d.state == sending).group_by(d.account_id)
    found: dict[int, dict[str, int]] = {}
    for row in hand.connection.execute(union_all(due, busy)):
        found.setdefault(row.account_id, {})[row.state] = row.n
    return {account: Queue(each.get(queued, 0), each.get(sending, 0)) for account, each in found.items()}


def used_last(hand: Hand) -> Mapping[int, datetime]:
    """When each account was last used, by its number; of none that was not used lately."""
    newest = _newest(hand)
    cursor, account = t.fanout_cursor.c, _account_of(newest.c.id, t.fanout_cursor.c.channel)
    query = select(newest.c.fanned_out_at, account.label("account")).join(
        t.fanout_cursor, cursor.announcement_id == newest.c.id
    )
    found: dict[int, datetime] = {}
    for row in hand.connection.execute(query.order_by(newest.c.id)):
        if row.account is not None:
            found[row.account] = row.fanned_out_at
    return found


def lately(
    hand: Hand, account: AccountRow, *, department: str | None = None, limit: int = LATELY
) -> Sequence[Sent]:
    """The newest announcements that went by an account; of one department, where one is named."""
    newest = _newest(hand, department)
    rows = hand.connection.execute(
        select(newest.c.id, newest.c.public_id, newest.c.fanned_out_at, _title(newest.c.id).label("title"))
        .join(t.fanout_cursor, t.fanout_cursor.c.announcement_id == newest.c.id)
        .where(
            t.fanout_cursor.c.channel == account.channel,
            _account_of(newest.c.id, literal(account.channel)) == account.id,
        )
        .order_by(newest.c.id.desc())
        .limit(limit)
    ).all()
    if not rows:
        return []
    ids = [row.id for row in rows]
    counts = tallies_of(hand, ids)
    return [
        Sent(
            row.public_id,
            row.title or "",
            row.fanned_out_at,
            counts.get(row.id, {}).get(account.channel, {}),
        )
        for row in rows
    ]


def paused_by(hand: Hand, accounts: Iterable[AccountRow]) -> Mapping[str, str]:
    """Who paused each of these accounts, as the end of the record tells; one that was paused long ago is left out."""
    paused = {account.name: account.paused_at for account in accounts if account.paused_at is not None}
    if not paused:
        return {}
    entry = t.record_entry.c
    floor = select(func.coalesce(func.max(entry.id), 0) - RECORD_END).scalar_subquery()
    rows = hand.connection.execute(
        select(entry.body).where(entry.kind == "account.paused", entry.id > floor).order_by(entry.id)
    )
    found: dict[str, str] = {}
    for row in rows:
        told: dict[str, Any] = json.loads(bytes(row.body))
        name = told["facts"].get("account")
        # One that was paused again while it was paused stays whose it was.
        if name in paused and datetime.fromisoformat(told["at"]) == paused[name]:
            found[name] = told["actor"]["id"] if told["actor"]["kind"] == "person" else "Carillon"
    return found


def thrown(hand: Hand) -> Sequence[Switch]:
    """Which switches are off, but for the accounts' own: that is their pause."""
    rows = hand.connection.execute(select(t.switch).where(t.switch.c.on_at.is_(None)).order_by(t.switch.c.id))
    return [Switch(SwitchKind(row.kind), row.subject, row.why, row.off_at, row.off_by) for row in rows]


def _newest(hand: Hand, department: str | None = None) -> Subquery:
    said = t.announcement.c
    query = select(said.id, said.public_id, said.fanned_out_at).where(said.fanned_out_at.is_not(None))
    if department is not None:
        its = select(t.department.c.id).where(t.department.c.slug == department)
        query = query.where(said.department_id == its.scalar_subquery())
    return query.order_by(said.id.desc()).limit(NEWEST).subquery("newest")


def _account_of(announcement: Any, channel: Any) -> Any:
    """Of the first delivery that there is: an announcement goes by one account of a channel."""
    one = t.delivery.alias("one")
    return (
        select(one.c.account_id)
        .where(one.c.announcement_id == announcement, one.c.channel == channel)
        .limit(1)
        .scalar_subquery()
    )


def _title(announcement: Any) -> Any:
    """Its title as it stands now, or else its first words."""
    c = t.content.c
    return (
        select(func.substr(c.text, 1, LONGEST_TITLE))
        .where(c.announcement_id == announcement, c.part.in_((Part.TITLE.value, Part.SHORT.value)))
        # "title" sorts after "short".
        .order_by(c.version.desc(), c.part.desc(), c.language)
        .limit(1)
        .scalar_subquery()
    )


def alarms_about(
    hand: Hand, account: str, kinds: Collection[str]
) -> tuple[Sequence[Alarm], Sequence[Switch]]:
    """The open alarms of these kinds about an account; and what is switched off, which has an alarm each."""
    a = t.alarm.c
    rows = hand.connection.execute(
        select(t.alarm)
        .where(
            a.cleared_at.is_(None),
            or_(and_(a.subject == account, a.kind.in_(sorted(kinds))), a.kind == STOPPED),
        )
        .order_by(a.raised_at)
    )
    about: list[Alarm] = []
    off: list[Switch] = []
    for row in rows:
        if row.kind == STOPPED:
            kind, _, subject = row.subject.partition(" ")
            off.append(Switch(SwitchKind(kind), subject, row.message, row.raised_at, ""))
        else:
            about.append(Alarm(row.kind, row.subject, row.message, row.raised_at))
    return about, off


def groups_to_link(hand: Hand, department: str | None) -> Sequence[str]:
    """The names of the groups of whose news a private link can be made; of one department's own, where one is named."""
    g = t.people_group.c
    query = select(g.name).where(g.active).order_by(g.folded_name).limit(MOST_GROUPS)
    if department is not None:
        its = select(t.department.c.id).where(t.department.c.slug == department)
        query = query.where(g.department_id == its.scalar_subquery())
    return list(hand.connection.execute(query).scalars())
