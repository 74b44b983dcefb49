"""Many schedules due together: each is judged for itself, and none keeps another from going."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
import uuid6
from sqlalchemy import select

from broker.actor import SYSTEM
from broker.announcement import Part, Step
from broker.authority import rule_changes
from broker.diary import scheduler
from broker.ports.calendar import ScheduleRow
from broker.values import FanOutHint
from ledger import tables as t
from tests.schedules.test_schedules import soon
from tests.support.broker_world import World


def due(world: World, count: int, **changes: object) -> None:
    """Schedules of one time each, a minute ago."""
    pattern = soon(world, timedelta(minutes=1))
    with world.ledger.begin() as tx:
        before = tx.now - timedelta(hours=1)
        for n in range(count):
            said = {"audience": "Choir", "parts": {Part.SHORT: f"{{pupil}}: choir {n}."}, **changes}
            draft = world.draft(**said)
            name = f"{sorted(changes)} {n}"
            tx.schedules.add(
                ScheduleRow(
                    0,
                    uuid6.uuid7(),
                    name,
                    draft,
                    pattern,
                    timedelta(hours=4),
                    "Mrs Bell",
                    before,
                    before,
                    before,
                    before,
                )
            )


def outcomes(world: World) -> Counter[str]:
    return Counter(row.outcome for row in world.rows(select(t.occurrence.c.outcome)))


def test_one_that_cannot_be_said_keeps_no_other_from_going(world: World) -> None:
    due(world, 3)
    due(world, 1, audience="Nobody")
    due(world, 1, ways=(Step(("pigeon",)),))
    due(world, 1, parts={Part.SHORT: "{strange}"})
    assert scheduler.make_due(world.ports, actor=SYSTEM) == 6
    assert outcomes(world) == {"made": 3, "refused": 3}
    assert len(world.rows(select(t.announcement))) == 3
    alarms = world.rows(select(t.alarm).where(t.alarm.c.kind == scheduler.MISSED))
    assert len(alarms) == 3


def test_what_a_rule_refuses_is_taken_back_alone_and_told_in_the_record(world: World) -> None:
    rule_changes.change(world.ports, "windows.open", "email mon-sun 03:00-03:01", "test", actor=SYSTEM)
    due(world, 4)
    due(world, 2, ways=(Step(("email",)),))
    with world.ledger.begin() as tx:  # over before any mail may go again
        for row in tx.schedules.all():
            if row.draft.ways[0].channels == ("email",):
                tx.schedules.keep(replace(row, lasts=timedelta(minutes=5)))
    assert scheduler.make_due(world.ports, actor=SYSTEM) == 6
    assert outcomes(world) == {"made": 4, "refused": 2}
    assert len(world.rows(select(t.announcement))) == 4
    assert Counter(world.record())["announcement.refused"] == 2
    assert Counter(world.record())["announcement.accepted"] == 4


def test_more_than_one_turn_holds_are_done_without_waiting_and_each_is_hinted_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "MOST_AT_ONCE", 7)
    due(world, 30)
    assert scheduler.make_due(world.ports, actor=SYSTEM) == 30
    said = world.rows(select(t.announcement.c.public_id, t.content.c.text).join(t.content))
    assert len({row.text for row in said}) == 30
    hints = set()
    while (hint := world.hints.take()) is not None:
        if isinstance(hint, FanOutHint):
            hints.add(hint.announcement)
    assert hints == {row.public_id for row in said}
    assert scheduler.make_due(world.ports, actor=SYSTEM) == 0


def test_together_they_are_what_each_alone_would_be(world: World) -> None:
    alone = world.announce(audience="Choir", parts={Part.SHORT: "{pupil}: choir."}, key="alone")
    due(world, 1)
    scheduler.make_due(world.ports, actor=SYSTEM)
    one, other = world.rows(select(t.announcement).order_by(t.announcement.c.id))
    assert one.id == alone.id
    for table in (t.headcount, t.verdict, t.reckoning):
        rows = world.rows(select(table))
        kept = [
            sorted(
                tuple(
                    value
                    for name, value in row._mapping.items()
                    if name not in {"id", "announcement_id", "at"}
                )
                for row in rows
                if row.announcement_id == number
            )
            for number in (one.id, other.id)
        ]
        assert kept[0] == kept[1]
    assert world.plan(alone) == world.plan(replace(alone, id=other.id, public_id=other.public_id)) == 3


def test_a_channel_whose_own_code_fails_keeps_no_other_from_going_and_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise ValueError("+447400123456")

    monkeypatch.setattr(world.channels.open("mails"), "check", broken)
    due(world, 2)
    due(world, 1, ways=(Step(("email",)),))
    assert scheduler.make_due(world.ports, actor=SYSTEM) == 3
    assert outcomes(world) == {"made": 2, "refused": 1}
    (alarm,) = world.rows(select(t.alarm.c.message).where(t.alarm.c.kind == scheduler.MISSED))
    assert alarm.message.endswith("the channel email failed with ValueError")
