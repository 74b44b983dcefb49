"""The pages to watch, served on a real socket over a real ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from config.assembly import assemble
from config.settings import load
from tests.support.bell import PLUGIN, install_plugin
from tests.support.tower import Tower
from tests.support.watching import Serve, Watched
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
            client = held.enter_context(httpx2.Client(base_url=url, timeout=10))
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
