"""A database that is away for a while and comes back: told once, waited for, and nothing lost or sent twice by it."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.client import RunningSandbox, start_sandbox
from tests.support.installed import Installed, people_csv, wait_until
from tests.support.postgres import PostgresServer

FAMILIES = 500
TWO_WINDOWS = 40
A_MOMENT, A_MINUTE = timedelta(seconds=4), timedelta(seconds=60)
SETTLED_WITHIN = timedelta(seconds=180)  # a lease of 90 s, a grace and two look-ups

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    """Providers that take their time, so that the database goes in mid-send."""
    with start_sandbox(tmp_path / "truth.jsonl", ["twilio:latency:ms=250", "smtp:latency:ms=80"]) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("away", [A_MOMENT, A_MINUTE], ids=["moment", "minute"])
def test_a_database_that_comes_back_finds_everything_going_on(
    tmp_path: Path, sandbox: RunningSandbox, postgres_server: PostgresServer, away: timedelta
) -> None:
    installed = Installed(tmp_path, sandbox, {"CARILLON_DATABASE_URL": postgres_server.fresh()})
    installed.run("db", "upgrade")
    with installed.started("up") as up:
        installed.run("people", "import", str(people_csv(installed.folder, FAMILIES)), "--yes")
        installed.run("announce", "The coach leaves at eight.", "--to", "Choir", "--via", "sms,email")
        wait_until(
            lambda: all(30 < len(installed.accepted(c)) < FAMILIES - 100 for c in ("sms", "email")),
            within=timedelta(seconds=60),
            what="both channels in the middle of sending",
        )
        postgres_server.kill()
        refused = installed.run("announce", "Nobody hears this.", "--to", "Choir", "--via", "email", code=2)
        assert refused["error"]["code"].startswith("database")
        time.sleep(away.total_seconds())
        assert up.poll() is None
        before = len(installed.accepted("sms"))
        postgres_server.restart()
        wait_until(lambda: settled(installed), within=SETTLED_WITHIN, what="everything settled")
        assert len(installed.accepted("sms")) > before, "what was stopped went on"
    states, texts, mails = installed.states(), installed.accepted("sms"), installed.accepted("email")
    assert states["sms", "sent"] + states["sms", "delivered"] == len(texts) == FAMILIES
    assert set(texts.values()) == set(mails.values()) == {1}
    assert states["email", "sent"] + states["email", "uncertain"] == FAMILIES
    assert states["email", "uncertain"] <= TWO_WINDOWS
    assert installed.record_verifies()
    log = installed.log("up")
    assert "Traceback" not in log
    assert "works again" in log
    told = Counter(re.findall(r"ERROR workers\.(\w+: .+ failed and is tried again: \w+)", log))
    assert told
    assert set(told.values()) == {1}, "each told once, not every second"


def settled(installed: Installed) -> bool:
    states = installed.states()
    moving = sum(n for (_, state), n in states.items() if state in {"queued", "sending"})
    return bool(states) and not moving and not states["sms", "uncertain"]
