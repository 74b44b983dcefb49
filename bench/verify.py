"""`python -m bench.verify [--size N] [--json]`: how fast the record is verified, read from PostgreSQL.

A record as sending writes it: windows of twenty tries, an entry each, sealed every few thousand transitions, with the
announcements, deliveries and attempts that it tells of. Measured: the chain alone, and the whole audit with every row.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import insert, text

from broker.actor import SYSTEM
from broker.announcement import People, Purpose, Urgency
from broker.record import Entry
from config.signer import HmacSigner
from ledger import record
from ledger import tables as t
from ledger.connect import Ledger, open_ledger
from ledger.migrate import upgrade
from ledger.scrutiny.audit import audit
from ledger.setup import ConfiguredAccount, School, install
from tests.support.postgres import PostgresServer

SIZE = 1_000_000
AN_ANNOUNCEMENT = 20_000  # deliveries
WINDOW = 20  # tries that one entry tells of
A_TRANSACTION = 50  # entries; some seconds of sending are under one seal
AIM = 100_000  # transitions a second
NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Verified:
    """One way of verifying: transitions a second of wall clock, CPU seconds of ours, and the peak of our memory."""

    what: str
    transitions: int
    entries: int
    seconds: float
    cpu_seconds: float
    peak_mib: int

    @property
    def a_second(self) -> float:
        """Transitions verified a second."""
        return self.transitions / self.seconds


def fill(ledger: Ledger, size: int) -> None:
    """Write what sending `size` texts leaves behind."""
    install(ledger, School("bench", "Bench", "Europe/London", "en-GB", "GB"), {"office": "Office"}, [
        ConfiguredAccount("texts", "sms")
    ])  # fmt: skip
    for first in range(1, size + 1, AN_ANNOUNCEMENT):
        last = min(first + AN_ANNOUNCEMENT - 1, size)
        with ledger.begin() as tx:
            said = _announcement(tx.hand.connection)
            tx.hand.run(
                "INSERT INTO delivery (id, announcement_id, channel, account_id, address_id, lane, state, due_at,"
                " expires_at, created_at, changed_at) SELECT n, :said, 'sms', 1, n, 'routine', 'sent', now(),"
                " now(), now(), now() FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) n",
                said=said, first=first, last=last,
            )  # fmt: skip
            tx.hand.run(
                "INSERT INTO attempt (id, delivery_id, fence, account_id, gateway, digest, started_at, ended_at,"
                " outcome) SELECT n, n, 1, 1, 'sms', repeat('0', 64), now(), now(), 'accept'"
                " FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) n",
                first=first, last=last,
            )  # fmt: skip
        for entries in _windows(said, first, last):
            with ledger.begin() as tx:
                tx.record.add(entries)
            with ledger.begin() as tx:
                tx.record.seal()
    with ledger.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def _announcement(connection: object) -> int:
    values = {
        "public_id": uuid4(), "department_id": 1, "digest": "0" * 64, "actor_kind": "system", "actor_id": "carillon",
        "purpose": Purpose.SERVICE.value, "urgency": Urgency.ROUTINE.value, "audience": "everyone",
        "people": People.GUARDIANS.value, "ways": '[["sms"]]', "accepted_at": NOW, "due_at": NOW, "expires_at": NOW,
    }  # fmt: skip
    made = insert(t.announcement).values(values).returning(t.announcement.c.id)
    return int(connection.execute(made).scalar_one())  # type: ignore[attr-defined]


def _windows(said: int, first: int, last: int) -> Iterator[list[Entry]]:
    accepted = Entry("announcement.accepted", SYSTEM, {}, said)
    entries = [accepted]
    for begin in range(first, last + 1, WINDOW):
        tries = [
            [n, n, "accept", "", "0123456789abcdef0123456789abcdef"]
            for n in range(begin, min(begin + WINDOW, last + 1))
        ]
        entries.append(Entry("deliveries.tried", SYSTEM, {"account": "texts", "tries": tries}, said))
        if len(entries) >= A_TRANSACTION:
            yield entries
            entries = []
    if entries:
        yield entries


def measured(what: str, size: int, verify: Callable[[], int]) -> Verified:
    """Once over all of it."""
    cpu, began = time.process_time(), time.perf_counter()
    entries = verify()
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Verified(what, size, entries, seconds, time.process_time() - cpu, peak)


def both(url: str, size: int) -> list[Verified]:
    """The chain alone, then everything; ends with what is wrong where it does not verify."""
    upgrade(url)
    ledger = open_ledger(url, HmacSigner(b"a secret of the bench"))
    fill(ledger, size)

    def chain() -> int:
        with ledger.reading() as hand:
            found = record.verify(hand.connection)
        if not found.ok:
            raise SystemExit(found.first_fault)
        return found.entries

    def whole() -> int:
        found = audit(ledger)
        if not found.ok or found.rows.transitions != size:
            raise SystemExit(f"{found.rows.transitions} transitions: {found.faults[:3]}")
        return found.seals.entries

    try:
        return [measured("the chain", size, chain), measured("the chain and every row", size, whole)]
    finally:
        ledger.close()


def main() -> int:
    """Fill, verify, say, end; 1 where it does not verify."""
    parser = argparse.ArgumentParser(prog="python -m bench.verify", description=__doc__)
    parser.add_argument("--size", type=int, default=SIZE, help="transitions")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    server = PostgresServer().start()
    try:
        results = both(server.fresh(), asked.size)
    finally:
        server.stop()
    for each in results:
        if not asked.json:
            sys.stdout.write(
                f"{each.what}: {each.a_second:,.0f} transitions/s ({each.entries:,} entries, {each.seconds:.1f} s,"
                f" CPU {each.cpu_seconds:.1f} s, at most {each.peak_mib} MiB); aim {AIM:,}\n"
            )
    if asked.json:
        told = [{**asdict(each), "a_second": round(each.a_second)} for each in results]
        sys.stdout.write(json.dumps({"verify": told, "aim": AIM}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
