"""The embedded worker: one process, no server, and the same account of everything."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from broker.announcement import Urgency
from broker.errors import SetupError
from tests.support.tower import MakeTower, within
from workers.embedded import EmbeddedWorker
from workers.sole import lock_path, sole_worker

pytestmark = pytest.mark.timeout(120)


@pytest.mark.runs_on("sqlite")
def test_what_is_announced_is_planned_and_sent_once_to_each(ledger_url: str, make_tower: MakeTower) -> None:
    tower = make_tower(ledger_url, serves=True)
    tower.bring(300)
    with EmbeddedWorker(tower.house):
        announcement = tower.announce()
        assert within(30, lambda: tower.states(announcement) == {"sent": 300})
    assert set(tower.accepted().values()) == {1}
    assert len(tower.accepted()) == 300


def test_what_another_process_announced_is_found_by_the_sweep(ledger_url: str, make_tower: MakeTower) -> None:
    tower = make_tower(ledger_url, serves=True)
    tower.bring(3)
    beside = make_tower(ledger_url)  # like the command line: it writes to the ledger and hints at nothing
    with EmbeddedWorker(tower.house):
        announcement = beside.announce()
        assert within(30, lambda: tower.states(announcement) == {"sent": 3})


def test_what_was_announced_before_the_start_is_sent_after_it(ledger_url: str, make_tower: MakeTower) -> None:
    tower = make_tower(ledger_url, serves=True)
    tower.bring(3)
    announcement = tower.announce()
    with EmbeddedWorker(tower.house):
        assert within(30, lambda: tower.states(announcement) == {"sent": 3})


def test_urgent_work_does_not_wait_for_a_bulk_send(ledger_url: str, make_tower: MakeTower) -> None:
    tower = make_tower(ledger_url, serves=True, CARILLON_ACCOUNTS__TOWER__SECONDS="0.05")
    tower.bring(400)
    with EmbeddedWorker(tower.house):
        bulk = tower.announce()
        assert within(30, lambda: tower.states(bulk).get("sending", 0) > 0)
        urgent = tower.announce(Urgency.URGENT, "Brass")
        assert within(30, lambda: tower.states(urgent) == {"sent": 3})
        assert tower.states(bulk) != {"sent": 400}


def test_a_warm_stop_leaves_nothing_in_hand(ledger_url: str, make_tower: MakeTower) -> None:
    tower = make_tower(ledger_url, serves=True, CARILLON_ACCOUNTS__TOWER__SECONDS="0.02")
    tower.bring(1000)
    with EmbeddedWorker(tower.house):
        announcement = tower.announce()
        assert within(30, lambda: tower.states(announcement).get("sent", 0) > 50)
        start = time.monotonic()
    assert time.monotonic() - start < 20
    states = tower.states(announcement)
    assert set(states) <= {"queued", "sent"}
    assert states["queued"] > 0
    assert set(tower.accepted().values()) == {1}
    assert len(tower.accepted()) == states["sent"]
    with EmbeddedWorker(tower.house):
        assert within(30, lambda: tower.states(announcement) == {"sent": 1000})
    assert set(tower.accepted().values()) == {1}


def test_a_second_worker_on_one_sqlite_ledger_is_refused(sqlite_url: str) -> None:
    program = (
        "import sys, time; from workers.sole import sole_worker\n"
        "with sole_worker(sys.argv[1]): print('held', flush=True); time.sleep(60)"
    )
    first = subprocess.Popen([sys.executable, "-c", program, sqlite_url], stdout=subprocess.PIPE)
    assert first.stdout is not None
    assert first.stdout.readline() == b"held\n"
    with pytest.raises(SetupError) as caught, sole_worker(sqlite_url):
        pass
    assert f"process {first.pid} works on this SQLite ledger already" in str(caught.value)
    first.kill()
    first.wait(timeout=5)
    first.stdout.close()
    with sole_worker(sqlite_url):
        assert lock_path(sqlite_url)


def test_on_a_database_server_there_is_no_lock_to_hold() -> None:
    with sole_worker("postgresql+psycopg://u@h/n"), sole_worker("postgresql+psycopg://u@h/n"):
        assert lock_path("postgresql+psycopg://u@h/n") is None
