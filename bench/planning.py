"""`python -m bench.planning [--size N] [--explain]`: what planning a million deliveries costs on PostgreSQL, and where.

For each a duty, a delivery and a cover are written; nothing is sent. With --explain, PostgreSQL says of every statement
what it did (EXPLAIN ANALYZE, buffers, WAL).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import psutil  # type: ignore[import-untyped] # its stubs lag behind it
from sqlalchemy import Engine, event

from bench.crowd import fill
from bench.ground import ACTOR, School, as_shipped
from bench.words import MAIL_SENDER
from broker import fanout
from broker.address import AddressKind
from config.assembly import assemble
from config.settings import Settings
from tests.support.postgres import PostgresServer

EXPLAIN = (
    "LOAD 'auto_explain'",
    "SET auto_explain.log_min_duration = 0",
    "SET auto_explain.log_analyze = on",
    "SET auto_explain.log_buffers = on",
    "SET auto_explain.log_wal = on",
    "SET auto_explain.log_level = notice",
)


@dataclass
class Planned:
    """How one announcement was planned: seconds in all, of each partition, and of each kind of statement."""

    deliveries: int = 0
    seconds: float = 0.0
    database_cpu: float = 0.0
    partitions: list[float] = field(default_factory=list)
    statements: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def each(self) -> float:
        """Microseconds a delivery, from the first statement to the last commit."""
        return self.seconds / self.deliveries * 1e6

    @property
    def cpu_each(self) -> float:
        """Microseconds of the database's CPU a delivery, its writing behind included."""
        return self.database_cpu / self.deliveries * 1e6

    @property
    def slowing(self) -> float:
        """The last tenth of the partitions beside the second tenth; 1 is flat."""
        tenth = max(1, len(self.partitions) // 10)
        second = self.partitions[tenth : 2 * tenth] or self.partitions
        return median(self.partitions[-tenth:]) / median(second)


def planned(school: School, size: int, server: PostgresServer) -> Planned:
    """Plan one announcement to the group of `size`."""
    found = Planned()
    said = school.accepted("email", size)
    with _timed(school.house.ledger.engine, found):
        cpu, began = _cpu(server), time.monotonic()
        found.deliveries = fanout.plan(school.house.ports, said.public_id, actor=ACTOR)
        found.seconds, found.database_cpu = time.monotonic() - began, _cpu(server) - cpu
    if found.deliveries != size:
        raise AssertionError(f"{found.deliveries} deliveries were planned, not {size}")
    return found


@contextmanager
def crowded(size: int) -> Iterator[tuple[School, PostgresServer]]:
    """A school of so many families on a PostgreSQL of its own, with mails as its only way."""
    with ExitStack() as held:
        folder = held.enter_context(tempfile.TemporaryDirectory(prefix="carillon-bench-"))
        server = as_shipped().start()
        held.callback(server.stop)
        settings: dict[str, Any] = {
            "data_dir": str(Path(folder) / "var"),
            "database_url": server.fresh(),
            "queue_url": "memory://",
            "secret_key": "a-secret-of-the-bench-and-of-nobody-else",
            "sandbox": True,
            "log_level": "WARNING",
            "accounts": {
                "mails": {
                    "channel": "email",
                    "host": "127.0.0.1",
                    "port": 9,
                    "security": "none",
                    "sender": MAIL_SENDER,
                    "reply_to": MAIL_SENDER,
                }
            },
        }
        house = held.enter_context(assemble(Settings.of(**settings), serves=True, upgrade=True))
        fill(house.ledger, size, (AddressKind.EMAIL,))
        yield School(house), server


@contextmanager
def _timed(engine: Engine, found: Planned) -> Iterator[None]:
    began = [0.0]

    def before(*_: Any) -> None:
        began[0] = time.monotonic()

    def after(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        took = time.monotonic() - began[0]
        kind = _kind(statement)
        found.statements[kind] += took
        if kind == "INSERT delivery, delivery_covers":
            found.partitions.append(took)

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)


def _kind(statement: str) -> str:
    """What a statement does, for a table: INSERT duty."""
    if "INSERT INTO delivery_covers" in statement:
        return "INSERT delivery, delivery_covers"
    words = statement.split()
    of = {"INSERT": "INTO", "UPDATE": "UPDATE", "SELECT": "FROM"}.get(words[0])
    return f"{words[0]} {words[words.index(of) + 1]}" if of in words else words[0]


def _cpu(server: PostgresServer) -> float:
    own = psutil.Process(server.pid)
    used = own.cpu_times()
    total = used.user + used.system + used.children_user + used.children_system
    for child in own.children(recursive=True):
        times = child.cpu_times()
        total += times.user + times.system
    return float(total)


def _explain(engine: Engine) -> None:
    """Let every connection from here on say what its statements did."""

    def say(driver: Any, _record: object) -> None:
        with driver.cursor() as cursor:
            for statement in EXPLAIN:
                cursor.execute(statement)
        driver.commit()
        driver.add_notice_handler(lambda said: sys.stderr.write(f"{said.message_primary}\n\n"))

    engine.dispose()
    event.listen(engine, "connect", say)


def main() -> int:
    """Measure, say, end."""
    parser = argparse.ArgumentParser(prog="python -m bench.planning", description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000, help="how many families")
    parser.add_argument(
        "--explain", action="store_true", help="say what every statement did, on standard error"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    told = parser.parse_args()
    with crowded(told.size) as (school, server):
        if told.explain:
            _explain(school.house.ledger.engine)
        found = planned(school, told.size, server)
    print(
        f"{found.deliveries:,} deliveries: {found.each:.1f} µs each, {found.cpu_each:.1f} of it the database's CPU"
    )
    print(f"the last tenth beside the second: {found.slowing:.2f}")
    for kind, seconds in sorted(found.statements.items(), key=lambda item: -item[1])[:6]:
        print(f"{seconds / found.deliveries * 1e6:9.2f} µs  {kind}")
    if told.json:
        figures = {"each": found.each, "cpu_each": found.cpu_each, "slowing": found.slowing}
        print(json.dumps({"planning_us": {name: round(value, 2) for name, value in figures.items()}}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
