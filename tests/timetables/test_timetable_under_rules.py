"""What the school's rules do to a push: nobody is asked again about approved words, and nothing comes too late."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from broker import intake
from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Part, People
from broker.authority import operators
from broker.diary import timetables
from broker.errors import NotAllowed, RuleBroken
from broker.judging import RefusedByRule
from broker.ports.approvals import OperatorRole
from broker.testing.provider import PretendKit
from sources.timetables import Reading, read
from tests.support.broker_world import World
from tests.support.timetabled import SOURCE, Office, change, today, when

pytestmark = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)  # pure rules
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def codes(office: Office) -> set[tuple[str, str]]:
    with office.world.ledger.look() as tx:
        return {(each.answer, each.code) for said in office.announcements() for each in tx.verdicts.of(said)}


def test_no_second_person_and_no_typed_number_is_waited_for_and_the_record_says_why(office: Office):
    office.rule("approval.needed", "any/any/any")
    office.rule("blast.size", "1")
    pushed = office.push(change())
    assert (pushed.notices, pushed.waits) == (1, "")
    assert len(office.send()) == 3
    assert codes(office) == {("allow", "system_notice")}


def test_a_single_pupil_may_be_told_by_a_notice(office: Office):
    office.school.pupil("Lone", "9Z", mobiles=("+447911100008",))
    office.world.bring(office.school)
    office.push(change("2", "9Z"), source=replace(SOURCE, people=People.PUPILS))
    assert office.send() == [f"8 Timetable: {when('2', '9Z')}: Maths, room R5"]


def test_only_whoever_may_speak_for_its_department_lets_a_source_go(office: Office):
    few = replace(SOURCE, most=1)
    assert office.push(change("1"), change("2"), source=few).held
    ports = office.world.ports
    operators.add(ports, "Mrs Bell", {OperatorRole.AUTHOR}, "music", actor=SYSTEM)
    bell = Actor(ActorKind.PERSON, "Mrs Bell")
    with pytest.raises(NotAllowed):
        timetables.release(ports, "untis", department="office", actor=bell)
    assert timetables.release(ports, "untis", department="office", actor=SYSTEM).released_count == 2


def test_it_can_be_undone_for_a_moment_and_then_leaves(office: Office):
    office.rule("undo.window", "60 s")
    assert office.push(change()).waits
    assert office.send() == []
    office.world.pass_time(timedelta(seconds=61))
    office.world.sweep()
    assert len(office.send()) == 3


def test_what_waits_for_the_morning_is_told_in_one_message_with_what_is_new_since(office: Office):
    tomorrow = today() + timedelta(days=1)
    office.rule("windows.open", f"sms {DAYS[tomorrow.weekday()]} 00:00-24:00")
    soon = replace(SOURCE, days=10)
    one, two = (change(period, day=today() + timedelta(days=3)) for period in ("1", "2"))
    assert "waits until" in office.push(one, source=soon).waits
    assert office.push(one, two, source=soon).notices == 1
    first, second = office.announcements()
    assert first.withdrawn_at is not None
    with office.world.ledger.look() as tx:
        assert len(tx.timetables.all_lines(second.id)) == 2
    office.rule("windows.open", "")
    assert len(office.send()) == 3


def test_a_way_that_would_open_too_late_is_left_out_while_another_tells_it(office: Office):
    yesterday = today() - timedelta(days=1)
    office.rule("windows.open", f"sms {DAYS[yesterday.weekday()]} 00:00-24:00")
    both = office.push(change(), source=replace(SOURCE, ways=("sms", "email")))
    assert (both.notices, both.left_out) == (1, ("sms",))
    (said,) = office.announcements()
    assert [step.channels for step in said.ways] == [("email",)]
    assert office.world.record().count("announcement.refused") == 1
    with pytest.raises(RefusedByRule) as refused:
        office.push(change("5"))
    assert refused.value.problem.code == "window_too_late"
    assert office.push(change(), source=replace(SOURCE, ways=("sms", "email"))).changes == 0


def test_other_words_than_those_approved_are_asked_about(office: Office):
    office.rule("approval.needed", "any/any/any")
    draft = office.world.draft(template="Changes", parts={Part.SHORT: "Something else."})
    machine = Actor(ActorKind.TOKEN, "a machine", on_behalf_of="nobody")
    accepted = intake.accept(office.world.ports, draft, actor=machine)
    assert accepted.hold is not None
    assert accepted.hold.code == "needs_approval"


def test_nothing_of_a_childs_timetable_is_for_everybody(office: Office):
    office.world.channels.kits["rss"] = PretendKit(office.world.channels.texts, address_kind=None)
    with pytest.raises(RuleBroken) as refused:
        office.push(change(), source=replace(SOURCE, ways=("rss",)))
    assert refused.value.problem.code == "public_way"


def test_the_reason_of_an_absence_is_in_no_table_and_no_alarm(office: Office):
    row = f'1,"{today():%Y%m%d}",2,3,12,"Bön","Zim","Ma",,,,"R1","R5",,"7B~9Q","Krank","Fieber",0,,S,,\n'
    found, _ = read(row.encode(), Reading(), ZoneInfo("Europe/London"))
    office.push(*found)
    office.send()
    for table in (
        "timetable_line",
        "timetable_change",
        "timetable_source",
        "record_entry",
        "alarm",
        "content",
    ):
        said = str(office.world.rows(text(f"SELECT * FROM {table}")))
        assert "Krank" not in said
        assert "Fieber" not in said
        assert "Bön" not in said
