"""Webhooks: a program elsewhere is told what became of deliveries, in the form of standard-webhooks.com.

The sweep takes the turns. A batch is numbers and states out of the sealed record; it is signed with its time, tried as
the house's values say, and stays the same batch under the same id until it has arrived: who is told twice can tell so.
Nothing is passed over: a webhook that was away goes on where it stood.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from uuid6 import uuid7

from broker.actor import SYSTEM, Actor
from broker.authority import operators
from broker.delivery import State
from broker.errors import AlreadyThere, NotFound, NotToBeChanged, Problem
from broker.ports import Ports, Transaction
from broker.ports.api import Batch, WebhookRow
from broker.ports.approvals import OperatorRole
from broker.ports.outside import CallFailed
from broker.record import Entry
from broker.retry import RetryPolicy
from broker.standard_webhooks import secret_of as told_as
from broker.standard_webhooks import signed

RETRY = RetryPolicy(most=timedelta(hours=1))  # half a minute, then twice as long each time, up to an hour
GIVE_UP_AFTER = timedelta(days=3)  # a weekend of somebody else's
MOST_EVENTS = 200
MOST_WEBHOOKS = 20
MOST_TURNS = 50  # of one sweep
LOOK_EVERY = timedelta(seconds=1)
ALARM = "webhook_paused"


def add(
    ports: Ports, url: str, states: Collection[State], *, department: str | None, actor: Actor
) -> WebhookRow:
    """Tell a program of deliveries that reach these states, from now on. Raises RuleBroken."""
    if not states:
        raise NotToBeChanged(Problem("no_states", "states", "it is told of nothing", "name the states"))
    ports.calls.check(url)

    def work(tx: Transaction) -> WebhookRow:
        operators.must(tx, actor, OperatorRole.ADMIN, department)
        if department is not None and not tx.announcements.department_exists(department):
            message = "this department is not known"
            raise NotToBeChanged(
                Problem("unknown_department", "department", message, "see `carillon doctor`")
            )
        known = tx.webhooks.all()
        if any((row.url, row.department) == (url, department) for row in known):
            message = "this address is told already"
            raise AlreadyThere(Problem("known", "url", message, "remove that webhook first"))
        if len(known) >= MOST_WEBHOOKS:
            message = f"there are {MOST_WEBHOOKS} webhooks already"
            raise NotToBeChanged(Problem("too_many", "url", message, "remove one first"))
        row = WebhookRow(
            0, UUID(int=uuid7().int), department, url, frozenset(states), actor.id, tx.now, (0, 0)
        )
        tx.webhooks.add(row)
        tx.record.add([Entry("webhook.added", actor, {"id": str(row.public_id), "department": department})])
        return row

    return ports.ledger.transact(work)


def remove(ports: Ports, public_id: UUID, *, actor: Actor) -> None:
    """It is told no more. Raises NotFound, NotAllowed."""

    def work(tx: Transaction) -> None:
        row = _the(tx, public_id, actor)
        tx.webhooks.retire(row.id)
        tx.sweeps.clear_alarm(ALARM, str(row.public_id))
        tx.record.add([Entry("webhook.removed", actor, {"id": str(public_id)})])

    ports.ledger.transact(work)


def resume(ports: Ports, public_id: UUID, *, actor: Actor) -> None:
    """One that was given up goes on where it stood, at once. Raises NotFound, NotAllowed."""

    def work(tx: Transaction) -> None:
        row = _the(tx, public_id, actor)
        tx.webhooks.resume(row.id)
        tx.sweeps.clear_alarm(ALARM, str(row.public_id))
        tx.record.add([Entry("webhook.resumed", actor, {"id": str(public_id)})])

    ports.ledger.transact(work)


def listed(tx: Transaction, actor: Actor) -> Sequence[WebhookRow]:
    """Those that this actor may see."""
    return [row for row in tx.webhooks.all() if actor.department in {None, row.department}]


def tell_due(ports: Ports) -> int:
    """Give every webhook its turn; how many batches arrived."""
    with ports.ledger.look() as tx:
        if not tx.webhooks.all():  # most schools have none, and a second is short
            return 0
    arrived = 0
    for _ in range(MOST_TURNS):
        row = ports.ledger.transact(lambda tx: tx.webhooks.take_due())
        if row is None:
            break
        arrived += _turn(ports, row)
    return arrived


def secret_of(ports: Ports, webhook: UUID) -> str:
    """What both sides sign with. It follows from the school's own secret, so it lies nowhere."""
    return told_as(_key(ports, webhook))


def _turn(ports: Ports, row: WebhookRow) -> int:
    def work(tx: Transaction) -> tuple[Batch | None, datetime]:
        batch = tx.webhooks.batch(row, most=MOST_EVENTS)
        if batch is None:
            tx.webhooks.passed(row.id, row.after, due_at=tx.now + LOOK_EVERY)
        elif batch.events:
            tx.webhooks.hold_to(row.id, batch.until)
        else:
            tx.webhooks.passed(row.id, batch.until, due_at=tx.now)
        return batch, tx.now

    batch, now = ports.ledger.transact(work)
    if batch is None or not batch.events:
        return 0
    body, id_ = _body(batch, row.sequence + 1), f"{row.public_id.hex}_{batch.until[0]}_{batch.until[1]}"
    try:
        ports.calls.post(row.url, body, signed(id_, now, body, [_key(ports, row.public_id)]))
    except CallFailed as failed:
        why = failed.why
        ports.ledger.transact(lambda tx: _failed(tx, row, why))
        return 0
    ports.ledger.transact(lambda tx: tx.webhooks.told(row.id, batch.until, due_at=tx.now))
    return 1


def _failed(tx: Transaction, row: WebhookRow, why: str) -> None:
    given_up = tx.now - (row.failing_since or tx.now) >= GIVE_UP_AFTER
    wait = RETRY.wait(row.failures + 1, secrets.randbelow(1_000) / 1_000)
    tx.webhooks.failed(row.id, why, due_at=tx.now + wait, pause=given_up)
    if given_up:
        days = GIVE_UP_AFTER.days
        message = f"this webhook has not taken anything for {days} days ({why}); nothing is lost meanwhile"
        tx.sweeps.raise_alarm(ALARM, str(row.public_id), message)
        tx.record.add([Entry("webhook.paused", SYSTEM, {"id": str(row.public_id)})])


def _body(batch: Batch, sequence: int) -> bytes:
    told = {
        "type": "deliveries.changed",
        "sequence": sequence,
        "timestamp": batch.events[-1].at.isoformat(),
        "data": {
            "deliveries": [
                {
                    "event": f"{event.entry}.{event.place}",
                    "at": event.at.isoformat(),
                    "announcement": str(event.announcement),
                    "delivery": event.delivery,
                    "channel": event.channel,
                    "state": event.state.value,
                    "code": event.code,
                }
                for event in batch.events
            ]
        },
    }
    return json.dumps(told, separators=(",", ":")).encode()


def _key(ports: Ports, webhook: UUID) -> bytes:
    return hashlib.sha256(ports.signer.sign("webhook", webhook.hex).encode()).digest()


def _the(tx: Transaction, public_id: UUID, actor: Actor) -> WebhookRow:
    row = tx.webhooks.by_public_id(public_id)
    if row is None or actor.department not in {None, row.department}:
        raise NotFound(Problem("not_found", "id", "there is no such webhook", "list them first"))
    operators.must(tx, actor, OperatorRole.ADMIN, row.department)
    return row
