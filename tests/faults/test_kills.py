"""Killed in the middle: nothing lost, no text twice, at most two windows of mails in doubt for each killed process."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.client import RunningSandbox, start_sandbox
from tests.support.installed import Installed, kill_all, people_csv, wait_until
from tests.support.invariants import check_in_the_end
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer

FAMILIES = 500
TWO_WINDOWS = 40
SETTLED_WITHIN = timedelta(seconds=150)  # a lease of 90 s and its look-ups

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    """Providers that take their time, so that a kill meets work in hand."""
    slow = ["twilio:latency:ms=200", "smtp:latency:ms=60"]
    with start_sandbox(tmp_path / "truth.jsonl", slow) as running:
        yield running


def announce(installed: Installed, via: str = "sms,email") -> None:
    installed.run("people", "import", str(people_csv(installed.folder, FAMILIES)), "--yes")
    installed.run("announce", "The coach leaves at eight.", "--to", "Choir", "--via", via)


def in_mid_send(installed: Installed) -> None:
    """Until both channels are under way and neither is done."""
    wait_until(
        lambda: all(30 < len(installed.accepted(c)) < FAMILIES - 100 for c in ("sms", "email")),
        within=timedelta(seconds=60),
        what="both channels in the middle of sending",
    )


def settle(installed: Installed) -> None:
    """Providers take no more time than they need: the kill has met its work in hand."""
    installed.sandbox.control.clear()
    wait_until(lambda: all_settled(installed), within=SETTLED_WITHIN, what="everything settled")


def all_settled(installed: Installed) -> bool:
    states = installed.states()
    moving = sum(n for (_, state), n in states.items() if state in {"queued", "sending"})
    return bool(states) and not moving and not states["sms", "uncertain"]


def assert_nothing_lost_and_no_text_twice(installed: Installed, *, kills: int) -> None:
    states = installed.states()
    texts, mails = installed.accepted("sms"), installed.accepted("email")
    assert states["sms", "sent"] + states["sms", "delivered"] == FAMILIES
    assert len(texts) == FAMILIES
    assert set(texts.values()) == {1}
    assert states["email", "sent"] + states["email", "uncertain"] == FAMILIES
    assert states["email", "uncertain"] <= TWO_WINDOWS * kills
    assert set(mails.values()) == {1}
    assert len(mails) >= states["email", "sent"]
    check_in_the_end(installed.seen())


@pytest.mark.slow
def test_a_killed_up_goes_on_where_it_was(tmp_path: Path, sandbox: RunningSandbox) -> None:
    installed = Installed(tmp_path, sandbox)
    with installed.started("up") as up:
        wait_until((tmp_path / "var" / "carillon.sqlite3").exists, within=timedelta(seconds=60), what="up")
        announce(installed)
        in_mid_send(installed)
        kill_all(up)
    with installed.started("up"):
        settle(installed)
    assert_nothing_lost_and_no_text_twice(installed, kills=1)


@pytest.mark.slow
def test_a_killed_and_a_flushed_redis_change_no_outcome(
    tmp_path: Path, sandbox: RunningSandbox, postgres: PostgresServer, redis_server: RedisServer
) -> None:
    database = postgres.fresh()
    more = {
        "CARILLON_DATABASE_URL": database,
        "CARILLON_QUEUE_URL": redis_server.url,
        "CARILLON_WORKER__DEAF_AFTER": "10",
    }
    installed = Installed(tmp_path, sandbox, more)
    installed.run("db", "upgrade")
    try:
        with installed.started("worker"), installed.started("worker", "--queues", "urgent"):
            announce(installed)
            in_mid_send(installed)
            redis_server.flushall()
            redis_server.kill()
            redis_server.restart()
            settle(installed)
        assert_nothing_lost_and_no_text_twice(installed, kills=0)
    finally:
        postgres.drop(database)


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_loses_nothing(
    tmp_path: Path, sandbox: RunningSandbox, postgres: PostgresServer, redis_server: RedisServer
) -> None:
    database = postgres.fresh()
    installed = Installed(
        tmp_path, sandbox, {"CARILLON_DATABASE_URL": database, "CARILLON_QUEUE_URL": redis_server.url}
    )
    installed.run("db", "upgrade")
    try:
        with installed.started("worker") as worker:
            announce(installed)
            in_mid_send(installed)
            children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
            for child in children:
                os.kill(int(child), signal.SIGKILL)
            settle(installed)
        assert_nothing_lost_and_no_text_twice(installed, kills=len(children))
    finally:
        postgres.drop(database)
