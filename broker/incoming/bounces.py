"""Bounces: what came back becomes evidence on its attempt, and an address where nobody is gets nothing more.

Only a report to a signed return path is believed (`broker.incoming.return_path`). A hard one marks the address at
once; any other mail that did not arrive counts, and the third within a month marks it; a delay means nothing. What
is marked is refused by `house_rules.not_bounced` until somebody says that the address is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from broker.actor import Actor, ActorKind
from broker.confirm import apply_news
from broker.delivery import Evidence
from broker.incoming.bouncing import (
    FAILURES,
    FAILURES_WITHIN,
    SOFT_TIMES,
    SOFT_WITHIN,
    WHY,
    Bounce,
    BounceKind,
    Failure,
    kind_of,
)
from broker.ports import Ports, Transaction
from broker.record import Entry
from broker.values import News, StopKind


def take_report(
    tx: Transaction, attempt: int, key: str, failures: Sequence[Failure], *, actor: Actor
) -> bool:
    """One report about an attempt whose signature held; False when it was taken before, or is about nothing of ours."""
    known = tx.bounces.tries([attempt]).get(attempt)
    if known is None:
        return False
    bounce = _worst(key, attempt, failures)
    if bounce is None or not tx.bounces.add(bounce, known):
        return False
    if bounce.kind is BounceKind.DELAYED:
        return True
    news = News(Evidence.BOUNCED, attempt, code=bounce.code, why=WHY[bounce.kind])
    apply_news(tx, [news], actor=Actor(ActorKind.PROVIDER, known.account))
    if bounce.kind is BounceKind.HARD or tx.bounces.soft_since(known, within=SOFT_WITHIN) >= SOFT_TIMES:
        _mark(tx, known.address_id, known.channel, bounce.code, actor)
    return True


def mark_failing(ports: Ports, since: datetime, *, actor: Actor) -> int:
    """Mark what was refused for good again and again, the last time since then, whoever told it; returns how many."""

    def work(tx: Transaction) -> int:
        found = tx.bounces.failing(since=since, within=FAILURES_WITHIN, times=FAILURES)
        return sum(_mark(tx, address, channel, code, actor) for address, channel, code in found)

    return ports.ledger.transact(work)


def _mark(tx: Transaction, address: int | None, channel: str, code: str, actor: Actor) -> bool:
    if address is None or not tx.bounces.mark(address, channel, code=code):
        return False
    tx.stops.add(StopKind.ADDRESS, address)
    tx.record.add([Entry("address.bounced", actor, {"address": address, "channel": channel, "code": code})])
    return True


def _worst(key: str, attempt: int, failures: Sequence[Failure]) -> Bounce | None:
    """What a report comes to: a return path is one recipient's, so several lines are the same mail's."""
    bounces = [
        Bounce(key, attempt, BounceKind.DELAYED if one.delayed else kind_of(one.status), one.status)
        for one in failures
    ]
    order = [BounceKind.HARD, BounceKind.SOFT, BounceKind.DELAYED]
    return min(bounces, key=lambda one: order.index(one.kind), default=None)
