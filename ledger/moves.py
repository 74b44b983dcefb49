"""Deliveries moved outside a send: recovery of leases, evidence, look-ups, and what people decide.

Every method locks the deliveries first, in the order of their ids, and only then reads their attempts: a start
that is being committed is either seen or waits (design §6.3).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, String, bindparam, text

from broker.capabilities import PastAttempt
from broker.channel import Key
from broker.delivery import Evidence, State
from broker.values import AccountRow, KnownAttempt, KnownDelivery, LookUp, Move, News
from ledger.deliveries import Deliveries
from ledger.dialect import Column
from ledger.hand import Hand
from ledger.tables import Id, Moment

_MOVE: tuple[Column, ...] = (
    ("id", "bigint"),
    ("state", "text"),
    ("raise_by", "integer"),
    ("requeue", "integer"),
    ("code", "text"),
    ("why", "text"),
    ("due_at", "moment"),
    ("lookup_at", "moment"),
    ("lookups", "integer"),
    ("settled_by", "text"),
)
_LEARN: tuple[Column, ...] = (
    ("id", "bigint"),
    ("evidence", "text"),
    ("provider_id", "text"),
    ("code", "text"),
    ("why", "text"),
)
_KNOWN = (
    "SELECT id, announcement_id, channel, account_id, address_id, state, fence, requeued_fence, burned,"
    " settled_at IS NOT NULL AS settled FROM delivery d"
)

# Longer than the slowest accept by far, and than what a gateway goes back when it asks for what it was given.
_BOUND = timedelta(days=1)


class Moves:
    """See broker.ports.Moves."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def expired_leases(self, *, limit: int) -> Sequence[tuple[KnownDelivery, bool]]:
        """Deliveries whose lease ran out, locked, each with whether the attempt of its fence was started."""
        dialect = self._hand.dialect
        rows = self._hand.run(
            f"{_KNOWN} WHERE state = 'sending' AND lease_until <= {dialect.now}"
            f" ORDER BY lease_until LIMIT :limit {dialect.skip_locked}",
            limit=limit,
        ).all()
        found = self._with_attempts([row.id for row in rows])
        return [(d, any(a.fence == d.fence for a in d.attempts)) for d in found.values()]

    def known(self, news: Sequence[News]) -> Mapping[int, tuple[KnownDelivery, int]]:
        """Lock the deliveries that news is about: index into `news` → (delivery with attempts, the attempt)."""
        by_id = [n.attempt for n in news if n.attempt is not None]
        by_provider = [n.provider_id for n in news if n.attempt is None and n.provider_id]
        dialect = self._hand.dialect
        attempts: dict[int, int] = {}
        for row in self._hand.run(
            f"SELECT id, delivery_id FROM attempt WHERE {dialect.any_of('id', 'ids')}", ids=dialect.ids(by_id)
        ):
            attempts[row.id] = row.delivery_id
        bound: dict[tuple[str, int], list[tuple[int, int, str]]] = defaultdict(list)
        if by_provider:
            columns: tuple[Column, ...] = (("provider_id", "text"),)
            for row in self._hand.run_rows(
                "SELECT attempt.id, attempt.delivery_id, attempt.provider_id, attempt.account_id, attempt.gateway"
                " FROM attempt"
                f" JOIN {dialect.rows(columns)} ON attempt.provider_id = u.provider_id",
                columns,
                [(p,) for p in sorted(set(by_provider))],
            ):
                attempts[row.id] = row.delivery_id
                bound[(row.provider_id, row.account_id)].append((row.id, row.delivery_id, row.gateway))
        locked = self._lock(sorted(set(attempts.values())))
        found: dict[int, tuple[KnownDelivery, int]] = {}
        for place, item in enumerate(news):
            attempt = item.attempt
            if attempt is None and item.account is not None:
                attempt = next(
                    (
                        each
                        for each, delivery, gateway in bound[(item.provider_id, item.account)]
                        # An attempt from before there were gateways names its channel.
                        if item.gateway in ("", gateway) or gateway == locked[delivery].channel
                    ),
                    None,
                )
            if attempt in attempts:
                found[place] = (locked[attempts[attempt]], attempt)
        return found

    def by_id(self, delivery: int) -> KnownDelivery | None:
        """One delivery, locked, with its attempts."""
        return self._lock([delivery]).get(delivery)

    def by_ids(self, deliveries: Sequence[int]) -> Mapping[int, KnownDelivery]:
        """Several deliveries, locked, each with its attempts."""
        return self._lock(sorted(deliveries))

    def of(self, announcement: int, channel: str, states: Collection[State], *, limit: int) -> Sequence[int]:
        """The deliveries of an announcement by one way that are in these states, by their ids; reads only."""
        # As words: a partial index is taken only where the query says what the index says.
        wanted = ", ".join(f"'{state.value}'" for state in sorted(states))
        rows = self._hand.run(
            f"SELECT id FROM delivery WHERE announcement_id = :announcement AND channel = :channel"
            f" AND state IN ({wanted}) ORDER BY id LIMIT :limit",
            announcement=announcement,
            channel=channel,
            limit=limit,
        )
        return list(rows.scalars())

    def still_ours(self, claimed: Sequence[tuple[int, int]]) -> set[int]:
        """Lock claimed (delivery, fence) pairs; those that nobody took over or started since."""
        locked = self._lock(sorted(delivery for delivery, _ in claimed))
        return {
            delivery
            for delivery, fence in claimed
            if (known := locked.get(delivery)) is not None
            and (known.state, known.fence) == (State.SENDING, fence)
            and all(attempt.fence != fence for attempt in known.attempts)
        }

    def learn(self, lessons: Mapping[int, News]) -> None:
        """Keep folded evidence on attempts: attempt → the news that stands."""
        if lessons:
            self._hand.run_rows(
                # A callback may come when its attempt was erased (no digest any more): nothing personal comes back.
                "UPDATE attempt SET evidence = u.evidence,"
                " provider_id = CASE WHEN attempt.digest = '' THEN attempt.provider_id"
                " ELSE coalesce(u.provider_id, attempt.provider_id) END,"
                " code = coalesce(u.code, attempt.code),"
                " why = CASE WHEN attempt.digest = '' THEN attempt.why ELSE coalesce(u.why, attempt.why) END"
                f" FROM {self._hand.dialect.rows(_LEARN)} WHERE attempt.id = u.id",
                _LEARN,
                [
                    (attempt, n.evidence.value, n.provider_id or None, n.code or None, n.why or None)
                    for attempt, n in sorted(lessons.items())
                ],
            )

    def move(self, moves: Sequence[Move]) -> None:
        """Apply moves to locked deliveries, with their tallies."""
        if not moves:
            return
        hand = self._hand
        hand.run_rows(
            "UPDATE delivery SET state = u.state, fence = delivery.fence + u.raise_by,"
            " requeued_fence = CASE WHEN u.requeue = 1 THEN delivery.fence ELSE delivery.requeued_fence END,"
            " burned = CASE WHEN u.requeue = 1 THEN 0 ELSE delivery.burned END,"
            # What a provider says late must not name again whoever was erased meanwhile (an attempt without digest).
            " code = u.code, why = CASE WHEN u.why <> '' AND EXISTS (SELECT 1 FROM attempt a"
            " WHERE a.delivery_id = delivery.id AND a.digest = '') THEN '' ELSE u.why END,"
            " due_at = coalesce(u.due_at, delivery.due_at),"
            " lookup_at = u.lookup_at, lookups = coalesce(u.lookups, delivery.lookups), lease_until = NULL,"
            # Tried anew, it may be lost anew, and then nobody has decided about that yet.
            " settled_by = CASE WHEN u.requeue = 1 THEN NULL ELSE coalesce(u.settled_by, delivery.settled_by) END,"
            " settled_at = CASE WHEN u.requeue = 1 THEN NULL WHEN u.settled_by IS NULL THEN delivery.settled_at"
            f" ELSE {hand.dialect.now} END,"
            f" changed_at = {hand.dialect.now}"
            f" FROM {hand.dialect.rows(_MOVE)} WHERE delivery.id = u.id",
            _MOVE,
            [
                (
                    m.delivery,
                    m.state.value,
                    int(m.raise_fence or m.requeue),
                    int(m.requeue),
                    m.code,
                    m.why,
                    m.due_at,
                    m.lookup_at,
                    m.lookups,
                    m.settled_by,
                )
                for m in sorted(moves, key=lambda m: m.delivery)
            ],
        )
        Deliveries(hand).tally(
            change
            for m in moves
            if m.before is not m.state
            for change in (
                (m.announcement, m.channel, m.before, -1),
                (m.announcement, m.channel, m.state, 1),
            )
        )

    def stranded(self, *, limit: int) -> Sequence[KnownDelivery]:
        """Deliveries, locked, that wait for an account which the settings name no more."""
        dialect = self._hand.dialect
        gone = [row.id for row in self._hand.run("SELECT id FROM account WHERE NOT active")]
        if not gone:
            return []
        rows = self._hand.run(
            f"SELECT id FROM delivery WHERE {dialect.any_of('account_id', 'gone')}"
            f" AND (state = 'queued' AND expires_at <= {dialect.now}"
            f" OR state = 'uncertain' AND lookup_at <= {dialect.now})"
            f" ORDER BY id LIMIT :limit {dialect.skip_locked}",
            gone=dialect.ids(gone),
            limit=limit,
        ).all()
        return list(self._with_attempts([row.id for row in rows]).values())

    def due_lookups(self, account: AccountRow, *, limit: int, again_in: timedelta) -> Sequence[LookUp]:
        """Uncertain deliveries whose look-up is due; each is put off so that one worker asks."""
        hand, dialect = self._hand, self._hand.dialect
        ids = [
            row.id
            for row in hand.run(
                "SELECT id FROM delivery WHERE state = 'uncertain' AND account_id = :account"
                f" AND lookup_at <= {dialect.now} ORDER BY lookup_at LIMIT :limit {dialect.skip_locked}",
                account=account.id,
                limit=limit,
            )
        ]
        if not ids:
            return []
        later = dialect.after("again")
        hand.run(
            f"UPDATE delivery SET lookup_at = {later} WHERE {dialect.any_of('id', 'ids')}",
            ids=dialect.ids(ids),
            again=hand.interval(again_in),
        )
        return self._lookups(account, ids)

    def withdraw_queued(
        self,
        announcement: int,
        *,
        limit: int,
        code: str = "withdrawn",
        why: str = "the announcement was withdrawn",
    ) -> Sequence[int]:
        """Queued deliveries of an announcement that is over become withdrawn; returns which."""
        dialect = self._hand.dialect
        rows = self._hand.run(
            f"{_KNOWN} WHERE announcement_id = :announcement AND state = 'queued'"
            f" ORDER BY id LIMIT :limit {dialect.skip_locked}",
            announcement=announcement,
            limit=limit,
        ).all()
        self.move(
            [
                Move(
                    r.id,
                    announcement,
                    r.channel,
                    State.QUEUED,
                    "withdraw",
                    State.WITHDRAWN,
                    code=code,
                    why=why,
                )
                for r in rows
            ]
        )
        return [row.id for row in rows]

    def _lookups(self, account: AccountRow, ids: Sequence[int]) -> list[LookUp]:
        dialect = self._hand.dialect
        rows = self._hand.connection.execute(
            text(
                "SELECT d.id, d.announcement_id, d.lookups, d.address_id, ad.value, a.id AS attempt, a.fence,"
                " a.digest, a.started_at, a.gateway FROM delivery d JOIN attempt a ON a.delivery_id = d.id"
                " LEFT JOIN address ad ON ad.id = d.address_id"
                f" WHERE {dialect.any_of('d.id', 'ids')} AND a.fence = (SELECT max(fence) FROM attempt b"
                " WHERE b.delivery_id = d.id)"
            ).columns(started_at=Moment, value=String, id=Id),
            {"ids": dialect.ids(ids)},
        ).all()
        known = self._provider_ids(account, rows)
        return [
            LookUp(
                delivery=row.id,
                announcement=row.announcement_id,
                lookups=row.lookups,
                attempt=PastAttempt(
                    key=Key(row.id, row.attempt, row.fence),
                    started_at=row.started_at,
                    address=row.value or "",
                    digest=row.digest,
                    known=frozenset(_of_gateway(known[row.address_id], row.gateway, account.channel)),
                ),
                gateway=row.gateway,
            )
            for row in rows
        ]

    def _provider_ids(
        self, account: AccountRow, rows: Sequence[Row[Any]]
    ) -> Mapping[int | None, set[tuple[str, str]]]:
        """Gateways and provider ids bound already to attempts at these addresses: never given to another attempt.

        By way of the announcements that could still send when the oldest of these attempts began, or a day before: what
        a provider lists since then began then. An index by address would be written three times for each delivery, all
        over itself, for the sake of these few.
        """
        found: dict[int | None, set[tuple[str, str]]] = defaultdict(set)
        if not rows:
            return found
        dialect = self._hand.dialect
        address = dialect.any_of("coalesce(d.address_id, 0)", "ids")  # as in the index: the public is 0
        bound = self._hand.connection.execute(
            text(
                "SELECT d.address_id, a.gateway, a.provider_id FROM announcement an"
                f" JOIN delivery d ON d.announcement_id = an.id AND d.channel = :channel AND {address}"
                " JOIN attempt a ON a.delivery_id = d.id"
                " WHERE an.expires_at > :since AND d.account_id = :account AND a.provider_id IS NOT NULL"
            ).bindparams(bindparam("since", type_=Moment)),
            {
                "account": account.id,
                "channel": account.channel,
                "ids": dialect.ids(sorted({row.address_id or 0 for row in rows} | {0})),
                "since": min(row.started_at for row in rows) - _BOUND,
            },
        )
        for row in bound:
            found[row.address_id].add((row.gateway, row.provider_id))
        return found

    def _lock(self, ids: Sequence[int]) -> dict[int, KnownDelivery]:
        if not ids:
            return {}
        dialect = self._hand.dialect
        self._hand.run(
            f"SELECT id FROM delivery WHERE {dialect.any_of('id', 'ids')} ORDER BY id {dialect.lock}",
            ids=dialect.ids(ids),
        ).all()
        return self._with_attempts(ids)

    def _with_attempts(self, ids: Sequence[int]) -> dict[int, KnownDelivery]:
        """Deliveries locked already, read anew, so that what was committed while we waited for them is seen."""
        if not ids:
            return {}
        dialect = self._hand.dialect
        attempts: dict[int, list[KnownAttempt]] = defaultdict(list)
        for row in self._hand.run(
            "SELECT id, delivery_id, fence, evidence, gateway FROM attempt"
            f" WHERE {dialect.any_of('delivery_id', 'ids')} ORDER BY delivery_id, fence",
            ids=dialect.ids(ids),
        ):
            evidence = Evidence(row.evidence) if row.evidence else None
            attempts[row.delivery_id].append(KnownAttempt(row.id, row.fence, evidence, row.gateway))
        rows = self._hand.run(
            f"{_KNOWN} WHERE {dialect.any_of('id', 'ids')} ORDER BY id", ids=dialect.ids(ids)
        )
        return {
            row.id: KnownDelivery(
                delivery=row.id,
                announcement=row.announcement_id,
                channel=row.channel,
                account=row.account_id,
                address_id=row.address_id,
                state=State(row.state),
                fence=row.fence,
                requeued_fence=row.requeued_fence,
                burned=row.burned,
                settled=bool(row.settled),
                attempts=tuple(attempts[row.id]),
            )
            for row in rows
        }


def _of_gateway(bound: Iterable[tuple[str, str]], gateway: str, channel: str) -> Iterator[str]:
    """The ids that one gateway gave; attempts from before there were gateways name their channel."""
    return (given for where, given in bound if where in (gateway, channel) or gateway == channel)
