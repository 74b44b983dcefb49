"""Workers over a real Redis, under their supervisor: what is lost is hints, and a deaf worker is replaced."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from broker.errors import SetupError
from config.queue import CORE, SWEEP, Publisher, depths
from config.settings import Settings
from tests.support.redis import RedisServer
from tests.support.supervised import workers
from tests.support.tower import MakeTower, Tower, within
from workers import supervisor

pytestmark = pytest.mark.timeout(180)


def is_heard(redis_server: RedisServer) -> bool:
    """Whether hints that nobody needs are taken from the queue."""
    publisher = Publisher(redis_server.url, ["bell"])
    sent = within(5, lambda: publisher.send(SWEEP, queue=CORE))
    publisher.close()
    with redis_server.client() as client:
        return sent and within(40, lambda: not depths(client, [CORE])[CORE])


@pytest.fixture
def tower(postgres_ledger: str, redis_server: RedisServer, make_tower: MakeTower) -> Tower:
    made = make_tower(
        postgres_ledger,
        serves=True,
        CARILLON_QUEUE_URL=redis_server.url,
        CARILLON_WORKER__DEAF_AFTER="4",
        CARILLON_ACCOUNTS__TOWER__SECONDS="0.01",
    )
    made.bring(1000)
    return made


@pytest.mark.slow
def test_redis_lost_in_mid_send_costs_nothing(
    tower: Tower, redis_server: RedisServer, tmp_path: Path
) -> None:
    with workers(tower, tmp_path) as running:
        first = tower.announce()
        assert within(40, lambda: tower.states(first).get("sent", 0) > 100)
        redis_server.kill()
        second = tower.announce()  # nobody can be hinted at: the worker's own sweep finds it
        assert within(60, lambda: tower.states(first) == tower.states(second) == {"sent": 1000})
        redis_server.restart()
        redis_server.flushall()
        third = tower.announce()
        assert within(60, lambda: tower.states(third) == {"sent": 1000})
        assert running.stop() == 0
    assert set(tower.accepted().values()) == {3}
    assert len(tower.accepted()) == 1000


@pytest.mark.slow
def test_hints_flow_again_after_redis_was_killed_under_load(
    tower: Tower, redis_server: RedisServer, tmp_path: Path
) -> None:
    with workers(tower, tmp_path) as running:
        for _ in range(3):
            announcement = tower.announce()
            assert within(40, lambda a=announcement: tower.states(a).get("sending", 0) > 0)  # type: ignore[misc]
            redis_server.kill()
            time.sleep(0.3)
            redis_server.restart()
            assert is_heard(redis_server)
        assert "it is replaced" not in running.said()
        assert "ended with code" not in running.said()


def test_a_killed_worker_is_replaced_and_its_work_accounted_for(tower: Tower, tmp_path: Path) -> None:
    with workers(tower, tmp_path) as running:
        assert within(40, lambda: len(running.children()) == 1)
        [child] = running.children()
        os.kill(child, signal.SIGKILL)
        assert within(40, lambda: running.children() not in ([], [child]))
        announcement = tower.announce()
        assert within(60, lambda: tower.states(announcement) == {"sent": 1000})
        assert re.search(r"worker-\d+-[0-9a-f]{8}-1 ended with code -9; another one starts", running.said())


def test_a_deaf_worker_is_noticed_and_replaced(
    tower: Tower, redis_server: RedisServer, tmp_path: Path
) -> None:
    with workers(tower, tmp_path) as running:
        assert within(40, lambda: len(running.children()) == 1)
        [child] = running.children()
        assert is_heard(redis_server)
        os.kill(child, signal.SIGSTOP)
        assert within(40, lambda: "hears no hints" in running.said())
        os.kill(child, signal.SIGCONT)
        assert within(40, lambda: running.children() not in ([], [child]))


def test_no_worker_outlives_its_supervisor(tower: Tower, tmp_path: Path) -> None:
    with workers(tower, tmp_path) as running:
        assert within(40, lambda: len(running.children()) == 1)
        [child] = running.children()
        running.kill()
        assert within(40, lambda: not Path(f"/proc/{child}").exists())


@pytest.mark.parametrize(
    ("values", "queues", "processes", "field"),
    [
        ({}, (), 1, "CARILLON_QUEUE_URL"),
        ({"queue_url": "redis://h/0"}, (), 2, "CARILLON_DATABASE_URL"),
        ({"queue_url": "redis://h/0"}, ("urgnet",), 1, "queues"),
    ],
)
def test_workers_that_could_not_work_are_refused(
    values: dict[str, Any], queues: tuple[str, ...], processes: int, field: str
) -> None:
    with pytest.raises(SetupError) as caught:
        supervisor.main(Settings.of(**values), queues=queues, processes=processes)
    assert [problem.field for problem in caught.value.problems] == [field]
