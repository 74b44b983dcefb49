"""A process that lives and does nothing: it is noticed, told in one line, and ended or replaced."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broker.testing.clock import PretendClock
from tests.support.redis import RedisServer
from tests.support.servers import free_port
from tests.support.tower import MakeTower, within
from workers.embedded import EmbeddedWorker
from workers.turns import Turns

ROOT = Path(__file__).parents[2]
NEVER = {"CARILLON_ACCOUNTS__TOWER__SECONDS": "3600"}  # a provider's client that does not come back

pytestmark = pytest.mark.timeout(120)


def test_a_turn_that_takes_too_long_has_stalled_and_one_that_ended_has_not() -> None:
    clock = PretendClock(datetime(2026, 11, 30, 8, tzinfo=UTC))
    turns = Turns(after=timedelta(minutes=1), clock=clock.monotonic)
    with turns.of("the sweep"):
        clock.advance(timedelta(minutes=1))
        assert turns.stalled() == ""
        clock.advance(timedelta(seconds=1))
        assert turns.stalled() == "the sweep has not moved for 60 s"
    assert turns.stalled() == ""


def test_of_many_turns_one_that_stalls_is_seen_among_those_that_go_on() -> None:
    clock = PretendClock(datetime(2026, 11, 30, 8, tzinfo=UTC))
    turns = Turns(after=timedelta(minutes=1), clock=clock.monotonic)
    with turns.of("sending by texts (routine)"):
        for _ in range(5):
            clock.advance(timedelta(seconds=20))
            with turns.of("the sweep"):
                pass
        assert turns.stalled().startswith("sending by texts")


def test_an_embedded_worker_that_works_has_no_trouble(sqlite_ledger: str, make_tower: MakeTower) -> None:
    tower = make_tower(sqlite_ledger, serves=True, CARILLON_WORKER__DEAF_AFTER="3")
    tower.bring(100)
    with EmbeddedWorker(tower.house) as worker:
        # Beats before it is up are no measure of its hearing; from then on they are.
        assert within(30, lambda: worker.trouble() == "" and worker.hears_all)
        announcement = tower.announce()
        assert not within(5, lambda: worker.trouble() != "")
        assert tower.states(announcement) == {"sent": 100}


def test_an_embedded_worker_whose_threads_are_all_taken_hears_nothing(
    sqlite_ledger: str, make_tower: MakeTower
) -> None:
    few = {"CARILLON_WORKER__THREADS": "1", "CARILLON_WORKER__DEAF_AFTER": "3"}
    tower = make_tower(sqlite_ledger, serves=True, CARILLON_ACCOUNTS__TOWER__SECONDS="8", **few)
    tower.bring(3)
    with EmbeddedWorker(tower.house) as worker:
        assert within(30, lambda: worker.trouble() == "" and worker.hears_all)
        tower.announce()
        assert within(15, lambda: worker.trouble() == "the thread that hears hints hears none")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_of_celerys_that_ends_is_noticed(sqlite_ledger: str, make_tower: MakeTower) -> None:
    tower = make_tower(sqlite_ledger, serves=True)
    with EmbeddedWorker(tower.house) as worker:
        assert not within(1, lambda: worker.trouble() != "")
        [hearing] = [thread for thread in threading.enumerate() if thread.name == "carillon-hints"]
        assert hearing.ident is not None
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(hearing.ident), ctypes.py_object(SystemExit)
        )
        assert within(20, lambda: worker.trouble() == "the thread that hears hints has ended")


@pytest.fixture
def town(sqlite_ledger: str, make_tower: MakeTower) -> dict[str, str]:
    """A school whose only provider never answers, with somebody to tell."""
    more = {**NEVER, "CARILLON_WORKER__STALLED_AFTER": "3", "CARILLON_WORKER__BUDGET": "1"}
    tower = make_tower(sqlite_ledger, CARILLON_WEB__PORT=str(free_port()), **more)
    tower.bring(20)
    tower.announce()
    return tower.environ


def test_up_ends_with_one_line_when_its_work_stalls_so_that_it_is_started_again(
    town: dict[str, str], tmp_path: Path
) -> None:
    with (tmp_path / "up.log").open("wb") as log:
        up = subprocess.Popen(
            [sys.executable, "-m", "cli.app", "up"], env=town, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=log
        )
    try:
        assert up.wait(timeout=60) == os.EX_SOFTWARE
    finally:
        up.kill()
        up.wait()
    said = (tmp_path / "up.log").read_text()
    assert "sending by tower (routine) has not moved for 3 s; this process ends, to be started again" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "stalls", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["stalled", "busy"]
)
def test_a_worker_whose_work_stalls_is_replaced_and_one_that_is_busy_is_not(
    stalls: bool, postgres_ledger: str, redis_server: RedisServer, make_tower: MakeTower, tmp_path: Path
) -> None:
    """The command of the compose file: what its supervisor cannot see from outside, its child tells by silence."""
    tower = make_tower(
        postgres_ledger,
        CARILLON_QUEUE_URL=redis_server.url,
        CARILLON_WORKER__DEAF_AFTER="5",
        CARILLON_WORKER__STALLED_AFTER="2" if stalls else "60",
        CARILLON_WORKER__BUDGET="1",
        **NEVER,
    )
    tower.bring(20)
    announcement = tower.announce()
    path = tmp_path / "worker.log"
    with path.open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "cli.app", "worker"],
            env=tower.environ,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )
    try:
        assert within(60, lambda: "sending" in tower.states(announcement))
        noticed = within(40 if stalls else 8, lambda: "it is replaced" in path.read_text())
        assert noticed == stalls
        assert ("sending by tower (routine) has not moved for 2 s" in path.read_text()) == stalls
    finally:
        for child in Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
        worker.kill()
        worker.wait()
