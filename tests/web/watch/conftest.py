"""The pages to watch, served on a real socket over a real ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from config.assembly import assemble
from config.settings import load
from tests.support.at_desk import a_school, looking_at, opening
from tests.support.bell import PLUGIN, install_plugin
from tests.support.looking import Looking, Open
from tests.support.tower import Tower
from tests.support.watching import Serve, Watched, client_of
from web.app import create_app
from web.serve import serving


@pytest.fixture
def serve(ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Serves a tower; settings as keywords, and the port where somebody else has to know it before."""
    monkeypatch.syspath_prepend(install_plugin(tmp_path / "site", PLUGIN))
    with ExitStack() as held:

        def start(*, port: int = 0, **more: str) -> Watched:
            environ = {
                "CARILLON_DATA_DIR": str(tmp_path / "var"),
                "CARILLON_DATABASE_URL": ledger_url,
                "CARILLON_SANDBOX": "true",
                "CARILLON_SECRET_KEY": "a-secret-of-the-tests-and-of-nobody-else",
                "CARILLON_ACCOUNTS__TOWER__CHANNEL": "bell",
                "CARILLON_ACCOUNTS__TOWER__TRUTH": str(tmp_path / "truth"),
                **more,
            }
            settings = load(environ=environ, env_file=None)
            house = held.enter_context(assemble(settings, serves=True))
            app = create_app(house.ports, settings)
            url = held.enter_context(serving(app, "127.0.0.1", port))
            client = held.enter_context(client_of(url))
            return Watched(
                Tower(environ, tmp_path / "truth", settings, house), url, app.state.hub, client, app
            )

        yield start


@pytest.fixture
def watched(serve: Serve) -> Watched:
    """Six families, and somebody signed in."""
    here = serve()
    here.tower.bring(6)
    here.sign_in()
    return here


@pytest.fixture
def look(watched: Watched, browser: Browser) -> Iterator[Open]:
    """Opens their pages in a real browser, signed in; a complaint of it fails the test."""
    with opening(watched, browser) as start:
        yield start


@pytest.fixture
def here(serve: Serve) -> Watched:
    """Two departments and three families; a folder's own tests may have a school of their own."""
    return a_school(serve)


@pytest.fixture
def looking(here: Watched, browser: Browser) -> Iterator[Looking]:
    """A real browser at that school; a complaint of it fails the test."""
    with looking_at(here, browser) as found:
        yield found
