"""What was sent, counted by the hour: attempts are read once, in the order of their ids, when they are over."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, update

from broker.delivery import Event
from broker.figures import FAILED, GIVEN_UP_AFTER, SETTLED_AFTER, span_of
from broker.ports.figures import Counted, FiguresRead
from ledger import tables as t
from ledger.dialect import Column, Dialect
from ledger.hand import Hand

_COUNT: tuple[Column, ...] = (
    ("hour", "text"),
    ("department_id", "bigint"),
    ("channel", "text"),
    ("took", "integer"),
    ("n", "bigint"),
)
QUARTER = 15 * 60  # seconds: every zone's hours begin with a quarter of an hour
_ENDED = f"('{Event.ACCEPT.value}', '{Event.REJECT.value}', '{Event.EXHAUST.value}', '{Event.LOSE.value}')"


class Figures:
    """See broker.ports.figures."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def read(self, *, most: int) -> FiguresRead | None:
        """The next attempts that are over. Up to the first one that may still come to something."""
        hand, clock = self._hand, self._hand.dialect.seconds
        after = self._after() or 0
        age = f"{clock(hand.dialect.now)} - {clock('started_at')}"
        row = hand.run(
            "SELECT max(id) AS last,"
            f" min(CASE WHEN {age} < :settled OR (ended_at IS NULL AND {age} < :given_up) THEN id END) AS open"
            " FROM (SELECT id, started_at, ended_at FROM attempt WHERE id > :after ORDER BY id LIMIT :most) AS x",
            after=after,
            most=most,
            settled=SETTLED_AFTER.total_seconds(),
            given_up=GIVEN_UP_AFTER.total_seconds(),
        ).one()
        until = row.last if row.open is None else row.open - 1
        if until is None or until <= after:
            return None
        return FiguresRead(after, until, self._counts(after, until))

    def fold(self, read: FiguresRead) -> int:
        """Add what was read, if it follows on what is counted already."""
        run = self._hand.connection.execute
        known, u = self._after(), t.figures_until.c
        if (known or 0) != read.after:
            return 0
        if known is None:
            run(insert(t.figures_until).values(id=1, attempt_id=read.until))
        else:
            moved = run(
                update(t.figures_until).where(u.attempt_id == read.after).values(attempt_id=read.until)
            )
            if not moved.rowcount:
                return 0
        if read.counts:
            self._hand.run_rows(
                "INSERT INTO figure (hour, department_id, channel, took, n)"
                f" SELECT hour, department_id, channel, took, n FROM {self._hand.dialect.rows(_COUNT)} WHERE true"
                " ON CONFLICT (hour, department_id, channel, took) DO UPDATE SET n = figure.n + excluded.n",
                _COUNT,
                [(*key, n) for key, n in sorted(read.counts.items())],
            )
        return sum(read.counts.values())

    def _after(self) -> int | None:
        return self._hand.connection.execute(select(t.figures_until.c.attempt_id)).scalar_one_or_none()

    def _counts(self, after: int, until: int) -> Counter[Counted]:
        by = "quarter, department_id, channel, went, halves"
        rows = self._hand.run(
            f"SELECT {by}, count(*) AS n FROM ({_each(self._hand.dialect)}) AS x GROUP BY {by}",
            after=after,
            until=until,
        )
        zone = ZoneInfo(str(self._hand.connection.execute(select(t.school.c.zone)).scalar_one()))
        counts: Counter[Counted] = Counter()
        for row in rows:
            wall = datetime.fromtimestamp(row.quarter * QUARTER, UTC).astimezone(zone)
            took = span_of(row.halves / 2) if row.went else FAILED
            counts[(f"{wall:%Y-%m-%d %H}", row.department_id, row.channel, took)] += row.n
        return counts


def _each(dialect: Dialect) -> str:
    """SQL for one row an attempt: when, whose, by which way, how many half seconds since it was due."""
    clock = dialect.seconds
    first = "(SELECT min(f.started_at) FROM attempt f WHERE f.delivery_id = d.id)"
    # A delivery that is tried anew is due anew: then what counts is when it was first tried.
    since = f"CASE WHEN t.fence > 1 AND {first} < d.due_at THEN {first} ELSE d.due_at END"
    return (
        f"SELECT CAST({clock('t.ended_at')} AS bigint) / {QUARTER} AS quarter, a.department_id, d.channel,"
        f" CASE WHEN t.outcome = '{Event.ACCEPT.value}' THEN 1 ELSE 0 END AS went,"
        f" CAST(2 * ({clock('t.ended_at')} - {clock(since)}) AS bigint) AS halves"
        " FROM attempt t JOIN delivery d ON d.id = t.delivery_id JOIN announcement a ON a.id = d.announcement_id"
        f" WHERE t.id > :after AND t.id <= :until AND t.ended_at IS NOT NULL AND t.outcome IN {_ENDED}"
    )
