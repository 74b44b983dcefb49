"""Timetable pushes over the real ledger: one message each with all their changes, never the same twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from broker import intake
from broker.actor import SYSTEM
from broker.announcement import Part
from broker.diary import timetable_sources, timetables
from broker.errors import InvalidAnnouncement, NotFound, RuleBroken
from broker.naming import fill, with_changes
from broker.office import templates
from channels.markup import to_html
from tests.support.broker_world import World
from tests.support.school import family
from tests.support.timetabled import SOURCE, Office, change, today, when


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def test_a_family_gets_one_message_with_the_changes_of_all_its_children(office: Office):
    pushed = office.push(change("3", "8A"), change("2", "7B"), change("1", "9Z"))
    assert (pushed.rows, pushed.changes, pushed.within_horizon, pushed.notices) == (3, 3, 2, 1)
    assert pushed.unknown == ("9Z",)
    assert office.alarms() == ["timetable_classes"]
    told = f"Timetable: {when('2')}: Maths, room R5"
    both = f"For Ann and Cat: {told}; {when('3', '8A')}: Maths, room R5"
    assert office.send() == [f"1 {both}", f"2 {both}", f"3 {told}"]
    again = office.push(change("3", "8A"), change("2", "7B"), change("1", "9Z"))
    assert (again.changes, again.within_horizon, again.notices) == (0, 0, 0)
    assert office.send() == []


def test_what_is_changed_again_says_so_and_what_is_taken_back_is_told_to_those_told(office: Office):
    office.push(change("2", "7B"))
    office.send()
    other = change("2", "7B", new_room="R9")
    assert office.push(other).notices == 1
    again = f"Timetable: {when('2')}, changed again: Maths, room R9"
    assert office.send() == [f"1 {again}", f"2 {again}", f"3 {again}"]
    gone = office.push()
    assert (gone.rows, gone.changes, gone.within_horizon, gone.notices) == (0, 1, 1, 1)
    back = f"Timetable: {when('2')}: as planned after all"
    assert office.send() == [f"1 {back}", f"2 {back}", f"3 {back}"]
    assert office.push().notices == 0
    office.push(change("2", "7B"))
    assert office.send()[2] == f"3 Timetable: {when('2')}: Maths, room R5"


def test_what_nobody_has_seen_yet_is_told_once_as_it_is_now(office: Office):
    office.push(change("2", "7B"), change("4", "7B"))
    office.push(change("2", "7B", new_room="R9"), change("4", "7B"))
    told = f"Timetable: {when('2')}: Maths, room R9; {when('4')}: Maths, room R5"
    assert office.send() == [f"1 {told}", f"2 {told}", f"3 {told}"]
    office.push(change("2", "7B", new_room="R9"), change("4", "7B"), change("5", "7B"))
    office.push(change("2", "7B", new_room="R9"), change("4", "7B"))
    assert office.send() == []  # the fifth period was never told of: nobody hears that it is as planned


def test_what_a_person_took_back_is_not_announced_again(office: Office):
    pushed = office.push(change())
    assert pushed.announcement is not None
    intake.withdraw(office.world.ports, pushed.announcement, actor=SYSTEM)
    assert office.push(change()).notices == 0
    assert office.push().notices == 0
    assert office.send() == []


def test_only_what_lies_within_the_horizon_is_told_and_each_when_its_time_comes(office: Office):
    late = change(day=today() + timedelta(days=60))
    pushed = office.push(late, change("1", day=today() - timedelta(days=1)))
    assert (pushed.rows, pushed.changes, pushed.within_horizon, pushed.notices) == (2, 1, 0, 0)
    further = replace(SOURCE, days=60)
    assert office.push(late, source=further).notices == 0  # none of the 60 school days is 60 days away
    soon = change(day=today() + timedelta(days=8))
    assert office.push(soon, late, source=further).within_horizon == 1
    assert office.push(soon, late, source=replace(SOURCE, day_ends=time.min)).notices == 0


def test_far_more_than_usual_waits_for_a_person(office: Office):
    few = replace(SOURCE, most=3)
    many = [change(str(n), "7B") for n in range(1, 6)]
    held = office.push(*many, source=few)
    assert (held.held, held.changes, held.within_horizon, held.notices) == (True, 5, 5, 0)
    assert office.push(*many, source=few).held
    assert office.alarms() == ["timetable_held"]
    timetables.release(office.world.ports, "untis", actor=SYSTEM)
    assert office.push(*many, change("7", "7B"), source=few).held  # it is more by now
    timetables.release(office.world.ports, "untis", actor=SYSTEM)
    assert office.push(*many, source=few).notices == 1
    assert office.alarms() == []
    with pytest.raises(NotFound):
        timetables.release(office.world.ports, "untis", actor=SYSTEM)


def test_a_source_that_is_suddenly_empty_is_not_believed(office: Office):
    office.push(*(change(str(n), "7B") for n in range(1, 13)))
    office.send()
    held = office.push()
    assert (held.held, held.notices) == (True, 0)
    assert office.push(*(change(str(n), "7B") for n in range(1, 13))).held is False
    assert office.alarms() == []


def test_only_an_approved_template_with_its_changes_is_used_and_nothing_is_kept_otherwise(office: Office):
    ports = office.world.ports
    with pytest.raises(RuleBroken) as refused:
        office.push(change(), source=replace(SOURCE, template="Other"))
    assert refused.value.problem.code == "unknown_template"
    templates.save(ports, "office", "Changes", {Part.SHORT: "Look it up."}, actor=SYSTEM)
    with pytest.raises(RuleBroken, match="worded anew since it was approved") as refused:
        office.push(change())
    assert refused.value.problem.code == "template_not_approved"
    assert refused.value.problem.hint.endswith('rules set adults.notices "office/Changes" --why "…"')
    office.rule("adults.notices", "office/Changes")
    with pytest.raises(RuleBroken) as refused:
        office.push(change())
    assert refused.value.problem.code == "template_without_changes"
    templates.save(ports, "office", "Changes", {Part.SHORT: "{changes}"}, actor=SYSTEM)
    office.rule("adults.notices", "office/Changes")
    assert office.push(change()).notices == 1


def test_nobody_announces_changes_by_hand(office: Office):
    with pytest.raises(InvalidAnnouncement) as refused:
        office.world.announce(parts={Part.SHORT: "Look: {changes}"})
    assert refused.value.problem.code == "changes_unknown"


def test_a_source_that_is_silent_is_told_of_until_it_speaks(office: Office):
    began = datetime.now(ZoneInfo("UTC")) - timedelta(days=30)
    quick = replace(SOURCE, silent_after=timedelta(days=1))
    silent = timetable_sources.watch(office.world.ports, [quick], began=began)
    assert silent in {0, 1}  # 0 where the test runs on a day without school
    office.push(change())
    assert timetable_sources.watch(office.world.ports, [quick], began=began) == 0
    assert "timetable_silent" not in office.alarms()


def test_a_mail_has_every_change_as_a_list_and_a_text_the_first_few():
    lines = [f"7B, period {n}: *Maths* {{pupil}}" for n in range(9)]
    assert with_changes("So: {changes}.", lines[:2]) == f"So: {lines[0]}; {lines[1]}."
    assert with_changes("{changes}", lines).endswith("; and 3 more, see the timetable")
    mail = with_changes("Dear you,\n\n{changes}\n\nThe office", ["7B: *Maths*"], markdown=True)
    assert mail == "Dear you,\n\n\n- 7B: \\*Maths\\*\n\n\nThe office"
    assert "<li>7B: *Maths*</li>" in to_html(mail)
    assert with_changes("{changes}", [], markdown=True) == "{changes}"
    assert fill("{changes}", ()) == "The timetable changes: please ask the school"


def test_an_address_of_people_who_share_no_guardian_learns_no_childs_timetable(office: Office):
    school = family()
    school.guardian("Refuge", "eve", mobiles=("+447911100009",))
    school.guardian("Helper", "cat", mobiles=("+447911100009",))
    office.world.bring(school)
    office.push(change("2", "7B"), change("2", "8A"))
    assert office.send()[-1] == "9 Timetable: the timetable changes: please ask the school"


def test_classes_that_do_not_fit_into_one_audience_are_told_by_the_next_push(office: Office):
    school = family()
    classes = [f"A class with a long name, {n:02d} (Maths)" for n in range(60)]
    for n, name in enumerate(classes):
        school.guardian(f"P{n}", school.pupil(f"C{n}", name), mobiles=(f"+4479112220{n:02d}",))
    office.world.bring(school)
    changes = [change("2", name) for name in classes]
    told, pushes = 0, 0
    while (pushed := office.push(*changes)).notices:
        told += len(office.send())
        pushes += 1
    assert (told, pushed.within_horizon) == (60, 0)
    assert pushes == 2


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)  # SQLite has one that writes
def test_two_processes_that_push_at_once_tell_it_once(office: Office):
    with ThreadPoolExecutor(4) as pool:
        pushed = list(pool.map(lambda _: office.push(change("2", "7B")), range(8)))
    assert sum(each.notices for each in pushed) == 1
    assert sum(each.changes for each in pushed) == 1
    assert len(office.announcements()) == 1
