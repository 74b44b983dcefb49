"""One delivery, looked at closely: each try of it, whom it is about by number, and what it replaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select

from broker.delivery import Evidence, State
from ledger import tables as t
from ledger.hand import Hand

MOST = 50  # tries of one delivery


@dataclass(frozen=True, slots=True)
class Try:
    """One try at one gateway: when it began and ended, what came of it, and what the provider said later."""

    gateway: str
    started_at: datetime
    ended_at: datetime | None
    outcome: State | None
    evidence: Evidence | None
    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Tries:
    """The tries of a delivery, the oldest first. `people`: how many it tells of; `lookup_at`: when is asked next."""

    tries: Sequence[Try]
    people: int
    expires_at: datetime
    lookup_at: datetime | None
    settled_at: datetime | None
    replaces: bool


def tries(hand: Hand, delivery: int) -> Tries | None:
    """How a delivery was tried; None where there is none."""
    run, d, a = hand.connection.execute, t.delivery.c, t.attempt.c
    covers = select(func.sum(case((t.delivery_covers.c.dropped, 0), else_=1))).where(
        t.delivery_covers.c.delivery_id == delivery
    )
    row = run(
        select(
            d.expires_at, d.lookup_at, d.settled_at, d.replaces, covers.scalar_subquery().label("people")
        ).where(d.id == delivery)
    ).one_or_none()
    if row is None:
        return None
    found = run(select(t.attempt).where(a.delivery_id == delivery).order_by(a.fence).limit(MOST))
    return Tries(
        list(map(_try, found)),
        int(row.people or 0),
        row.expires_at,
        row.lookup_at,
        row.settled_at,
        row.replaces is not None,
    )


@dataclass(frozen=True, slots=True)
class Times:
    """One of several deliveries: by which account, when it is due and was changed last, and its tries."""

    account: str
    due_at: datetime
    changed_at: datetime
    tries: Sequence[Try]


def times_of(hand: Hand, deliveries: Sequence[int]) -> Mapping[int, Times]:
    """When a few deliveries were tried, in one question."""
    if not deliveries:
        return {}
    d, a = t.delivery.c, t.attempt.c
    rows = hand.connection.execute(
        select(d.id.label("of"), d.due_at, d.changed_at, t.account.c.name, t.attempt)
        .join(t.account, t.account.c.id == d.account_id)
        .outerjoin(t.attempt, a.delivery_id == d.id)
        .where(d.id.in_(list(deliveries)))
        .order_by(d.id, a.fence)
    )
    found: dict[int, Times] = {}
    for row in rows:
        known = found.get(row.of) or Times(row.name, row.due_at, row.changed_at, [])
        tried = [*known.tries, _try(row)] if row.fence is not None else known.tries
        found[row.of] = replace(known, tries=tried)
    return found


def _try(row: Any) -> Try:
    evidence = Evidence(row.evidence) if row.evidence else None
    outcome = State(row.outcome) if row.outcome in set(State) else None
    return Try(row.gateway, row.started_at, row.ended_at, outcome, evidence, row.code, row.why)
