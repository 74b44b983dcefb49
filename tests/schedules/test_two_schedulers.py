"""Two schedulers, one killed again and again at random: each occurrence is announced once, and none is forgotten."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from broker.announcement import Part
from broker.diary import schedules
from broker.diary.recurrence import Pattern
from broker.diary.recurrence_rule import Rule
from ledger import tables as t
from tests.schedules.test_schedules import BELL, LONDON
from tests.support.broker_world import World

SCHEDULES = 60
KILLS = 4


def scheduler(url: str) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.schedules.scheduler", url], stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


def kill(one: subprocess.Popen[str]) -> None:
    one.kill()
    one.wait()
    assert one.stdout is not None
    one.stdout.close()


@pytest.mark.slow
@pytest.mark.timeout(240)  # on a busy machine each scheduler takes seconds to start
@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)  # SQLite has one process that writes
def test_each_occurrence_is_announced_once_whoever_dies(world: World, ledger_url: str) -> None:
    with world.ledger.look() as tx:
        now = tx.now
    soon = (now + timedelta(days=1)).astimezone(ZoneInfo(LONDON)).replace(tzinfo=None, microsecond=0)
    draft = world.draft(audience="Choir", parts={Part.SHORT: "Choir at 15:30."})
    for n in range(SCHEDULES):
        made = schedules.save(
            world.ports,
            f"Choir {n}",
            draft,
            Pattern(soon, LONDON, Rule()),
            lasts=timedelta(hours=6),
            actor=BELL,
        )
        _fall_due(world, made.id, now, soon)
    dice, running = random.Random(7), [scheduler(ledger_url), scheduler(ledger_url)]
    try:
        for _ in range(KILLS):
            time.sleep(dice.uniform(0.05, 0.3))
            kill(running[0])
            running[0] = scheduler(ledger_url)
        deadline = time.monotonic() + 90
        while _done(world) < SCHEDULES and time.monotonic() < deadline:
            time.sleep(0.1)
    finally:
        for each in running:
            kill(each)
    keys = Counter(row.idempotency_key for row in world.rows(select(t.announcement)))
    assert len(keys) == SCHEDULES
    assert set(keys.values()) == {1}
    assert {row.outcome for row in world.rows(select(t.occurrence))} == {"made"}


def _fall_due(world: World, schedule: int, now: datetime, soon: datetime) -> None:
    """Put its one time a day earlier: a minute ago."""
    wall = soon - timedelta(days=1, minutes=1)
    with world.ledger.begin() as tx:
        row = tx.schedules.by_id(schedule, lock=True)
        assert row is not None
        began = now - timedelta(hours=1)
        tx.schedules.keep(
            replace(row, pattern=replace(row.pattern, starts=wall), looked_until=began, next_at=began)
        )


def _done(world: World) -> int:
    return len(world.rows(select(t.occurrence.c.schedule_id)))
