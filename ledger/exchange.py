"""One window for the next in one statement: outcomes with their record go in, and the starts that follow come out.

A transaction of five statements costs six round trips and a commit: for a window of twenty mails that was dearer than
the mails themselves (docs/performance.md). So the usual case is one statement, which is its own transaction. It holds
only while every outcome still meets its fence. Else it fails on purpose, nothing of it stands, and the caller goes the
long way, on which what came too late enters as evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.exc import DBAPIError

from broker.record import Entry, body_of
from broker.values import AccountRow, Result, Starts
from ledger.deliveries import BY_ID, START, start_row
from ledger.dialect import Column, Dialect
from ledger.hand import Hand
from ledger.money import SCHOOLS_ZONE

_OUTCOME: tuple[Column, ...] = (
    ("id", "bigint"),
    ("fence", "integer"),
    ("attempt", "bigint"),
    ("state", "text"),
    ("burned", "integer"),
    ("code", "text"),
    ("why", "text"),
    ("due_at", "moment"),
    ("lookup_at", "moment"),
    ("event", "text"),
    ("evidence", "text"),
    ("provider_id", "text"),
)
_ENTRY: tuple[Column, ...] = (("kind", "text"), ("announcement", "bigint"), ("body", "text"))
_REFUSED_ITSELF = "22012"  # division by zero: the one way in which plain SQL can say "then not at all"


def exchange(
    hand: Hand,
    account: AccountRow,
    results: Sequence[Result],
    told: Sequence[Entry],
    starts: Starts,
    *,
    now: datetime,
) -> Mapping[int, int] | None:
    """Delivery → attempt of what was started; None, with nothing changed, where it must be done the long way.

    `told` is the record of all `results`, and `now` the time that it gives.
    """
    dialect = hand.dialect
    ordered = sorted(results, key=lambda r: r.delivery)  # one order of locks, so that none wait in a ring
    values = {
        **dialect.row_values(_OUTCOME, [_outcome(r) for r in ordered], "u"),
        **dialect.row_values(_ENTRY, [(e.kind, e.announcement, body_of(e, now).decode()) for e in told], "e"),
        **dialect.row_values(START, [start_row(s) for s in starts.each], "s"),
        "attempts": dialect.ids([r.attempt for r in results]),
        "expected": len(results),
        "margin": hand.interval(starts.margin),
        "account": account.id,
        "gateway": starts.gateway,
    }
    try:
        rows = hand.run(_statement(dialect), **values).all()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _REFUSED_ITSELF or dialect.is_conflict(error):
            return None
        raise
    return {row.delivery_id: row.id for row in rows if row.delivery_id is not None}


def _statement(dialect: Dialect) -> str:
    return (
        f"WITH u AS MATERIALIZED (SELECT * FROM {dialect.rows(_OUTCOME, 'u')}),"
        " moved AS (UPDATE delivery SET state = u.state, burned = delivery.burned + u.burned, code = u.code,"
        " why = u.why, due_at = coalesce(u.due_at, delivery.due_at), lookup_at = u.lookup_at, lookups = 0,"
        f" lease_until = NULL, changed_at = {dialect.now} FROM u"
        f" WHERE delivery.id = u.id AND delivery.fence = u.fence AND {BY_ID.format('delivery')} = 'sending'"
        " RETURNING delivery.announcement_id, delivery.channel, delivery.state),"
        " counted AS (INSERT INTO tally_delta (announcement_id, channel, state, n)"
        " SELECT m.announcement_id, m.channel, c.state, sum(c.n) FROM moved m"
        " CROSS JOIN LATERAL (VALUES (m.state, 1), ('sending', -1)) AS c (state, n)"
        " GROUP BY m.announcement_id, m.channel, c.state HAVING sum(c.n) <> 0),"
        f" ended AS (UPDATE attempt SET ended_at = {dialect.clock}, outcome = u.event,"
        " evidence = coalesce(attempt.evidence, u.evidence),"
        " provider_id = coalesce(u.provider_id, attempt.provider_id), code = u.code, why = u.why FROM u"
        # The ids a second time, as an array: a plan made while the table was young would read all of it for ever.
        f" WHERE attempt.id = u.attempt AND {dialect.any_of('attempt.id', 'attempts')}),"
        " told AS (INSERT INTO record_entry (mark, at, kind, announcement_id, body)"
        f" SELECT {dialect.mark}, {dialect.now}, e.kind, e.announcement, convert_to(e.body, 'UTF8')"
        f" FROM {dialect.rows(_ENTRY, 'e')}),"
        # As in `Deliveries.start`: locked, so that recovery sees either the start or the expired lease.
        " mine AS (SELECT d.id, d.fence, s.digest, s.cost, s.department FROM delivery d"
        f" JOIN {dialect.rows(START, 's')} ON d.id = s.id AND d.fence = s.fence"
        f" WHERE {BY_ID.format('d')} = 'sending' AND d.lease_until > {dialect.after('margin')}"
        f" ORDER BY d.id {dialect.lock} OF d),"
        " begun AS (INSERT INTO attempt (delivery_id, fence, account_id, gateway, digest, cost, started_at)"
        f" SELECT id, fence, :account, CAST(:gateway AS text), digest, cost, {dialect.clock} FROM mine"
        " RETURNING delivery_id, id),"
        # From what was locked, all of which has begun: this statement does not see what it inserts.
        " charged AS (INSERT INTO spend_delta (department_id, account_id, month, cost)"
        f" SELECT department, :account, {dialect.month(SCHOOLS_ZONE)}, sum(cost) FROM mine"
        " WHERE cost > 0 GROUP BY department)"
        " SELECT whole.matched, begun.delivery_id, begun.id FROM"
        " (SELECT 1 / (CASE WHEN (SELECT count(*) FROM moved) = :expected THEN 1 ELSE 0 END) AS matched) AS whole"
        " LEFT JOIN begun ON whole.matched = 1"
    )


def _outcome(r: Result) -> tuple[object, ...]:
    evidence = r.evidence.value if r.evidence else None
    return (
        *(r.delivery, r.fence, r.attempt, r.state.value, int(r.burned), r.code, r.why, r.due_at, r.lookup_at),
        *(r.event.value, evidence, r.provider_id or None),
    )
