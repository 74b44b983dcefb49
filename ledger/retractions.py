"""What is to be taken back from the public, and when next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import String, Uuid, exists, func, insert, literal, literal_column, select, text

from broker.delivery import REACHED
from broker.values import Retraction
from ledger.hand import Hand
from ledger.tables import Moment, delivery, retraction

# What is still queued, being sent or uncertain may yet get there: it waits here until it does.
_DUE = (
    "SELECT r.delivery_id FROM retraction r WHERE r.due_at <= {now} AND EXISTS"
    " (SELECT 1 FROM delivery d WHERE d.id = r.delivery_id AND d.state IN ("
    + ", ".join(f"'{state.value}'" for state in sorted(REACHED))
    + "))"
)


class Retractions:
    """See broker.ports.Retractions."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def want(self, announcement: int, *, but: Collection[str] = ()) -> None:
        """Every public delivery of an announcement is to be taken back as soon as it is there, `but` by these ways."""
        d = delivery.c
        # By the unique index, which holds the public under 0.
        public = (
            d.announcement_id == announcement,
            func.coalesce(d.address_id, literal_column("0")) == literal_column("0"),
        )
        known = exists().where(retraction.c.delivery_id == d.id)
        chosen = select(d.id, literal(self._hand.now, Moment())).where(*public, d.channel.not_in(but), ~known)
        self._hand.connection.execute(insert(retraction).from_select(["delivery_id", "due_at"], chosen))

    def is_due(self) -> bool:
        """Whether something is to be taken back now; reads only."""
        found = self._hand.run(f"{_DUE} LIMIT 1".format(now=self._hand.dialect.now))
        return found.first() is not None

    def due(self, *, limit: int, again_in: timedelta) -> Sequence[Retraction]:
        """What is to be taken back now; each is put off by `again_in` so that one worker does it."""
        hand, dialect = self._hand, self._hand.dialect
        picked = f"{_DUE} ORDER BY r.due_at LIMIT :limit {dialect.skip_locked}".format(now=dialect.now)
        ids = [row.delivery_id for row in hand.run(picked, limit=limit)]
        if not ids:
            return []
        hand.run(
            f"UPDATE retraction SET due_at = {dialect.after('again')}"
            f" WHERE {dialect.any_of('delivery_id', 'ids')}",
            ids=dialect.ids(ids),
            again=hand.interval(again_in),
        )
        return self._read(ids)

    def put_off(self, delivery: int, *, failures: int, by: timedelta) -> None:
        """It could not be taken back: try again later."""
        self._hand.run(
            f"UPDATE retraction SET due_at = {self._hand.dialect.after('by')}, failures = :failures"
            " WHERE delivery_id = :delivery",
            delivery=delivery,
            failures=failures,
            by=self._hand.interval(by),
        )

    def drop(self, delivery: int) -> None:
        """Nothing more is to be taken back."""
        self._hand.run("DELETE FROM retraction WHERE delivery_id = :delivery", delivery=delivery)

    def _read(self, ids: Sequence[int]) -> list[Retraction]:
        hand, dialect = self._hand, self._hand.dialect
        posts: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for row in hand.run(
            "SELECT delivery_id, gateway, provider_id FROM attempt WHERE provider_id IS NOT NULL"
            f" AND {dialect.any_of('delivery_id', 'ids')} ORDER BY fence",
            ids=dialect.ids(ids),
        ):
            posts[row.delivery_id].append((row.gateway, row.provider_id))
        rows = hand.connection.execute(
            text(
                "SELECT r.delivery_id, r.failures, d.announcement_id, a.public_id, account.name"
                " FROM retraction r JOIN delivery d ON d.id = r.delivery_id"
                " JOIN announcement a ON a.id = d.announcement_id JOIN account ON account.id = d.account_id"
                f" WHERE {dialect.any_of('r.delivery_id', 'ids')} ORDER BY r.delivery_id"
            ).columns(public_id=Uuid, name=String),
            {"ids": dialect.ids(ids)},
        )
        return [
            Retraction(
                row.delivery_id,
                row.announcement_id,
                row.public_id,
                row.name,
                tuple(dict.fromkeys(posts[row.delivery_id])),
                row.failures,
            )
            for row in rows
        ]
