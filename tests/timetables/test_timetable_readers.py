"""Who is told what of a timetable: those in the class when it is told; what is taken back, exactly those."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from broker.rosters.roster import Role
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.timetabled import SOURCE, Office, change, today, when

LONDON = ZoneInfo("Europe/London")


def back() -> str:
    return f"Timetable: {when('2')}: as planned after all"


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def test_what_is_taken_back_is_told_to_those_told_and_to_nobody_who_joined_since(office: Office):
    office.push(change("2", "7B"))
    assert [text[0] for text in office.send()] == ["1", "2", "3"]
    new = office.school.pupil("New", "7B")
    office.school.guardian("Neu", new, mobiles=("+447911100007",))
    office.world.bring(office.school)
    assert office.push().notices == 1
    assert office.send() == [f"1 {back()}", f"2 {back()}", f"3 {back()}"]


def test_what_is_taken_back_is_told_to_whoever_left_the_class_since(office: Office):
    office.push(change("2", "7B"))
    office.send()
    office.school.memberships = [held for held in office.school.memberships if held.person != "eve"]
    office.school.join("eve", "8A", Role.PUPIL)
    office.world.bring(office.school)
    assert office.push().notices == 1
    assert office.send() == [f"1 {back()}", f"2 {back()}", f"3 {back()}"]


def test_what_is_taken_back_is_told_once_and_not_to_those_who_were_told_before_the_last_time(office: Office):
    office.push(change("2", "7B"))
    office.send()
    office.push()
    office.send()
    office.school.memberships = [held for held in office.school.memberships if held.person != "eve"]
    office.world.bring(office.school)
    office.push(change("2", "7B", new_room="R9"))
    assert [text[0] for text in office.send()] == ["1", "2"]
    office.push()
    assert office.send() == [f"1 {back()}", f"2 {back()}"]
    assert office.push().notices == 0


def test_whom_no_message_left_for_hears_nothing_of_its_being_taken_back(office: Office):
    pushed = office.push(change("2", "7B"))
    for said in office.announcements():
        office.world.plan(said)
    refused = update(t.delivery).values(state="refused", code="a test")
    with office.world.ledger.begin() as tx:
        tx.hand.connection.execute(refused)
    gone = office.push()
    assert (pushed.notices, gone.changes, gone.within_horizon, gone.notices) == (1, 1, 0, 0)


def test_a_class_that_a_change_drops_is_told_so_and_the_other_hears_nothing(office: Office):
    first = office.push(change("2", "7B", "8A"))
    assert (first.changes, first.within_horizon) == (1, 1)
    office.send()
    less = office.push(change("2", "8A"))
    assert (less.changes, less.within_horizon) == (1, 1)
    assert office.send() == [f"1 {back()}", f"2 {back()}", f"3 {back()}"]
    office.push(change("2", "7B", "8A"))
    told = f"Timetable: {when('2')}: Maths, room R5"
    assert office.send() == [f"1 {told}", f"2 {told}", f"3 {told}"]


def test_a_class_that_is_no_group_any_more_is_passed_over_and_stops_nobody(office: Office):
    office.push(change("2", "7B"), change("3", "8A"))
    office.send()
    office.school.memberships = [held for held in office.school.memberships if held.group != "g:8A"]
    del office.school.groups["8A"]
    office.world.bring(office.school)
    assert office.push().notices == 1
    assert office.send() == [f"1 {back()}", f"2 {back()}", f"3 {back()}"]


def test_a_lesson_that_has_begun_is_not_told_any_more_nor_that_it_is_as_planned(office: Office):
    began = office.world.ports.ledger.transact(lambda tx: tx.now)
    later = replace(SOURCE, starts={"2": _wall(began + timedelta(minutes=30)), "3": _wall(began)})
    told = office.push(change("2", "7B"), change("3", "7B"), source=later)
    if (began + timedelta(minutes=31)).astimezone(LONDON).date() != today():
        pytest.skip("the lesson would begin after midnight")
    assert (told.changes, told.within_horizon) == (2, 1)
    (said,) = office.announcements()
    assert timedelta(minutes=28) < said.expires_at - began <= timedelta(minutes=30)
    office.send()
    office.world.pass_time(timedelta(minutes=31))
    assert office.push(source=later).within_horizon == 0


def _wall(moment: datetime) -> time:
    return moment.astimezone(LONDON).time().replace(microsecond=0)
