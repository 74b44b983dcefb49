"""The hot path: pick, step, start, write back. A handful of statements each, however many deliveries.

Written as text over the dialect's fragments, so that the plan is what the page says: a pick walks exactly the
partial index `ix_delivery_due`, everything else joins a list of ids to a primary key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from broker.delivery import State
from broker.values import AccountRow, Lane, Picked, Result, Started, Step
from ledger.covers import covers_of, guardians_of
from ledger.dialect import Column
from ledger.hand import Hand
from ledger.money import charge
from ledger.picking import due, picked

_STEP: tuple[Column, ...] = (
    ("id", "bigint"),
    ("state", "text"),
    ("fence", "integer"),
    ("code", "text"),
    ("why", "text"),
    ("due_at", "moment"),
)
START: tuple[Column, ...] = (
    ("id", "bigint"),
    ("fence", "integer"),
    ("digest", "text"),
    ("cost", "bigint"),
    ("department", "bigint"),
)
_CLAIMED: tuple[Column, ...] = (("id", "bigint"), ("fence", "integer"))
_RESULT: tuple[Column, ...] = (
    ("id", "bigint"),
    ("fence", "integer"),
    ("state", "text"),
    ("burned", "integer"),
    ("code", "text"),
    ("why", "text"),
    ("due_at", "moment"),
    ("lookup_at", "moment"),
)
_ATTEMPT: tuple[Column, ...] = (
    ("id", "bigint"),
    ("outcome", "text"),
    ("evidence", "text"),
    ("provider_id", "text"),
    ("code", "text"),
    ("why", "text"),
)
TALLY: tuple[Column, ...] = (
    ("announcement_id", "bigint"),
    ("channel", "text"),
    ("state", "text"),
    ("n", "bigint"),
)

# A state as an expression, so that the planner goes by the ids: through the partial index of a busy state it would walk
# everything that has passed through it since the last vacuum.
BY_ID = "({}.state || '')"


class Deliveries:
    """See broker.ports.Deliveries."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def pick(self, account: AccountRow, lane: Lane, *, limit: int) -> Sequence[Picked]:
        """Lock up to `limit` due deliveries and read their facts."""
        walks, way = self._hand.dialect.walks, (account.id, lane)
        after = walks.place(way)
        rows = due(self._hand, account, lane, limit, after)
        if after is not None and len(rows) < limit:
            after, rows = None, due(self._hand, account, lane, limit, None)
        place = max((row.due_at, row.id) for row in rows) if len(rows) == limit else None
        walks.came_to(way, place, afresh=after is None)
        if not rows:
            return []
        self._hand.dialect.saw_now(self._hand.connection, rows[0].now)
        covers = covers_of(self._hand, [row.id for row in rows])
        return [picked(row, account, covers[row[0]]) for row in rows]

    def step(self, account: AccountRow, steps: Sequence[Step], *, lease: timedelta, holder: str) -> None:
        """Take picked deliveries out of `queued`: claims get the lease and the fence, the rest their reason."""
        if not steps:
            return
        hand = self._hand
        later = hand.dialect.after("lease")
        self._move(
            State.QUEUED,
            f"UPDATE delivery SET state = u.state, fence = u.fence, code = u.code, why = u.why,"
            f" due_at = coalesce(u.due_at, delivery.due_at), changed_at = {hand.dialect.now},"
            f" lease_until = CASE WHEN u.state = 'sending' THEN {later} END,"
            " holder = CASE WHEN u.state = 'sending' THEN CAST(:holder AS text) END"
            f" FROM {hand.dialect.rows(_STEP)} WHERE delivery.id = u.id",
            _STEP,
            [(s.delivery, s.state.value, s.fence, s.code, s.why, s.due_at) for s in steps],
            lease=hand.interval(lease),
            holder=holder,
        )
        dropped = [(s.delivery, duty) for s in steps for duty in s.dropped_duties]
        if dropped:
            columns: tuple[Column, ...] = (("id", "bigint"), ("duty_id", "bigint"))
            hand.run_rows(
                f"UPDATE delivery_covers SET dropped = true FROM {hand.dialect.rows(columns)}"
                " WHERE delivery_covers.delivery_id = u.id AND delivery_covers.duty_id = u.duty_id",
                columns,
                dropped,
            )

    def guardians(self, deliveries: Sequence[int]) -> Mapping[int, tuple[str, ...]]:
        """The whole names of those who hold a delivery's address and look after a pupil it covers."""
        return guardians_of(self._hand, deliveries)

    def start(
        self, account: AccountRow, gateway: str, starts: Sequence[Started], *, margin: timedelta
    ) -> Mapping[int, int]:
        """Begin attempts, only where state, fence and lease still hold.

        The deliveries are locked, so that recovery, which locks them too before it looks for attempts, sees
        either the start or the expired lease, never neither.
        """
        hand = self._hand
        later = hand.dialect.after("margin")
        rows = hand.run_rows(
            "WITH mine AS (SELECT d.id, d.fence, u.digest, u.cost FROM delivery d"
            f" JOIN {hand.dialect.rows(START)} ON d.id = u.id AND d.fence = u.fence"
            f" WHERE {BY_ID.format('d')} = 'sending' AND d.lease_until > {later}"
            f" ORDER BY d.id {_of(hand.dialect.lock, 'd')})"
            " INSERT INTO attempt (delivery_id, fence, account_id, gateway, digest, cost, started_at)"
            f" SELECT id, fence, :account, CAST(:gateway AS text), digest, cost, {hand.dialect.clock} FROM mine"
            " RETURNING id, delivery_id",
            START,
            [start_row(s) for s in starts],
            margin=hand.interval(margin),
            account=account.id,
            gateway=gateway,
        )
        attempts = {row.delivery_id: row.id for row in rows}
        costs: Counter[int] = Counter()
        for s in starts:
            if s.cost and s.delivery in attempts:
                costs[s.department] += s.cost
        if costs:
            charge(hand, account.id, costs)
        return attempts

    def release(self, claimed: Sequence[tuple[int, int]]) -> int:
        """Give back claimed, unstarted (delivery, fence) pairs: they are due again at once."""
        if not claimed:
            return 0
        hand = self._hand
        rows = self._move(
            State.SENDING,
            f"UPDATE delivery SET state = 'queued', lease_until = NULL, changed_at = {hand.dialect.now}"
            f" FROM {hand.dialect.rows(_CLAIMED)}"
            f" WHERE delivery.id = u.id AND delivery.fence = u.fence AND {BY_ID.format('delivery')} = 'sending'",
            _CLAIMED,
            sorted(claimed),
        )
        return len(rows)

    def write_back(self, account: AccountRow, results: Sequence[Result]) -> set[int]:
        """Write outcomes where the fence matches, and how each attempt ended whether it does or not."""
        hand = self._hand
        ordered = sorted(results, key=lambda r: r.delivery)  # one order of locks, so that none wait in a ring
        rows = self._move(
            State.SENDING,
            "UPDATE delivery SET state = u.state, burned = delivery.burned + u.burned, code = u.code,"
            " why = u.why, due_at = coalesce(u.due_at, delivery.due_at), lookup_at = u.lookup_at, lookups = 0,"
            f" lease_until = NULL, changed_at = {hand.dialect.now}"
            f" FROM {hand.dialect.rows(_RESULT)}"
            f" WHERE delivery.id = u.id AND delivery.fence = u.fence AND {BY_ID.format('delivery')} = 'sending'",
            _RESULT,
            [
                (r.delivery, r.fence, r.state.value, int(r.burned), r.code, r.why, r.due_at, r.lookup_at)
                for r in ordered
            ],
        )
        matched = {row.id for row in rows}
        hand.run_rows(
            f"UPDATE attempt SET ended_at = {hand.dialect.clock}, outcome = u.outcome,"
            " evidence = coalesce(attempt.evidence, u.evidence),"
            " provider_id = coalesce(u.provider_id, attempt.provider_id), code = u.code, why = u.why"
            f" FROM {hand.dialect.rows(_ATTEMPT)} WHERE attempt.id = u.id",
            _ATTEMPT,
            [_attempt_row(r, proves=r.delivery in matched) for r in ordered],
        )
        return matched

    def tally(self, changes: Iterable[tuple[int, str, State, int]]) -> None:
        """Append counter deltas, summed first: (announcement, channel, state, by how many)."""
        summed: Counter[tuple[int, str, str]] = Counter()
        for announcement, channel, state, by in changes:
            summed[(announcement, channel, state.value)] += by
        deltas = [(*key, by) for key, by in summed.items() if by]
        if deltas:
            self._hand.run_rows(
                "INSERT INTO tally_delta (announcement_id, channel, state, n)"
                f" SELECT announcement_id, channel, state, n FROM {self._hand.dialect.rows(TALLY)}",
                TALLY,
                deltas,
            )

    def _move(
        self,
        before: State,
        update: str,
        columns: Sequence[Column],
        records: Sequence[Sequence[Any]],
        **values: Any,
    ) -> Sequence[Row[Any]]:
        """Run an UPDATE of deliveries in one state, and the counters with it; the rows are what moved.

        In one statement where the database can: a round trip costs more than what it carries.
        """
        hand = self._hand
        update += (
            " RETURNING delivery.id, delivery.announcement_id, delivery.channel, delivery.state,"
            f" {hand.dialect.now} AS now"
        )
        if not hand.dialect.changes_together:
            rows = hand.run_rows(update, columns, records, **values).all()
            self.tally(
                change
                for row in rows
                for change in (
                    (row.announcement_id, row.channel, before, -1),
                    (row.announcement_id, row.channel, State(row.state), 1),
                )
            )
            return rows
        rows = hand.run_rows(
            f"WITH moved AS ({update}), counted AS ("
            "INSERT INTO tally_delta (announcement_id, channel, state, n)"
            " SELECT m.announcement_id, m.channel, c.state, sum(c.n) FROM moved m"
            " CROSS JOIN LATERAL (VALUES (m.state, 1), (CAST(:before AS text), -1)) AS c (state, n)"
            " GROUP BY m.announcement_id, m.channel, c.state HAVING sum(c.n) <> 0)"
            " SELECT id, now FROM moved",
            columns,
            records,
            before=before.value,
            **values,
        ).all()
        if rows:
            hand.dialect.saw_now(hand.connection, rows[0].now)
        return rows


def start_row(s: Started) -> tuple[object, ...]:
    """A start as a row of `START`."""
    return (s.delivery, s.fence, s.digest, s.cost or None, s.department)


def _attempt_row(result: Result, *, proves: bool) -> tuple[Any, ...]:
    """`proves` is False for a late one: its evidence is folded in by the caller, together with what it moves."""
    evidence = result.evidence.value if result.evidence and proves else None
    return (
        result.attempt,
        result.event.value,
        evidence,
        result.provider_id or None,
        result.code,
        result.why,
    )


def _of(lock: str, table: str) -> str:
    return f"{lock} OF {table}" if lock else ""
