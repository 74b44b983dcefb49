"""Towers to ring in: see tests.support.tower."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.assembly import House, assemble
from config.settings import load
from ledger.migrate import upgrade
from tests.support.bell import PLUGIN, install_plugin
from tests.support.postgres import PostgresServer
from tests.support.tower import MakeTower, Tower


@pytest.fixture
def postgres_ledger(postgres: PostgresServer) -> Iterator[str]:
    """A migrated, empty ledger on PostgreSQL."""
    url = postgres.fresh(postgres.template("ledger", upgrade))
    yield url
    postgres.drop(url)


@pytest.fixture
def make_tower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeTower]:
    site = install_plugin(tmp_path / "site", PLUGIN)
    monkeypatch.syspath_prepend(site)
    houses: list[House] = []

    def make(database_url: str, *, serves: bool = False, **more: str) -> Tower:
        truth = tmp_path / "truth"
        environ = {
            "CARILLON_DATA_DIR": str(tmp_path / "var"),
            "CARILLON_DATABASE_URL": database_url,
            "CARILLON_SANDBOX": "true",
            "CARILLON_SECRET_KEY": "a-secret-of-the-tests-and-of-nobody-else",
            "CARILLON_ACCOUNTS__TOWER__CHANNEL": "bell",
            "CARILLON_ACCOUNTS__TOWER__TRUTH": str(truth),
            **more,
        }
        settings = load(environ=environ, env_file=None)
        house = assemble(settings, serves=serves)
        houses.append(house)
        # A process of its own finds the plug-in by PYTHONPATH.
        path = os.pathsep.join([str(site), str(Path(__file__).parents[2])])
        return Tower({**os.environ, **environ, "PYTHONPATH": path}, truth, settings, house)

    yield make
    for house in houses:
        house.close()
