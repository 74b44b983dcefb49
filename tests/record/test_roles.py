"""What keeps the record from being changed in the database: triggers, and roles on PostgreSQL (docs/record.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, select, text
from sqlalchemy.exc import DBAPIError

from broker.actor import SYSTEM
from broker.record import Entry
from ledger import tables as t
from ledger.connect import Ledger, open_ledger
from ledger.migrate import upgrade
from ledger.scrutiny.audit import audit
from ledger.scrutiny.record_keeping import APPEND_ONLY
from ledger.setup import ConfiguredAccount, install
from tests.record.conftest import SCHOOL, SIGNER, seal
from tests.support.postgres import PostgresServer

PAGE = (Path(__file__).parents[2] / "docs" / "record.md").read_text(encoding="utf-8")
[GRANTS] = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)

CHANGES = (
    "UPDATE record_entry SET kind = 'other'",
    "UPDATE record_seal SET count = 0",
    "DELETE FROM record_entry",
    "DELETE FROM record_seal",
)


def begun(url: str) -> Ledger:
    ledger = open_ledger(url, SIGNER)
    install(ledger, SCHOOL, {"office": "School office"}, [ConfiguredAccount("texts", "sms")])
    with ledger.begin() as tx:
        tx.record.add([Entry("one", SYSTEM, {})])
    seal(ledger)
    with ledger.begin() as tx:
        tx.record.add([Entry("two", SYSTEM, {})])
    seal(ledger)
    return ledger


def refused(ledger: Ledger, statement: str) -> str:
    with pytest.raises(DBAPIError) as caught, ledger.begin() as tx:
        tx.hand.connection.execute(text(statement))
    return str(caught.value.orig)


@pytest.mark.parametrize("statement", CHANGES)
def test_no_statement_changes_the_record_by_the_way(ledger_url: str, statement: str) -> None:
    ledger = begun(ledger_url)
    assert APPEND_ONLY in refused(ledger, statement)
    assert audit(ledger).ok
    ledger.close()


@pytest.fixture
def three(postgres: PostgresServer) -> Iterator[tuple[Ledger, Ledger, Ledger]]:
    """The owner's hand, the application's, and the nightly job's, on one PostgreSQL whose owner went by the page."""
    url = postgres.fresh()
    upgrade(url)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(GRANTS)
        connection.exec_driver_sql(GRANTS)  # safe to repeat
    engine.dispose()
    owner = begun(url)
    others = [
        open_ledger(make_url(url).set(username=role).render_as_string(), SIGNER)
        for role in ("carillon_app", "carillon_retention")
    ]
    yield owner, others[0], others[1]
    for each in (owner, *others):
        each.close()
    postgres.drop(url)


def test_the_applications_role_writes_and_seals_and_can_change_nothing(three) -> None:
    _, app, _ = three
    with app.begin() as tx:
        tx.record.add([Entry("three", SYSTEM, {})])
    assert seal(app) == 1
    assert audit(app).ok
    more = ("UPDATE record_head SET how = 'x'", "DELETE FROM record_head", "TRUNCATE record_entry")
    for statement in (*CHANGES, *more, "INSERT INTO record_opening (why) VALUES ('me')"):
        assert "permission denied" in refused(app, statement)
    for statement in (
        "ALTER TABLE record_entry DISABLE TRIGGER ALL",
        "DROP TRIGGER record_entry_kept ON record_entry",
        "DROP TABLE record_entry",
        "ALTER TABLE record_entry OWNER TO carillon_app",
        "SET session_replication_role = replica",
        "SET ROLE carillon_retention",
    ):
        told = refused(app, statement)
        assert "must be owner" in told or "permission denied" in told, told


def test_the_retention_role_prunes_whole_seals_and_can_change_nothing_else(three) -> None:
    owner, _, retention = three
    later = datetime.now(UTC) + timedelta(minutes=1)
    with owner.reading() as hand:
        first = hand.connection.execute(
            select(t.record_seal.c.sealed_at).order_by(t.record_seal.c.number)
        ).scalars()
        until = next(iter(first)) + timedelta(microseconds=1)
    with retention.begin() as tx:
        assert tx.record.prune(min(until, later), actor=SYSTEM, why="it had its time") == 1
    seal(owner)
    found = audit(owner)
    assert (found.ok, found.seals.pruned) == (True, 1)
    assert APPEND_ONLY in refused(retention, "DELETE FROM record_entry"), "only where it was opened"
    for statement in (
        "UPDATE record_entry SET kind = 'x'",
        "DELETE FROM record_seal",
        "TRUNCATE record_entry",
    ):
        assert "permission denied" in refused(retention, statement)


def test_with_one_role_pruning_needs_the_opening_all_the_same(ledger_url: str) -> None:
    ledger = begun(ledger_url)
    with ledger.begin() as tx:
        gone = tx.record.prune(datetime.now(UTC) - timedelta(days=1), actor=SYSTEM, why="nothing is that old")
    assert gone == 0
    with ledger.begin() as tx:
        when = tx.hand.connection.execute(select(t.record_seal.c.sealed_at).limit(1)).scalar_one()
        assert tx.record.prune(when + timedelta(microseconds=1), actor=SYSTEM, why="it had its time") == 1
    seal(ledger)
    assert audit(ledger).ok
    assert APPEND_ONLY in refused(ledger, "DELETE FROM record_entry"), "closed again"
    ledger.close()
