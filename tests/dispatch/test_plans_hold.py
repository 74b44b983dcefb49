"""No hot statement reads through what a ledger remembers: each walks an index to the rows that it means.

Told by the databases themselves, of every statement of a delivery's life. Times would depend on the machine; a plan
does not, once PostgreSQL is forbidden to read tables through (it then does so only where there is no other way).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from broker import fanout, intake
from broker.actor import SYSTEM
from broker.announcement import Announcement, Urgency
from broker.channel import Key, Receipt
from broker.delivery import Evidence
from broker.testing.channel_bench import Fault
from broker.testing.provider import pretend_news
from ledger import tables as t
from ledger.reads import deliveries, health, reached, status, watch
from tests.support.broker_world import World

# They grow with every announcement, and are never emptied.
GROWING = frozenset(
    table.name
    for table in (
        t.duty,
        t.delivery,
        t.delivery_covers,
        t.attempt,
        t.receipt,
        t.record_entry,
        t.record_seal,
        t.tally,
    )
)
# Those of work that is there to do are walked from end to end, and hold nothing else.
PARTIAL = frozenset(
    index.name
    for table in t.metadata.sorted_tables
    for index in table.indexes
    if index.dialect_options["postgresql"]["where"] is not None
)
HISTORY = (
    "INSERT INTO duty (announcement_id, person_id) SELECT :past, n FROM generate_series(100000, 102000) n",
    """INSERT INTO delivery (announcement_id, channel, account_id, address_id, lane, state, fence, due_at, expires_at,
    created_at, changed_at) SELECT :past, 'sms', 1, person_id, 'routine', 'sent', 1, now(), now(), now(), now()
    FROM duty WHERE announcement_id = :past""",
    """INSERT INTO delivery_covers (delivery_id, duty_id) SELECT d.id, du.id FROM delivery d
    JOIN duty du ON du.announcement_id = d.announcement_id AND du.person_id = d.address_id""",
    """INSERT INTO attempt (delivery_id, fence, account_id, gateway, digest, started_at, provider_id)
    SELECT id, 1, 1, 'pretend', '', now(), 'past' || id FROM delivery""",
)
Told = dict[str, Any]  # statement → its parameters


@contextmanager
def heard(engine: Engine, told: Told) -> Iterator[None]:
    """Every statement that is run, as the driver gets it."""

    def tell(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if re.match(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b", statement):
            told[statement] = parameters

    event.listen(engine, "before_cursor_execute", tell)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", tell)


def test_sending_reads_through_nothing_that_grows(thirty: World) -> None:
    told: Told = {}
    _a_life(thirty, told)
    assert len(told) > 40
    assert reading_through(thirty.ledger.engine, told) == []


def test_the_offices_pages_read_through_nothing_that_grows(thirty: World) -> None:
    said, told = _a_life(thirty, {}), Told()
    with heard(thirty.ledger.engine, told), thirty.ledger.reading() as hand:
        found = status.status(hand, said.public_id)
        assert found is not None
        reached.reached(hand, found.announcement)
        reached.reached(hand, found.announcement, unmet=True)
        deliveries.deliveries(hand, deliveries.Wanted())
        deliveries.deliveries(hand, deliveries.FAILURES)
        deliveries.deliveries(hand, deliveries.Wanted(announcement=said.public_id))
        deliveries.page(hand, deliveries.Wanted(announcement=said.public_id))
        watch.signature(hand)
        watch.shown(hand)
        watch.awaiting(hand)
        watch.reasons(hand, said.id)
        health.health(hand)
    assert reading_through(thirty.ledger.engine, told) == []


def test_what_waits_for_a_yes_is_found_by_the_index_of_what_is_not_planned(thirty: World) -> None:
    _remember(thirty)
    said, told = thirty.announce(), Told()
    with heard(thirty.ledger.engine, told), thirty.ledger.reading() as hand:
        watch.awaiting(hand)
        watch.awaiting(hand, department="office")
        watch.awaiting(hand, department="office", after=said.public_id)
    assert len(told) >= 4
    assert reading_through(thirty.ledger.engine, told, GROWING | {"announcement"}) == []


def _a_life(world: World, told: Told) -> Announcement:
    """Planned, sent, lost and found, confirmed, withdrawn, swept: hears what is run for that, and nothing of ours."""
    _remember(world)
    engine, provider = world.ledger.engine, world.channels.texts
    provider.silence = timedelta(0)
    said, other = world.announce(), world.announce(urgency=Urgency.URGENT)
    with heard(engine, told):
        with pytest.MonkeyPatch.context() as patch:
            # By addresses; the other one, being small, from its duties on.
            patch.setattr(fanout, "PARTITION", 10)
            world.plan(said)
        provider.order(Fault.LOST_AFTER_ACCEPT, times=5)
        world.send()
    _call_back(world)
    with heard(engine, told):
        world.confirm()
    world.pass_time(timedelta(minutes=1))
    with heard(engine, told):
        world.sweep()
        world.plan(other)
        intake.withdraw(world.ports, other.public_id, actor=SYSTEM)
        world.sweep()
    return said


def _remember(world: World) -> None:
    """A history, for PostgreSQL goes by how much there is; SQLite does not look."""
    if world.ledger.dialect.name == "sqlite":
        return
    past = world.announce()
    with world.ledger.begin() as tx:
        for statement in HISTORY:
            tx.hand.run(statement, past=past.id)
        tx.hand.run("UPDATE announcement SET fanned_out_at = now() WHERE id = :past", past=past.id)
    world.sql("ANALYZE")


def _call_back(world: World) -> None:
    attempts = world.rows(select(t.attempt).where(t.attempt.c.provider_id.is_not(None)))
    with world.ledger.begin() as tx:
        account = tx.accounts.named("texts")
        assert account is not None
        for row in attempts:
            token = world.ports.signer.sign("attempt", str(row.id))
            key = Key(row.delivery_id, row.id, row.fence, token)
            news = pretend_news(key, Receipt(row.provider_id), Evidence.DELIVERED)
            tx.receipts.append(account.id, news.url, news.headers, news.body)


def reading_through(engine: Engine, told: Told, growing: frozenset[str] = GROWING) -> list[str]:
    """Those that read through a table that grows, and how."""
    explain = _by_sqlite if engine.dialect.name == "sqlite" else _by_postgres
    found = []
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        cursor = driver.cursor()
        for statement, parameters in told.items():
            if not isinstance(parameters, list) and (how := explain(cursor, statement, parameters, growing)):
                found.append(f"{how}: {' '.join(statement.split())}")
        driver.rollback()
    return found


def _by_sqlite(cursor: Any, statement: str, parameters: Any, growing: frozenset[str]) -> str:
    """SCAN delivery, by an index or without; FIRST and LAST of an index are SEARCH."""
    lines = [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    tables = {alias: table for table, alias in re.findall(r"(?:FROM|JOIN) (\w+) (?:AS )?(\w+)\b", statement)}
    for line in lines:
        scan = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", line)
        # The newest few are read from the end of the table itself.
        newest = "ORDER BY" in statement and "LIMIT" in statement and "WHERE" not in statement
        if scan and not newest and tables.get(scan[1], scan[1]) in growing and scan[2] not in PARTIAL:
            return str(line)
    return ""


def _by_postgres(cursor: Any, statement: str, parameters: Any, growing: frozenset[str]) -> str:
    """A sequential scan, or an index walked from end to end."""
    cursor.execute("SET LOCAL enable_seqscan = off")
    cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
    told = cursor.fetchone()[0]
    plan = (told if isinstance(told, list) else json.loads(told))[0]["Plan"]
    return next(_scans(plan, growing), "")


def _scans(node: dict[str, Any], growing: frozenset[str], *, few: bool = False) -> Iterator[str]:
    """`few`: a LIMIT stands above, and takes what comes first."""
    kind, table, index = node["Node Type"], node.get("Relation Name", ""), node.get("Index Name")
    bounded = "Index Cond" in node or "Recheck Cond" in node or index in PARTIAL
    bounded |= few and "Filter" not in node
    if table in growing and kind.endswith("Scan") and not bounded:
        yield f"{kind} of {table} by {index}"
    for below in node.get("Plans", ()):
        fewer = kind == "Limit" or (few and kind in ("Nested Loop", "Subquery Scan"))
        yield from _scans(below, growing, few=fewer)
