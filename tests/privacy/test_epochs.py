"""The sealed record is pruned by whole seals and a hand of its own; what is left verifies from the first seal on."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, make_url, select, text
from sqlalchemy.exc import DBAPIError

from broker.ports import Ports
from broker.privacy import erasure
from config.assembly import House
from config.epochs import HELD, NO_ROLE, ON_SQLITE, prune_record
from config.queue import Silent
from config.registry import Registry
from config.settings import Settings
from config.ways_out import WaysOut
from ledger import tables as t
from ledger.connect import Ledger, open_ledger
from ledger.record import verify
from tests.support.broker_world import World
from tests.support.planted import OFFICE
from tests.support.school import family

SECRET = "a secret of the tests, of nobody"
LONG_AGO = timedelta(days=2_600)


@pytest.fixture
def old(world: World) -> World:
    """A record of many seals that have had their time, and some that have not."""
    world.bring(family())
    world.announce()
    seal(world.ledger)
    for _ in range(3):
        erasure.reveal(world.ports, "mum", why="asked", actor=OFFICE)
        seal(world.ledger)
    world.pass_time(LONG_AGO)
    erasure.reveal(world.ports, "mum", why="asked", actor=OFFICE)
    seal(world.ledger)
    return world


def test_the_record_verifies_from_the_oldest_kept_seal(old: World) -> None:
    house = house_of(old.ledger)
    before, seals = entries(old.ledger), count(old.ledger)
    done = prune_record(house, actor=OFFICE)
    if old.ledger.dialect.name == "postgresql":
        assert (done.entries, done.said) == (0, NO_ROLE)
        with role(old.ledger, RETENTION) as url:
            done = prune_record(with_role(house, url), actor=OFFICE)
        assert done.said == ""
    else:
        assert done.said == ON_SQLITE
    seal(old.ledger)
    with old.ledger.reading() as hand:
        found = verify(hand.connection)
    assert (found.ok, found.first_fault) == (True, None)
    assert 0 < entries(old.ledger) < before
    assert found.pruned == done.entries == before - entries(old.ledger) + 1  # an entry tells of it
    assert count(old.ledger) == seals + 1


def test_nothing_of_it_goes_while_something_is_held(old: World) -> None:
    announcement = old.rows(select(t.announcement.c.public_id))[0].public_id
    hold = erasure.hold(old.ports, announcement=announcement, why="an inquiry", actor=OFFICE)
    assert prune_record(house_of(old.ledger), actor=OFFICE).said == HELD
    erasure.lift(old.ports, hold, actor=OFFICE)
    assert prune_record(house_of(old.ledger), actor=OFFICE).said != HELD


def test_the_applications_role_may_take_nothing_out(old: World) -> None:
    if old.ledger.dialect.name != "postgresql":
        pytest.skip("SQLite has no roles, and says so")
    with role(old.ledger, APPLICATION) as url:
        ledger = open_ledger(url, old.ports.signer)
        try:
            for statement in (
                "DELETE FROM record_entry",
                "DELETE FROM record_seal",
                "UPDATE record_entry SET kind = 'x'",
                "INSERT INTO record_opening (why) VALUES ('mine')",
            ):
                with pytest.raises(DBAPIError, match=r"permission denied|append-only"), ledger.begin() as tx:
                    tx.hand.connection.execute(text(statement))
            with ledger.begin() as tx:  # and yet it writes and seals
                tx.record.add([])
                tx.record.seal()
        finally:
            ledger.close()


# What each role may do in the ledger: docs/record.md.
APPLICATION = (
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    "REVOKE UPDATE, DELETE ON record_entry, record_seal, record_head FROM {role}",
    "REVOKE INSERT, UPDATE, DELETE ON record_opening FROM {role}",
)
RETENTION = (
    "GRANT SELECT ON school, record_seal, record_opening TO {role}",
    "GRANT SELECT, INSERT, DELETE ON record_entry TO {role}",
    "GRANT INSERT, DELETE ON record_opening TO {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
)


@contextmanager
def role(ledger: Ledger, grants: tuple[str, ...]) -> Iterator[str]:
    """A role of the test's own, and the ledger's address by it."""
    name = f"carillon_{secrets.token_hex(4)}"
    run(
        ledger, f"CREATE ROLE {name} LOGIN PASSWORD 'of-nobody'", *(each.format(role=name) for each in grants)
    )
    url = ledger.engine.url.set(username=name, password="of-nobody")
    try:
        yield url.render_as_string(hide_password=False)
    finally:
        run(ledger, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def run(ledger: Ledger, *statements: str) -> None:
    with ledger.begin() as tx:
        for statement in statements:
            tx.hand.connection.execute(text(statement))


def house_of(ledger: Ledger) -> House:
    url = ledger.engine.url.render_as_string(hide_password=False)
    settings = Settings.of(database_url=url, secret_key=SECRET, data_dir=Path("nowhere"))
    ways_out = WaysOut(Registry(), settings.accounts, settings.surroundings())
    hints = Silent()
    return House(settings, ledger, hints, ways_out, Ports(ledger, hints, ledger._signer, ways_out))


def with_role(house: House, url: str) -> House:
    asked = make_url(url).render_as_string(hide_password=False)
    return replace(house, settings=house.settings.model_copy(update={"retention_database_url": asked}))


def entries(ledger: Ledger) -> int:
    with ledger.reading() as hand:
        return int(hand.connection.execute(select(func.count()).select_from(t.record_entry)).scalar_one())


def count(ledger: Ledger) -> int:
    with ledger.reading() as hand:
        return int(hand.connection.execute(select(func.count()).select_from(t.record_seal)).scalar_one())


def seal(ledger: Ledger) -> None:
    ledger.transact(lambda tx: tx.record.seal())
