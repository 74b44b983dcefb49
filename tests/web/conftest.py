"""A tower whose bell calls back, and its HTTP door."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from config.assembly import assemble
from config.settings import load
from tests.support.bell import PLUGIN, install_plugin
from tests.support.tower import Tower
from web.app import create_app

PUBLIC_URL = "https://bells.school.example/carillon"


@pytest.fixture
def tower(ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tower]:
    monkeypatch.syspath_prepend(install_plugin(tmp_path / "site", PLUGIN))
    environ = {
        "CARILLON_DATA_DIR": str(tmp_path / "var"),
        "CARILLON_DATABASE_URL": ledger_url,
        "CARILLON_SANDBOX": "true",
        "CARILLON_SECRET_KEY": "a-secret-of-the-tests-and-of-nobody-else",
        "CARILLON_PUBLIC_URL": PUBLIC_URL,
        "CARILLON_ACCOUNTS__TOWER__CHANNEL": "bell",
        "CARILLON_ACCOUNTS__TOWER__TRUTH": str(tmp_path / "truth"),
    }
    settings = load(environ=environ, env_file=None)
    with assemble(settings, serves=True) as house:
        yield Tower(environ, tmp_path / "truth", settings, house)


@pytest.fixture
async def client(tower: Tower) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(tower.house.ports, tower.settings)
    transport = httpx2.ASGITransport(app, raise_app_exceptions=True)
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as ready:
        yield ready
