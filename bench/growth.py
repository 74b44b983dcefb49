"""`python -m bench.growth`: does any statement grow dearer with what a ledger remembers?

The same texts are planned and sent from two ledgers in turn, a fresh one and one with a million finished deliveries
behind it, and the office's pages are read in both. PostgreSQL keeps the time of each statement, and the pages it looked
at (pg_stat_statements). The history is written by a few statements of ours, as the product would have left it, and the
statistics are gathered when all of it is finished, which is the worst moment there is.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import make_url

from bench.crowd import fill
from bench.ground import ACTOR, TOKEN, Ground, School
from bench.mailroom import Mailroom
from bench.player import Player
from broker.address import AddressKind
from broker.announcement import Announcement
from broker.record import Entry
from config.assembly import assemble
from config.settings import Settings
from ledger.reads import deliveries, health, reached, status, watch
from sandbox.client import start_sandbox
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer

FLAT = 1.5  # times the pages, beyond which a statement has grown
FEW = 20  # pages
MATTERS = 1.0  # µs a delivery; less is noise
ENTRIES = 100  # of the record, for each past announcement
READS = 3

# One announcement to everybody of one way, and everything that its sending left behind.
_PAST = (
    """INSERT INTO duty (announcement_id, person_id)
    SELECT :id, m.person_id FROM membership m ORDER BY m.person_id""",
    """INSERT INTO delivery (announcement_id, channel, account_id, address_id, lane, state, fence, due_at, expires_at,
    created_at, changed_at)
    SELECT :id, 'sms', (SELECT id FROM account WHERE name = 'texts'), address.id, 'routine', 'sent', 1,
    now(), now() + interval '1 day', now(), now() FROM address ORDER BY address.id""",
    """INSERT INTO delivery_covers (delivery_id, duty_id)
    SELECT d.id, du.id FROM delivery d JOIN person_address pa ON pa.address_id = d.address_id
    JOIN guardianship g ON g.guardian_id = pa.person_id
    JOIN duty du ON du.person_id = g.pupil_id AND du.announcement_id = :id WHERE d.announcement_id = :id""",
    """INSERT INTO attempt (delivery_id, fence, account_id, gateway, digest, started_at, ended_at, outcome, evidence,
    provider_id)
    SELECT id, 1, account_id, 'twilio', repeat(md5(id::text), 2), now(), now(), 'accept', 'sent',
    'SM' || md5(id::text) FROM delivery WHERE announcement_id = :id""",
    "INSERT INTO tally (announcement_id, channel, state, n) VALUES (:id, 'sms', 'sent', :size)",
    "UPDATE announcement SET fanned_out_at = now() WHERE id = :id",
)


class Cost(NamedTuple):
    """Of all calls of a statement: how many, milliseconds, and pages looked at, which do not depend on the machine."""

    calls: int = 0
    took: float = 0.0
    pages: int = 0

    def and_(self, other: Cost) -> Cost:
        """Both together."""
        return Cost(self.calls + other.calls, self.took + other.took, self.pages + other.pages)


class Watched(PostgresServer):
    """A server that keeps the time of every statement."""

    def command(self) -> list[str]:
        """As always, with one library more."""
        return [*super().command(), "-c", "shared_preload_libraries=pg_stat_statements"]

    def reset(self) -> None:
        """Forget what was kept."""
        self._ask("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        self._ask("SELECT pg_stat_statements_reset()")

    def kept(self, database_url: str) -> dict[str, Cost]:
        """Statement → what it cost in one database."""
        name = make_url(database_url).database
        rows = self._ask(
            "SELECT query, sum(calls)::bigint, sum(total_exec_time), sum(shared_blks_hit + shared_blks_read)::bigint"
            " FROM pg_stat_statements s"
            " JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = %s GROUP BY query",
            name,
        )
        return {" ".join(query.split()): Cost(*cost) for query, *cost in rows}

    def _ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            found = connection.execute(statement, values)
            return found.fetchall() if found.description else []


@dataclass
class Side:
    """One of the two ledgers, and the worker that sends from it."""

    school: School
    worker: Player
    found: dict[str, Cost]

    def round(self, server: Watched, size: int) -> None:
        """Plan, send, read; and add what each statement took."""
        server.reset()
        said = self.school.planned("sms", size)
        self.worker.play(account="texts")
        if (states := self.school.states(said)) != {"sent": size}:
            raise AssertionError(f"not everything was sent: {states}")
        _read(self.school, said)
        for query, cost in server.kept(self.school.house.settings.database_url).items():
            before = self.found.get(query, Cost())
            self.found[query] = before.and_(cost)


def measure(size: int, history: int, rounds: int) -> tuple[Side, Side]:
    """The fresh side and the grown one, after so many rounds each, in turn."""
    with _ground() as (ground, server), contextlib.ExitStack() as held:
        fresh, grown = (_side(ground, size, past, held) for past in (0, history))
        for turn in range(rounds):
            for side in (fresh, grown) if turn % 2 else (grown, fresh):
                side.round(server, size)
    return fresh, grown


@contextlib.contextmanager
def _ground() -> Iterator[tuple[Ground, Watched]]:
    with contextlib.ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="carillon-bench-")))
        server = Watched().start()
        held.callback(server.stop)
        redis = RedisServer().start()
        held.callback(redis.stop)
        sandbox = held.enter_context(start_sandbox(folder / "truth.jsonl", auth_token=TOKEN))
        mailroom = held.enter_context(Mailroom(folder / "mails"))
        yield Ground(folder, server, redis, sandbox, mailroom, ()), server


def _side(ground: Ground, size: int, history: int, held: contextlib.ExitStack) -> Side:
    settings = ground.settings(ground.postgres.fresh())
    house = held.enter_context(assemble(Settings.of(**settings), serves=True, upgrade=True))
    fill(house.ledger, size, (AddressKind.MOBILE,))
    school = School(house)
    for _ in range(history // size):
        past(school, size)
    with house.ledger.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")
    return Side(school, held.enter_context(Player("carillon", **settings)), {})


def past(school: School, size: int, *, department: str = "office") -> Announcement:
    """An announcement that was sent to everybody, as it looks some time afterwards."""
    said = school.accepted("sms", size, department=department)
    with school.house.ledger.begin() as tx:
        for statement in _PAST:
            values = {"id": said.id, "size": size}
            tx.hand.run(
                statement, **{name: value for name, value in values.items() if f":{name}" in statement}
            )
        tx.record.add([Entry("deliveries.sent", ACTOR, {"count": n}, said.id) for n in range(ENTRIES)])
    with school.house.ledger.begin() as tx:
        tx.record.seal()
    return said


def _read(school: School, said: Announcement) -> None:
    for _ in range(READS):
        with school.house.ledger.reading() as hand:
            status.status(hand, said.public_id)
            reached.reached(hand, said)
            deliveries.deliveries(hand, deliveries.Wanted())
            deliveries.deliveries(hand, deliveries.FAILURES)
            deliveries.deliveries(hand, deliveries.Wanted(announcement=said.public_id))
            watch.signature(hand)
            watch.shown(hand)
            watch.reasons(hand, said.id)
            health.health(hand)


def _compared(fresh: Side, grown: Side, sent: int) -> list[Row]:
    """A row for each statement that takes a share, the dearest first."""
    rows = [
        Row(query, fresh.found[query], cost, cost.took / sent * 1000)
        for query, cost in grown.found.items()
        if query in fresh.found and cost.took / sent * 1000 > MATTERS / 10
    ]
    return sorted(rows, key=lambda row: -row.share)


class Row(NamedTuple):
    """A statement on both sides; `share` is its microseconds a text."""

    query: str
    fresh: Cost
    grown: Cost
    share: float

    @property
    def pages(self) -> tuple[float, float]:
        """Pages a call, on both sides."""
        return self.fresh.pages / self.fresh.calls, self.grown.pages / self.grown.calls

    @property
    def has_grown(self) -> bool:
        """Half as many pages again, and so many more that an index one level higher is not all of it."""
        was, now = self.pages
        return self.share > MATTERS and now > FLAT * was + FEW

    def __str__(self) -> str:
        was, now = self.pages
        took = self.fresh.took / self.fresh.calls, self.grown.took / self.grown.calls
        return (
            f"{'!' if self.has_grown else ' '}{self.grown.calls:7d} {was:9.0f} {now:9.0f} "
            f" {took[0]:9.3f} {took[1]:9.3f} {self.share:8.2f}  {self.query[:150]}"
        )


def main() -> int:
    """Measure, say, end; exit 1 where something that matters has grown."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--size", type=int, default=20_000, help="texts a round, and families")
    parser.add_argument("--history", type=int, default=1_000_000, help="finished deliveries")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    told = parser.parse_args()
    fresh, grown = measure(told.size, told.history, told.rounds)
    rows = _compared(fresh, grown, told.size * told.rounds)
    print("   calls     pages, fresh and grown   ms, fresh and grown   µs/text")
    for row in rows:
        print(row)
    worse = [row.query[:80] for row in rows if row.has_grown]
    if told.json:
        print(json.dumps({"grown": worse}))
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
