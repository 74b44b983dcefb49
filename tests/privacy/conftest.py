"""A school with a family that nobody could be taken for, and whatever a ledger comes to hold of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest

from config.signer import HmacSigner
from ledger.connect import open_ledger
from ledger.migrate import upgrade
from ledger.setup import ConfiguredAccount, School, install
from tests.support.broker_world import World
from tests.support.planted import Planted, plant
from tests.support.postgres import PostgresServer

SCHOOL = School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB")
SIGNER = HmacSigner(b"a secret of the tests")


def made(url: str) -> World:
    ledger = open_ledger(url, SIGNER)
    accounts = [ConfiguredAccount("texts", "sms"), ConfiguredAccount("mails", "email")]
    install(ledger, SCHOOL, {"music": "Music", "office": "School office"}, accounts)
    return World.over(ledger, SIGNER)


@pytest.fixture
def world(ledger_url: str) -> Iterator[World]:
    world = made(ledger_url)
    yield world
    world.ledger.close()


class Nursery:
    """Plants once for each database, and gives copies: a day of a school for each test would take minutes."""

    def __init__(self) -> None:
        self.grown: dict[str, Planted] = {}

    def plant(self, url: str) -> None:
        upgrade(url)
        world = made(url)
        try:
            self.grown[world.ledger.dialect.name] = plant(world)
        finally:  # or the next test is told of connections that nobody closed, instead of what went wrong here
            world.ledger.close()


@pytest.fixture(scope="session")
def nursery() -> Nursery:
    return Nursery()


@pytest.fixture(scope="session")
def planted_file(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("planted") / "carillon.sqlite3"
    nursery.plant(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def planted(request: pytest.FixtureRequest, nursery: Nursery, tmp_path: Path) -> Iterator[Planted]:
    """A family of three in a school of some more, with everything of theirs that a table can hold."""
    server: PostgresServer | None = None
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("planted_file"), tmp_path / "carillon.sqlite3")
        url = f"sqlite:///{tmp_path / 'carillon.sqlite3'}"
    else:
        server = request.getfixturevalue("postgres")
        assert server is not None
        url = server.fresh(server.template("planted", nursery.plant))
    grown = nursery.grown[request.param]
    world = World.over(open_ledger(url, SIGNER), SIGNER)
    world.channels.texts.truth[:] = grown.world.channels.texts.truth
    world.channels.mails.truth[:] = grown.world.channels.mails.truth
    yield Planted(world, deepcopy(grown.school), grown.said, grown.of)
    world.ledger.close()
    if server is not None:
        server.drop(url)
