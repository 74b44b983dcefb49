"""Schedules: what falls due is announced once, by whomever, whenever somebody looks; and what is not is told."""

# ruff: noqa: DTZ001 - a wall time has no zone
from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Part, People
from broker.authority import rule_changes
from broker.diary import scheduler, schedules
from broker.diary.calendar import DayKind
from broker.diary.recurrence import Pattern
from broker.diary.recurrence_rule import BadRecurrence, Rule, read_rule
from broker.diary.schedule_times import coming
from broker.diary.terms import calendar_now
from broker.errors import NotFound, NotToBeChanged, RuleBroken
from broker.ports.calendar import Outcome, ScheduleRow
from broker.rosters.imports import import_roster
from broker.rosters.roster import RosterTerm, TermKind
from broker.rules.calendar import BANK_HOLIDAYS
from broker.testing.clock import PretendClock
from ledger import tables as t
from tests.schedules.conftest import TERMS, choir
from tests.support.broker_world import World

LONDON = "Europe/London"
BELL = Actor(ActorKind.PERSON, "Mrs Bell")
IN_TERM = frozenset({DayKind.TERM})


def pattern(starts: datetime, rule: str = "FREQ=WEEKLY;BYDAY=TU", **more: object) -> Pattern:
    made = Pattern(starts, LONDON, read_rule(rule, zone=LONDON, starts=starts), on=IN_TERM)
    return replace(made, **more)  # type: ignore[arg-type]


CHOIR = pattern(datetime(2026, 9, 1, 8))


def save(world: World, name: str = "Choir", when: Pattern = CHOIR, **more: object) -> ScheduleRow:
    lasts = more.pop("lasts", timedelta(hours=6))
    draft = world.draft(audience="Choir", parts={Part.SHORT: "{pupil}: choir at 15:30."}, **more)
    return schedules.save(world.ports, name, draft, when, lasts=lasts, actor=BELL)  # type: ignore[arg-type]


def outcomes(world: World, row: ScheduleRow) -> list[tuple[datetime, Outcome]]:
    with world.ledger.look() as tx:
        found = tx.schedules.outcomes(row.id, limit=1_000)
    return sorted((one.original, one.outcome) for one in found)


def announced(world: World) -> list[str]:
    return [row.idempotency_key for row in world.rows(select(t.announcement).order_by(t.announcement.c.id))]


def due_again(world: World, row: ScheduleRow, since: timedelta) -> ScheduleRow:
    """As if nobody had looked for so long; on a database whose clock is its own."""
    with world.ledger.begin() as tx:
        begins = tx.now - since
        late = replace(row, looked_until=begins, next_at=begins)
        tx.schedules.keep(late)
    return late


def soon(world: World, ago: timedelta) -> Pattern:
    """Once, at a moment this long ago by the ledger's own clock."""
    with world.ledger.look() as tx:
        wall = (tx.now - ago).astimezone(ZoneInfo(LONDON)).replace(tzinfo=None, microsecond=0)
    return Pattern(wall, LONDON, Rule())


def look_when_due(world: World, clock: PretendClock, row: ScheduleRow) -> None:
    """As one who looks every second: nothing is done before the schedule itself says when to look at it again."""
    with world.ledger.look() as tx:
        known = tx.schedules.by_id(row.id)
    assert known is not None
    assert known.next_at is not None
    clock.advance(max(known.next_at - clock.now, timedelta(seconds=1)))
    scheduler.make_due(world.ports, actor=SYSTEM)


def test_a_simulated_year_announces_every_rehearsal_once_and_none_in_the_holidays(
    clocked: World, clock: PretendClock
) -> None:
    row = save(clocked)
    while clock.now < datetime(2027, 9, 1, tzinfo=UTC):
        look_when_due(clocked, clock, row)
    told = outcomes(clocked, row)
    expected = {
        day
        for n in range(60)
        if (day := date(2026, 9, 1) + timedelta(weeks=n)) <= date(2027, 7, 21)
        and any(s.kind == "term" and s.begins_on <= day <= s.ends_on for s in TERMS)
        and not any(s.kind != "term" and s.begins_on <= day <= s.ends_on for s in TERMS)
    }
    assert {original.date() for original, _ in told} == expected
    assert len(told) == len(expected) == len(announced(clocked)) == len(set(announced(clocked)))
    assert {outcome for _, outcome in told} == {Outcome.MADE}  # none late, and none missed
    # 8 o'clock is 8 o'clock before and after both clock changes.
    with clocked.ledger.look() as tx:
        due = [one.due_at for one in tx.schedules.outcomes(row.id, limit=1_000) if one.due_at]
    assert {at.astimezone(ZoneInfo(LONDON)).hour for at in due} == {8}
    assert Counter(at.hour for at in due).keys() == {7, 8}


def test_what_fell_due_while_all_was_down_goes_late_or_is_told_as_missed(
    clocked: World, clock: PretendClock
) -> None:
    row = save(clocked)
    clock.advance(timedelta(days=14, hours=4))  # a fortnight and two hours after a rehearsal's time
    assert scheduler.make_due(clocked.ports, actor=SYSTEM) == 3
    assert [outcome for _, outcome in outcomes(clocked, row)] == [
        Outcome.MISSED,
        Outcome.MISSED,
        Outcome.LATE,
    ]
    alarms = clocked.rows(select(t.alarm).where(t.alarm.c.kind == scheduler.MISSED))
    (alarm,) = alarms
    assert "2026-09-01 08:00, 2026-09-08 08:00" in alarm.message
    assert len(announced(clocked)) == 1
    assert scheduler.make_due(clocked.ports, actor=SYSTEM) == 0


def test_two_schedulers_at_once_announce_it_once(world: World) -> None:
    row = due_again(world, save(world, when=soon(world, -timedelta(minutes=1))), timedelta(hours=1))
    row = replace(row, pattern=soon(world, timedelta(minutes=1)))
    with world.ledger.begin() as tx:
        tx.schedules.keep(row)
    faults: list[Exception] = []

    def look() -> None:
        try:
            scheduler.make_due(world.ports, actor=SYSTEM)
        except Exception as fault:  # noqa: BLE001
            faults.append(fault)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    scheduler.make_due(world.ports, actor=SYSTEM)
    assert len(announced(world)) == 1
    assert [outcome for _, outcome in outcomes(world, row)] == [Outcome.MADE]


def test_a_turn_that_dies_leaves_nothing_half_done_and_the_next_does_all_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = due_again(world, save(world, when=soon(world, -timedelta(minutes=1))), timedelta(hours=1))
    row = replace(row, pattern=soon(world, timedelta(minutes=1)))
    with world.ledger.begin() as tx:
        tx.schedules.keep(row)

    def dies(*_: object) -> None:
        raise OSError("the machine went away")

    with monkeypatch.context() as patched:
        patched.setattr("ledger.diary.schedules.Schedules.looked", dies)
        with pytest.raises(OSError, match="went away"):
            scheduler.make_due(world.ports, actor=SYSTEM)
    assert announced(world) == []
    assert scheduler.make_due(world.ports, actor=SYSTEM) == 1
    assert len(announced(world)) == 1


def test_a_moved_one_is_announced_at_its_new_time_under_its_own_key(
    clocked: World, clock: PretendClock
) -> None:
    row = save(clocked)
    schedules.move(clocked.ports, "choir", date(2026, 9, 1), datetime(2026, 9, 2, 9), actor=BELL)
    clock.advance(timedelta(hours=3))
    assert scheduler.make_due(clocked.ports, actor=SYSTEM) == 0
    clock.advance(timedelta(days=1))
    assert scheduler.make_due(clocked.ports, actor=SYSTEM) == 1
    assert announced(clocked) == [scheduler.key_of(row, datetime(2026, 9, 1, 8))]


def test_a_cancelled_one_does_not_take_place_and_what_was_announced_is_taken_back(
    clocked: World, clock: PretendClock
) -> None:
    row = save(clocked)
    assert not schedules.cancel(clocked.ports, "Choir", date(2026, 9, 8), actor=BELL)
    clock.advance(timedelta(hours=2))
    scheduler.make_due(clocked.ports, actor=SYSTEM)
    with pytest.raises(NotToBeChanged) as late:
        schedules.move(clocked.ports, "Choir", date(2026, 9, 1), datetime(2026, 9, 2, 9), actor=BELL)
    assert late.value.problem.code == "too_late"
    assert schedules.cancel(clocked.ports, "Choir", date(2026, 9, 1), actor=BELL)
    assert all(row.withdrawn_at for row in clocked.rows(select(t.announcement)))
    with pytest.raises(NotToBeChanged, match="taken back"):
        schedules.move(clocked.ports, "Choir", date(2026, 9, 1), datetime(2026, 9, 2, 9), actor=BELL)
    clock.advance(timedelta(days=8))
    scheduler.make_due(clocked.ports, actor=SYSTEM)
    assert outcomes(clocked, row) == [(datetime(2026, 9, 1, 8), Outcome.CANCELLED)]
    schedules.put_back(clocked.ports, "Choir", date(2026, 9, 8), actor=BELL)
    with clocked.ledger.look() as tx:
        assert schedules.the(tx, "Choir").pattern.moved == {datetime(2026, 9, 1, 8): None}


def test_a_paused_one_passes_over_and_an_ended_one_is_over(clocked: World, clock: PretendClock) -> None:
    row = save(clocked)
    schedules.pause(clocked.ports, "Choir", actor=BELL)
    clock.advance(timedelta(days=8))
    assert scheduler.make_due(clocked.ports, actor=SYSTEM) == 0
    schedules.resume(clocked.ports, "Choir", actor=BELL)
    clock.advance(timedelta(days=7))
    scheduler.make_due(clocked.ports, actor=SYSTEM)
    assert [original.day for original, _ in outcomes(clocked, row)] == [15]
    schedules.end(clocked.ports, "Choir", actor=BELL)
    with pytest.raises(NotFound), clocked.ledger.look() as tx:
        schedules.the(tx, "Choir")
    save(clocked)  # its name is free


def test_what_is_changed_holds_for_all_that_is_to_come(clocked: World, clock: PretendClock) -> None:
    save(clocked)
    with clocked.ledger.look() as tx:
        draft = replace(schedules.the(tx, "Choir").draft, parts={Part.SHORT: "Choir is at 16:00 now."})
    schedules.change(
        clocked.ports, "Choir", draft=draft, pattern=pattern(datetime(2026, 9, 1, 9)), actor=BELL
    )
    clock.advance(timedelta(hours=2, minutes=1))
    scheduler.make_due(clocked.ports, actor=SYSTEM)
    clock.advance(timedelta(minutes=1))
    assert [row.text for row in clocked.rows(select(t.content))] == ["Choir is at 16:00 now."]


def test_a_change_to_an_hour_that_is_past_announces_nothing_late(clocked: World, clock: PretendClock) -> None:
    save(clocked, when=pattern(datetime(2026, 9, 1, 16)))
    clock.advance(timedelta(hours=3))
    schedules.change(clocked.ports, "Choir", pattern=pattern(datetime(2026, 9, 1, 8)), actor=BELL)
    assert scheduler.make_due(clocked.ports, actor=SYSTEM) == 0
    clock.advance(timedelta(days=7))
    assert scheduler.make_due(clocked.ports, actor=SYSTEM) == 1


def next_at(world: World) -> datetime | None:
    with world.ledger.look() as tx:
        return schedules.the(tx, "Choir").next_at


def test_a_rule_about_bank_holidays_moves_the_next_time_at_once(clocked: World) -> None:
    save(clocked)
    assert next_at(clocked) == datetime(2026, 9, 1, 7, tzinfo=UTC)
    rule_changes.change(clocked.ports, BANK_HOLIDAYS, "UZ", "a holiday on 1 September", actor=BELL)
    assert next_at(clocked) == datetime(2026, 9, 2, 6, tzinfo=UTC)  # when it is looked at again


def test_a_rosters_terms_move_the_next_time_at_once(clocked: World) -> None:
    def bring_term(begins: date) -> None:
        term = RosterTerm("autumn", "Autumn", TermKind.TERM, begins, date(2026, 12, 18))
        import_roster(clocked.ports, replace(choir().roster(), terms=(term,)), actor=SYSTEM)

    with clocked.ledger.begin() as tx:
        tx.calendars.replace([], by="test")
    bring_term(date(2026, 9, 2))
    save(clocked)
    assert next_at(clocked) == datetime(2026, 9, 2, 6, tzinfo=UTC)
    bring_term(date(2026, 9, 1))
    assert next_at(clocked) == datetime(2026, 9, 1, 7, tzinfo=UTC)


def test_what_a_rule_or_intake_refuses_when_it_is_due_is_told_and_not_tried_for_ever(
    clocked: World, clock: PretendClock
) -> None:
    row = save(clocked)
    clocked.sql("UPDATE people_group SET active = false WHERE name = 'Choir'")
    clock.advance(timedelta(hours=2))
    assert scheduler.make_due(clocked.ports, actor=SYSTEM) == 1
    assert scheduler.make_due(clocked.ports, actor=SYSTEM) == 0
    assert [outcome for _, outcome in outcomes(clocked, row)] == [Outcome.REFUSED]


def test_before_the_known_terms_end_somebody_is_told(clocked: World, clock: PretendClock) -> None:
    save(clocked)
    clock.advance(timedelta(days=310))
    scheduler.make_due(clocked.ports, actor=SYSTEM)
    (alarm,) = clocked.rows(select(t.alarm).where(t.alarm.c.kind == scheduler.CALENDAR_ENDS))
    assert "carillon terms import" in alarm.message


@pytest.mark.parametrize(
    ("when", "code"),
    [
        (pattern(datetime(2026, 9, 5, 8), "FREQ=WEEKLY;COUNT=1", on=IN_TERM), "ok"),
        (pattern(datetime(2026, 10, 27, 8), "FREQ=WEEKLY;COUNT=1"), "never"),
        (pattern(datetime(2020, 9, 5, 8), "FREQ=WEEKLY;COUNT=1"), "never"),
        (pattern(datetime(2026, 10, 4, 1, 30), "FREQ=DAILY", on=frozenset(DayKind)), "double_hour"),
        (pattern(datetime(2027, 3, 4, 1, 30), "FREQ=DAILY", on=frozenset(DayKind)), "missing_hour"),
    ],
)
def test_a_schedule_that_cannot_be_meant_is_not_kept(clocked: World, when: Pattern, code: str) -> None:
    if code == "ok":
        save(clocked, when=when)
        return
    with pytest.raises(RuleBroken) as refused:
        save(clocked, when=when)
    assert refused.value.problem.code == code
    with clocked.ledger.look() as tx:
        assert tx.schedules.all() == []


def test_without_any_term_a_schedule_for_term_days_is_refused(clocked: World) -> None:
    with clocked.ledger.begin() as tx:
        tx.calendars.replace([], by="test")
    with pytest.raises(NotToBeChanged) as refused:
        save(clocked)
    assert refused.value.problem.code == "no_terms"


def test_a_name_is_taken_once_and_the_preview_keeps_nothing(clocked: World) -> None:
    draft = clocked.draft(audience="Choir")
    shown = schedules.preview(clocked.ports, "Choir", draft, CHOIR, lasts=timedelta(hours=1))
    assert len([one for one in shown if one.at]) == 10
    assert [one.left_out.kind for one in shown if one.left_out] == [DayKind.HALF_TERM]
    save(clocked)
    with pytest.raises(NotToBeChanged) as refused:
        save(clocked, " choir ")
    assert refused.value.problem.code == "known"


def test_an_occurrence_that_is_not_there_cannot_be_moved(clocked: World) -> None:
    save(clocked)
    with pytest.raises(BadRecurrence):
        schedules.cancel(clocked.ports, "Choir", date(2026, 9, 2), actor=BELL)
    with pytest.raises(NotToBeChanged) as past:
        schedules.move(clocked.ports, "Choir", date(2026, 9, 8), datetime(2026, 8, 1, 8), actor=BELL)
    assert past.value.problem.code == "past"
    with pytest.raises(BadRecurrence) as missing:
        schedules.move(clocked.ports, "Choir", date(2026, 9, 8), datetime(2027, 3, 28, 1, 30), actor=BELL)
    assert missing.value.problem.code == "missing_hour"


def test_what_is_coming_names_what_is_left_out_and_why(clocked: World, clock: PretendClock) -> None:
    save(clocked)
    save(clocked, "Staff", replace(CHOIR, on=frozenset(DayKind)), people=People.GUARDIANS)
    clock.advance(timedelta(days=49))
    scheduler.make_due(clocked.ports, actor=SYSTEM)
    with clocked.ledger.look() as tx:
        found = coming(tx, calendar_now(tx), until=tx.now + timedelta(days=14))
    assert [(one.schedule.name, one.occurrence.wall.day, one.occurrence.at is not None) for one in found] == [
        ("Choir", 20, True),
        ("Staff", 20, True),
        ("Choir", 27, False),
        ("Staff", 27, True),
    ]


def test_it_is_announced_for_whoever_made_it_and_the_record_tells(
    clocked: World, clock: PretendClock
) -> None:
    save(clocked)
    clock.advance(timedelta(hours=2))
    scheduler.make_due(clocked.ports, actor=SYSTEM)
    kinds = clocked.record()
    assert {"schedule.saved", "schedule.occurred", "announcement.accepted"} <= set(kinds)
