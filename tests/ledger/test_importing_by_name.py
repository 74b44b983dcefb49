"""An import's difference by name: who comes, goes and changes, whose addresses change, and whom nothing would reach."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.actor import SYSTEM
from broker.ports import Ports
from broker.rosters.difference import ImportNames, Some
from broker.rosters.imports import import_roster, look_closely
from broker.rosters.roster import Role, speaking_for
from ledger.rosters import named
from tests.support.school import SmallSchool, family


@pytest.fixture
def school(ports: Ports) -> SmallSchool:
    school = family()
    import_roster(ports, school.roster(), actor=SYSTEM)
    return school


def told(ports: Ports, school: SmallSchool) -> ImportNames:
    difference, names = look_closely(ports, school.roster())
    assert names.new.count == difference.people.new
    assert names.leaving.count == difference.people.leaving
    assert names.changed.count == difference.people.changed
    assert names.returning.count == difference.people.returning
    return names


def people(some: Some) -> list[tuple[str, ...]]:
    assert some.count == len(some.people)
    return [(one.name, *one.changes) for one in some.people]


def test_the_same_school_again_names_nobody(ports: Ports, school: SmallSchool) -> None:
    assert told(ports, school) == ImportNames()


def test_who_comes_goes_and_comes_back_is_named(ports: Ports, school: SmallSchool) -> None:
    school.pupil("Zoe", "7B")
    school.leave("ann")
    names = told(ports, school)
    assert people(names.new) == [("Zoe Bell",)]
    assert people(names.leaving) == [("Ann Bell",)]
    import_roster(ports, school.roster(), actor=SYSTEM, expect_leaving=1)
    school.pupil("Ann", "7B")
    assert people(told(ports, school).returning) == [("Ann Bell",)]


def test_what_changes_of_somebody_is_told(ports: Ports, school: SmallSchool) -> None:
    school.people["ann"] = replace(school.people["ann"], given_name="Anna", form="8A")
    assert people(told(ports, school).changed) == [("Anna Bell", "given name", "form none → 8A")]


def test_addresses_that_come_and_go_are_masked(ports: Ports, school: SmallSchool) -> None:
    school.people["mum"] = replace(school.people["mum"], mobiles=("+447911100099",))
    names = told(ports, school)
    ((who, *moves),) = people(names.addresses)
    assert who == "Mum Bell"
    assert [move.split(":")[0] for move in moves] == ["goes", "comes"]
    assert "100001" not in repr(moves)
    assert "100099" not in repr(moves)
    assert names.silenced.count == 0


def test_whoever_would_have_no_address_left_is_named_and_so_are_the_pupils_nobody_could_hear_about(
    ports: Ports, school: SmallSchool
) -> None:
    school.people["mum"] = replace(school.people["mum"], mobiles=(), emails=())
    names = told(ports, school)
    assert people(names.silenced) == [("Mum Bell",)]
    assert names.unreached.count == 0  # their father still has his
    school.people["dad"] = replace(school.people["dad"], mobiles=(), emails=())
    names = told(ports, school)
    assert people(names.silenced) == [("Dad Bell",), ("Mum Bell",)]
    assert [one[0] for one in people(names.unreached)] == ["Ann Bell", "Ben Bell", "Cat Bell", "Dan Bell"]


def test_a_pupil_whose_only_guardian_leaves_or_is_blocked_would_be_unreached(
    ports: Ports, school: SmallSchool
) -> None:
    school.block("fay", "eve")
    assert people(told(ports, school).unreached) == [("Eve Bell",)]
    school.leave("fay")
    assert people(told(ports, school).unreached) == [("Eve Bell",)]


def test_a_report_of_the_staff_silences_no_family(ports: Ports, school: SmallSchool) -> None:
    staff = SmallSchool()
    staff.staff("Teacher", "Choir")
    roster = speaking_for(staff.roster(), [Role.STAFF])
    _, names = look_closely(ports, roster)
    assert people(names.silenced) == [("Teacher Bell",)]
    assert names.unreached == names.leaving == Some()


def test_only_the_first_are_named_and_all_are_counted(
    ports: Ports, school: SmallSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(named, "MOST", 2)
    for n in range(5):
        school.pupil(f"New{n}", "7B")
    new = told(ports, school).new
    assert (new.count, [one.name for one in new.people]) == (5, ["New0 Bell", "New1 Bell"])
