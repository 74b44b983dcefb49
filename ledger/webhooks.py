"""Webhooks, and what of the record each is still to be told.

The record is what they are told from: every move of a delivery stands there once, in an order that is settled when it
is sealed. So nothing is written for them beside it, and a program that was away for a week is told all of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, insert, or_, select, tuple_, update

from broker.delivery import State
from broker.ports.api import Batch, DeliveryEvent, Place, WebhookRow
from broker.scrutiny.audit import Story
from ledger import tables as t
from ledger.hand import Hand

TURN = timedelta(minutes=1)  # longer than a try takes
READ = 400  # entries a batch looks at
OF_DELIVERIES = re.compile(r"deliver(y|ies)\.[a-z_]+")


class Webhooks:
    """See broker.ports.api.Webhooks."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def add(self, row: WebhookRow) -> None:
        """Keep a new one, who is told of what is sealed from now on."""
        owner = select(t.department.c.id).where(t.department.c.slug == row.department).scalar_subquery()
        mark = self._sealed()
        values = {
            "public_id": row.public_id,
            "department_id": owner if row.department is not None else None,
            "url": row.url,
            "states": " ".join(sorted(row.states)),
            "made_by": row.made_by,
            "made_at": row.made_at,
            "after_mark": mark - 1,
            "after_id": self._last_before(mark),
            "failures": 0,
            "sequence": 0,
            "due_at": self._hand.now,
            "why": "",
        }
        self._hand.connection.execute(insert(t.webhook).values(values))

    def all(self) -> Sequence[WebhookRow]:
        """Every one that is not retired, the newest first."""
        return [
            _row(row) for row in self._hand.connection.execute(_webhooks().order_by(t.webhook.c.id.desc()))
        ]

    def by_public_id(self, public_id: UUID) -> WebhookRow | None:
        """One that is not retired."""
        return self._one(_webhooks().where(t.webhook.c.public_id == public_id))

    def take_due(self) -> WebhookRow | None:
        """One whose turn it is, for a minute ours alone: whoever dies meanwhile delays it by no more."""
        w, now = t.webhook.c, self._hand.now
        due = (
            select(w.id)
            .where(w.due_at <= now, w.paused_at.is_(None), w.retired_at.is_(None))
            .order_by(w.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        found = self._hand.connection.execute(due).scalar_one_or_none()
        if found is None:
            return None
        self._set(found, due_at=now + TURN)
        return self._one(_webhooks().where(w.id == found))

    def batch(self, row: WebhookRow, *, most: int) -> Batch | None:
        """What it is told next, None where there is nothing new under a seal."""
        events: list[DeliveryEvent] = []
        place = row.after
        for entry in self._entries(row):
            told = [one for one in _events(entry) if one[1] in row.states]
            if events and len(events) + len(told) > most:
                break
            place = (entry.mark, entry.id)
            if entry.slug is None or row.department not in {None, entry.slug}:
                continue
            at = datetime.fromisoformat(json.loads(entry.body)["at"])
            events += [
                DeliveryEvent(entry.id, n, at, entry.public_id, delivery, "", state, code)
                for n, (delivery, state, code) in enumerate(told)
            ]
        if place == row.after:
            return None
        return Batch(self._with_channels(events), place)

    def hold_to(self, webhook: int, until: Place) -> None:
        """This batch is tried until it has arrived."""
        self._set(webhook, until_mark=until[0], until_id=until[1])

    def told(self, webhook: int, after: Place, *, due_at: datetime) -> None:
        """It has arrived."""
        sequence = t.webhook.c.sequence + 1
        self._set(webhook, after_mark=after[0], after_id=after[1], until_mark=None, until_id=None, sequence=sequence,
                  failures=0, failing_since=None, why="", told_at=self._hand.now, due_at=due_at)  # fmt: skip

    def passed(self, webhook: int, after: Place, *, due_at: datetime) -> None:
        """There was nothing in it for this one up to there.

        Nor in a batch that was in hand: what it told of has had its time meanwhile.
        """
        self._set(
            webhook,
            after_mark=after[0],
            after_id=after[1],
            until_mark=None,
            until_id=None,
            due_at=due_at,
        )

    def failed(self, webhook: int, why: str, *, due_at: datetime, pause: bool) -> None:
        """It has not."""
        paused = {"paused_at": self._hand.now} if pause else {}
        since = func.coalesce(t.webhook.c.failing_since, self._hand.now)
        self._set(
            webhook, failures=t.webhook.c.failures + 1, failing_since=since, why=why, due_at=due_at, **paused
        )

    def resume(self, webhook: int) -> None:
        """Go on from where it stands, at once."""
        self._set(webhook, paused_at=None, failures=0, failing_since=None, due_at=self._hand.now)

    def retire(self, webhook: int) -> None:
        """It is told no more."""
        self._set(webhook, retired_at=self._hand.now)

    def _entries(self, row: WebhookRow) -> Sequence[Any]:
        e = t.record_entry.c
        query = (
            select(
                e.id,
                e.mark,
                e.kind,
                e.announcement_id,
                e.body,
                t.announcement.c.public_id,
                t.department.c.slug,
            )
            .outerjoin(t.announcement, t.announcement.c.id == e.announcement_id)
            .outerjoin(t.department, t.department.c.id == t.announcement.c.department_id)
            .where(or_(e.mark > row.after[0], (e.mark == row.after[0]) & (e.id > row.after[1])))
            .where(e.mark >= row.after[0], e.mark < self._sealed())
            .order_by(e.mark, e.id)
            .limit(READ)
        )
        if row.until is not None:
            query = query.where(tuple_(e.mark, e.id) <= row.until)
        return self._hand.connection.execute(query).all()

    def _with_channels(self, events: Sequence[DeliveryEvent]) -> tuple[DeliveryEvent, ...]:
        d = t.delivery.c
        wanted = sorted({event.delivery for event in events})
        rows = (
            self._hand.connection.execute(select(d.id, d.channel).where(d.id.in_(wanted))) if wanted else ()
        )
        channels = {row.id: row.channel for row in rows}
        return tuple(
            DeliveryEvent(
                e.entry, e.place, e.at, e.announcement, e.delivery, channels[e.delivery], e.state, e.code
            )
            for e in events
            if e.delivery in channels  # else it has had its time, and is gone
        )

    def _sealed(self) -> int:
        """The first mark that no seal covers."""
        newest = select(func.max(t.record_seal.c.next_mark))
        found: int | None = self._hand.connection.execute(newest).scalar_one()
        return found or 0

    def _last_before(self, mark: int) -> int:
        e = t.record_entry.c
        found: int | None = self._hand.connection.execute(
            select(func.max(e.id)).where(e.mark == mark - 1)
        ).scalar_one()
        return found or 0

    def _set(self, webhook: int, **values: Any) -> None:
        self._hand.connection.execute(update(t.webhook).where(t.webhook.c.id == webhook).values(values))

    def _one(self, query: Select[Any]) -> WebhookRow | None:
        found = self._hand.connection.execute(query).one_or_none()
        return _row(found) if found is not None else None


def _webhooks() -> Select[Any]:
    return (
        select(t.webhook, t.department.c.slug)
        .outerjoin(t.department, t.department.c.id == t.webhook.c.department_id)
        .where(t.webhook.c.retired_at.is_(None))
    )


def _row(row: Row[Any]) -> WebhookRow:
    until = (row.until_mark, row.until_id) if row.until_mark is not None else None
    return WebhookRow(
        row.id,
        row.public_id,
        row.slug,
        row.url,
        frozenset(State(word) for word in row.states.split()),
        row.made_by,
        row.made_at,
        (row.after_mark, row.after_id),
        until,
        row.failures,
        row.due_at,
        row.told_at,
        row.why,
        row.paused_at,
        row.sequence,
        row.failing_since,
    )


def _events(entry: Row[Any]) -> Sequence[tuple[int, State, str]]:
    """(delivery, the state it reached, its reason) of each that an entry tells of, as whoever audits it reads it."""
    if entry.announcement_id is None or not OF_DELIVERIES.fullmatch(entry.kind):
        return ()
    story = Story()
    story.hear(json.loads(entry.body))
    return [(delivery, stands.state, stands.code or "") for delivery, stands in story.deliveries.items()]
