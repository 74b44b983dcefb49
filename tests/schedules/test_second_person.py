"""A second person's yes to all that a schedule says: what waits without it, what it lets go, and what ends it."""

# ruff: noqa: DTZ001 - a wall time has no zone
from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Part
from broker.authority import approvals, operators, rule_changes
from broker.diary import event_book, reminders, scheduler, schedules
from broker.errors import NotToBeChanged
from broker.ports.approvals import OperatorRole
from broker.testing.clock import PretendClock
from ledger import tables as t
from tests.schedules.test_schedules import BELL, save
from tests.support.broker_world import World
from tests.support.events import bring, look, rule, told

REED = Actor(ActorKind.PERSON, "Mr Reed")
HEAD = Actor(ActorKind.PERSON, "The Head")


@pytest.fixture
def careful(clocked: World) -> World:
    """A school that wants two people for whatever guardians are told."""
    ports = clocked.ports
    operators.add(ports, "The Head", list(OperatorRole), None, actor=HEAD)
    operators.add(ports, "Mrs Bell", [OperatorRole.AUTHOR, OperatorRole.APPROVER], None, actor=HEAD)
    operators.add(ports, "Mr Reed", [OperatorRole.APPROVER], None, actor=HEAD)
    rule_changes.change(ports, "approval.needed", "any/guardians/service", "test", actor=HEAD)
    return clocked


def holds(world: World) -> list[str]:
    rows = world.rows(select(t.announcement.c.hold_code).order_by(t.announcement.c.id))
    return [row.hold_code or "" for row in rows]


def weeks(world: World, clock: PretendClock, count: int = 1) -> None:
    """Until nine o'clock of each of the next Tuesdays, by when its date has fallen due."""
    for _ in range(count):
        clock.advance(timedelta(hours=1))
        while clock.now.weekday() != 1 or clock.now.hour != 9:
            clock.advance(timedelta(hours=1))
        scheduler.make_due(world.ports, actor=SYSTEM)


def test_what_a_schedule_says_waits_for_a_second_person_and_an_alarm_says_how(
    careful: World, clock: PretendClock
) -> None:
    row = save(careful)
    assert "two people" in schedules.waits(careful.ports, row.draft, actor=BELL)
    weeks(careful, clock)
    assert holds(careful) == ["needs_approval"]
    (alarm,) = careful.rows(select(t.alarm).where(t.alarm.c.kind == scheduler.WAITS))
    assert "carillon schedule approve" in alarm.message


def test_one_yes_to_the_schedule_is_a_yes_to_each_of_its_dates(careful: World, clock: PretendClock) -> None:
    save(careful)
    schedules.approve(careful.ports, "Choir", actor=REED)
    weeks(careful, clock, 3)
    assert holds(careful) == ["", "", ""]
    decided = careful.rows(select(t.approval))
    assert [(row.by, row.decision) for row in decided] == [("Mr Reed", "approved")] * 3


def test_nobody_approves_their_own_nor_a_date_of_it(careful: World, clock: PretendClock) -> None:
    save(careful)
    with pytest.raises(NotToBeChanged, match="themselves"):
        schedules.approve(careful.ports, "Choir", actor=BELL)
    weeks(careful, clock)
    (row,) = careful.rows(select(t.announcement))
    assert (row.actor_kind, row.on_behalf_of) == ("system", "Mrs Bell")
    with pytest.raises(NotToBeChanged, match="themselves"):
        approvals.approve(careful.ports, row.public_id, actor=BELL)
    approvals.approve(careful.ports, row.public_id, actor=REED)
    assert holds(careful) == [""]


def test_other_words_want_another_yes_and_another_time_does_not(careful: World, clock: PretendClock) -> None:
    row = save(careful)
    schedules.approve(careful.ports, "Choir", actor=REED)
    at_nine = replace(row.pattern, starts=datetime(2026, 9, 1, 9))
    assert schedules.change(careful.ports, "Choir", pattern=at_nine, actor=BELL).approved is not None
    words = replace(row.draft, parts={Part.SHORT: "Something else."})
    assert schedules.change(careful.ports, "Choir", draft=words, actor=BELL).approved is None
    weeks(careful, clock)
    assert holds(careful) == ["needs_approval"]


def test_a_yes_is_to_what_was_seen_and_to_nothing_that_was_changed_since(
    careful: World, clock: PretendClock
) -> None:
    row = save(careful)
    clock.advance(timedelta(seconds=1))
    seen = schedules.seen_of(row)
    words = replace(row.draft, parts={Part.SHORT: "Something else."})
    changed = schedules.change(careful.ports, "Choir", draft=words, actor=BELL)
    assert schedules.seen_of(changed) != seen
    for said in (seen, None, "", schedules.seen_of(changed)[:4]):
        with pytest.raises(NotToBeChanged, match="since you looked at it"):
            schedules.approve(careful.ports, "Choir", actor=REED, seen=said)
    assert schedules.approve(careful.ports, "Choir", actor=REED, seen=schedules.seen_of(changed)).approved


def test_far_more_people_than_were_agreed_to_are_asked_about_again(
    careful: World, clock: PretendClock
) -> None:
    save(careful)
    schedules.approve(careful.ports, "Choir", actor=REED)
    careful.sql("UPDATE schedule SET approved_count = 400")
    weeks(careful, clock)
    assert holds(careful) == ["needs_approval"]


def test_a_reminder_may_be_agreed_to_once_for_all_it_will_say(careful: World, clock: PretendClock) -> None:
    rule(careful, "Mail", timedelta(days=2), "email")
    bring(careful, [told("a", clock.now + timedelta(days=1)), told("b", clock.now + timedelta(days=4))])
    look(careful)
    assert holds(careful) == ["needs_approval"]
    with pytest.raises(NotToBeChanged, match="themselves"):
        reminders.approve_rule(careful.ports, "Mail", actor=BELL)
    reminders.approve_rule(careful.ports, "Mail", actor=REED)
    clock.advance(timedelta(days=3))
    look(careful)
    assert holds(careful)[-1] == ""


def test_second_thoughts_are_counted_from_when_its_words_were_last_changed(
    clocked: World, clock: PretendClock
) -> None:
    rule_changes.change(clocked.ports, "undo.window", "1 h", "test", actor=SYSTEM)
    save(clocked)
    weeks(clocked, clock)
    assert holds(clocked) == [""]  # a week was time enough
    clock.advance(timedelta(days=6, hours=21, minutes=30))  # half an hour before the next
    with clocked.ledger.look() as tx:
        row = schedules.the(tx, "Choir")
    words = replace(row.draft, parts={Part.SHORT: "Something else."})
    schedules.change(clocked.ports, "Choir", draft=words, actor=BELL)
    clock.advance(timedelta(minutes=31))
    scheduler.make_due(clocked.ports, actor=SYSTEM)
    assert holds(clocked) == ["", "undo_window"]
    (_, changed) = clocked.rows(select(t.announcement).order_by(t.announcement.c.id))
    assert changed.held_until < clock.now + timedelta(minutes=30)


def test_a_yes_to_a_reminder_is_none_to_what_an_event_puts_into_it(
    careful: World, clock: PretendClock
) -> None:
    rule_changes.change(careful.ports, "purpose.sale_waits", "yes", "test", actor=HEAD)
    rule(careful, "Mail", timedelta(days=2), "email")
    reminders.approve_rule(careful.ports, "Mail", actor=REED)
    raffle = replace(told("a", clock.now + timedelta(days=1)), title="Grand raffle, buy your tickets")
    bring(careful, [raffle, told("b", clock.now + timedelta(days=1))])
    look(careful)
    assert sorted(bool(code) for code in holds(careful)) == [False, True]
    (yes,) = careful.rows(select(t.approval.c.announcement_id))
    (waits,) = careful.rows(select(t.announcement.c.id).where(t.announcement.c.hold_code.is_not(None)))
    assert yes.announcement_id != waits.id


def test_a_yes_to_a_reminder_is_none_to_a_number_of_people(careful: World, clock: PretendClock) -> None:
    needed = "any/guardians/service, any/over 2/any"
    rule_changes.change(careful.ports, "approval.needed", needed, "test", actor=HEAD)
    rule(careful, "Mail", timedelta(days=2), "email")
    reminders.approve_rule(careful.ports, "Mail", actor=REED)
    bring(careful, [told("a", clock.now + timedelta(days=1))])
    look(careful)
    assert holds(careful) == ["needs_approval"]


def test_a_yes_to_a_reminder_is_none_to_an_event_of_ones_own(careful: World, clock: PretendClock) -> None:
    rule(careful, "Mail", timedelta(days=2), "email")
    reminders.approve_rule(careful.ports, "Mail", actor=HEAD)
    tomorrow = told("a", clock.now + timedelta(days=1))
    event_book.add(careful.ports, tomorrow, department="music", audience="Choir", actor=HEAD)
    look(careful)
    assert holds(careful) == ["needs_approval"]
