"""A worker announces by itself what schedules and reminders have due."""

# ruff: noqa: DTZ001 - a wall time has no zone
from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from broker.actor import SYSTEM
from broker.announcement import Draft, Part, People, Step
from broker.diary import event_book, reminders, schedules
from broker.diary.events import ToldEvent
from broker.diary.recurrence import Pattern
from broker.diary.recurrence_rule import Rule
from broker.ports.events import ReminderRule
from ledger import tables as t
from tests.support.tower import MakeTower, Tower, within
from workers.embedded import EmbeddedWorker

pytestmark = [pytest.mark.timeout(120), pytest.mark.runs_on("sqlite")]
LONDON = ZoneInfo("Europe/London")


def announced(tower: Tower, state: str = "sent") -> int:
    with tower.house.ledger.reading() as hand:
        return len(hand.connection.execute(select(t.delivery.c.id).where(t.delivery.c.state == state)).all())


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_what_a_schedule_and_a_reminder_have_due_goes_out_once(
    ledger_url: str, make_tower: MakeTower
) -> None:
    tower = make_tower(ledger_url, serves=True)
    tower.bring(3)
    with tower.house.ledger.look() as tx:
        now = tx.now
    department, audience, ways = "office", "everyone", (Step(("bell",)),)
    words = {Part.SHORT: "Choir at 15:30."}
    draft = Draft(department, audience, People.GUARDIANS, ways, words)
    wall = (now + timedelta(seconds=3)).astimezone(LONDON).replace(tzinfo=None, microsecond=0)
    pattern = Pattern(wall, LONDON.key, Rule())
    schedules.save(tower.house.ports, "Choir", draft, pattern, lasts=timedelta(hours=1), actor=SYSTEM)
    rule = ReminderRule(0, department, "Soon", "", timedelta(days=1), People.GUARDIANS, ways, words)
    reminders.add_rule(tower.house.ports, rule, actor=SYSTEM)
    starts = now + timedelta(hours=3)
    told = ToldEvent("a", datetime(2000, 1, 1), wall, starts, starts + timedelta(hours=1), "Concert")
    event_book.add(tower.house.ports, told, department=department, audience=audience, actor=SYSTEM)
    with EmbeddedWorker(tower.house):
        assert within(40, lambda: announced(tower) == 6)
    assert set(tower.accepted().values()) == {2}  # the rehearsal, and the concert
