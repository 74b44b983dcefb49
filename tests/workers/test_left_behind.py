"""What a killed worker held comes back at once; and workers outlive a database that is away while one starts."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from broker import claim, fanout, sweep
from broker.actor import Actor, ActorKind
from broker.announcement import Announcement
from broker.dispatch import Tempo
from broker.values import Lane
from ledger.migrate import upgrade
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.supervised import workers
from tests.support.tower import MakeTower, Tower, within
from workers.left_behind import UNTIL, LeftBehind

FAMILIES = 12

pytestmark = pytest.mark.timeout(180)


def planned(tower: Tower) -> Announcement:
    announcement = tower.announce()
    fanout.plan(tower.house.ports, announcement.public_id, actor=Actor(ActorKind.SYSTEM, "planner"))
    return announcement


def take_some(tower: Tower, holder: str) -> int:
    """As a worker of that name would, which then does nothing more."""
    ports, tempo = tower.house.ports, Tempo()
    with ports.ledger.begin() as tx:
        account = tx.accounts.named("tower")
    assert account is not None
    got = claim.claim(
        ports,
        account,
        ports.channels.open("tower"),
        Lane.ROUTINE,
        most=5,
        within=tempo.horizon,
        lease=tempo.lease,
        actor=Actor(ActorKind.SYSTEM, holder),
    )
    return len(got.taken)


@pytest.fixture(params=["sqlite", "postgresql"])
def tower(request: pytest.FixtureRequest, make_tower: MakeTower) -> Tower:
    if request.param == "sqlite":
        url = f"sqlite:///{request.getfixturevalue('tmp_path')}/ledger.sqlite3"
        upgrade(url)
    else:
        url = request.getfixturevalue("postgres_ledger")
    made = make_tower(url, serves=True)
    made.bring(FAMILIES)
    return made


def test_what_a_dead_worker_held_is_free_at_once_and_what_another_holds_is_not(tower: Tower) -> None:
    announcement = planned(tower)
    assert take_some(tower, "worker-1") == take_some(tower, "worker-2") == 5
    left = LeftBehind(tower.house.ledger)
    left.died("worker-1")
    assert left.give_back() == 5
    sweep.run(tower.house.ports, actor=Actor(ActorKind.SYSTEM, "sweeper"))
    assert tower.states(announcement) == {"queued": FAMILIES - 5, "sending": 5}


def test_a_claim_that_was_committed_after_its_worker_died_is_given_back_too(tower: Tower) -> None:
    planned(tower)
    now = 0.0
    left = LeftBehind(tower.house.ledger, clock=lambda: now)
    left.died("worker-1")
    assert left.give_back() == 0
    assert take_some(tower, "worker-1") == 5
    now = UNTIL.total_seconds()
    assert left.give_back() == 5
    assert take_some(tower, "worker-1") == 5
    assert left.give_back() == 0  # by now it would be another of the same name


@pytest.mark.runs_on("postgresql")
@pytest.mark.runs_on("redis")
def test_what_a_killed_worker_held_goes_out_long_before_its_lease_ends(
    postgres_ledger: str, redis_server: RedisServer, make_tower: MakeTower, tmp_path: Path
) -> None:
    tower = make_tower(
        postgres_ledger,
        serves=True,
        CARILLON_QUEUE_URL=redis_server.url,
        CARILLON_ACCOUNTS__TOWER__SECONDS="0.05",
    )
    tower.bring(400)
    with workers(tower, tmp_path) as running:
        announcement = tower.announce()
        assert within(40, lambda: tower.states(announcement).get("sent", 0) > 20)
        [child] = running.children()
        os.kill(child, signal.SIGKILL)
        assert within(40, lambda: tower.states(announcement).keys() == {"sent", "uncertain"})
    assert set(tower.accepted().values()) == {1}


@pytest.mark.slow
@pytest.mark.runs_on("postgresql")
@pytest.mark.runs_on("redis")
def test_a_database_that_is_away_while_a_worker_starts_again_does_not_end_the_supervisor(
    postgres_server: PostgresServer, redis_server: RedisServer, make_tower: MakeTower, tmp_path: Path
) -> None:
    url = postgres_server.fresh()
    upgrade(url)
    tower = make_tower(url, serves=True, CARILLON_QUEUE_URL=redis_server.url)
    tower.bring(FAMILIES)
    with workers(tower, tmp_path) as running:
        first = tower.announce()
        assert within(40, lambda: tower.states(first) == {"sent": FAMILIES})
        postgres_server.kill()
        for child in running.children():
            os.kill(child, signal.SIGKILL)
        assert within(40, lambda: "cannot be reached" in running.said())
        postgres_server.restart()
        second = tower.announce()
        assert within(40, lambda: tower.states(second) == {"sent": FAMILIES})
        assert running.stop() == 0
