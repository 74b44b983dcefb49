"""Reports that speak for a part of the school come one after the other, and none ends what another one told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from broker.actor import SYSTEM
from broker.announcement import People
from broker.audience import parse
from broker.errors import RuleBroken
from broker.office import groups
from broker.rosters.difference import Counts, ImportDifference
from broker.rosters.imports import ManyLeaving, import_roster
from broker.rosters.mapping import Rows, make
from broker.rosters.roster import Role, Roster, speaking_for
from ledger import tables as t
from ledger.audience import members
from sources.rosters import Report, read_reports
from tests.support.rosters import TODAY, people_csv, reading

PUPILS = "Adno,Name,Reg,Contact,Mobile"
STAFF = "Code,Name,Email,Tutor"
OF_PUPILS = {
    "id": "Adno",
    "name": "Name",
    "form": "Reg",
    "guardian1.name": "Contact",
    "guardian1.mobile": "Mobile",
}
OF_STAFF = {"id": "Code", "name": "Name", "email": "Email", "form": "Tutor"}
ANN = "101,Ann Lee,7B,Mary Lee,07911 123456"
BOB = "102,Bob Roy,9A,Tom Roy,07911 123457"
DUPONT = "DUP,Elodie Dupont,e.dupont@example.org,7B"
HALL = "HAL,Henry Hall,h.hall@example.org,9A"


def report(folder: Path, name: str, rows: Rows, headers: str, fields: dict[str, str], *lines: str) -> Roster:
    path = folder / f"{name}.csv"
    path.write_text("\n".join([headers, *lines, ""]), encoding="utf-8")
    mapping = make(name, headers.split(","), fields, rows=rows)
    return read_reports([Report(path, mapping)], region="GB", today=TODAY)


def pupils(folder: Path, *lines: str) -> Roster:
    return report(folder, "pupils", Rows.PUPILS, PUPILS, OF_PUPILS, *lines)


def staff(folder: Path, *lines: str) -> Roster:
    return report(folder, "staff", Rows.STAFF, STAFF, OF_STAFF, *lines)


@pytest.fixture
def bring(ports: Any) -> Any:
    def bring_(roster: Roster, leaving: int | None = None) -> ImportDifference:
        return import_roster(ports, roster, actor=SYSTEM, expect_leaving=leaving)

    return bring_


def here(ledger: Any) -> dict[str, str]:
    with ledger.reading() as hand:
        found = hand.connection.execute(select(t.person).where(t.person.c.active)).all()
    flags = (("pupil", "is_pupil"), ("guardian", "is_guardian"), ("staff", "is_staff"))
    return {one.source_id: " ".join(word for word, flag in flags if getattr(one, flag)) for one in found}


def in_group(ledger: Any, name: str) -> int:
    query = (
        select(t.membership)
        .join(t.people_group, t.people_group.c.id == t.membership.c.group_id)
        .where(t.people_group.c.name == name, t.people_group.c.active)
    )
    with ledger.reading() as hand:
        return len(hand.connection.execute(query).all())


def active_groups(ledger: Any) -> set[str]:
    with ledger.reading() as hand:
        query = select(t.people_group.c.name).where(t.people_group.c.active)
        return set(hand.connection.execute(query).scalars())


def test_pupils_and_staff_come_one_after_the_other_and_nobody_leaves(bring, ledger, tmp_path):
    assert bring(pupils(tmp_path, ANN, BOB)).people == Counts(new=4)
    told = bring(staff(tmp_path, DUPONT, HALL))
    assert (told.before, told.people) == (0, Counts(new=2))
    assert told.speaks_for == {Role.STAFF}
    for again in (pupils(tmp_path, ANN, BOB), staff(tmp_path, DUPONT, HALL)):
        assert not bring(again).any
    assert len(here(ledger)) == 6


def test_half_a_staff_that_leaves_is_asked_about_however_large_the_school_is(bring, tmp_path):
    bring(pupils(tmp_path, *(f"{n},P {n},7B,G {n},07911 123{n}" for n in range(100, 160))))
    bring(staff(tmp_path, DUPONT, HALL))
    with pytest.raises(ManyLeaving):
        bring(staff(tmp_path, DUPONT))
    assert bring(staff(tmp_path, DUPONT), 1).people == Counts(leaving=1, unchanged=1)


def test_a_form_that_has_a_tutor_still_is_left_by_its_pupils(bring, ledger, tmp_path):
    bring(pupils(tmp_path, ANN, BOB))
    bring(staff(tmp_path, DUPONT, HALL))
    moved = BOB.replace("9A", "7B")
    told = bring(pupils(tmp_path, ANN, moved))
    assert told.by_group["9A"] == Counts(leaving=1)
    assert (in_group(ledger, "7B"), in_group(ledger, "9A")) == (3, 1)
    assert not bring(pupils(tmp_path, ANN, moved)).any
    bring(staff(tmp_path, DUPONT, HALL.replace(",9A", ",")))
    assert active_groups(ledger) == {"7B"}, "now it is nobody's"


def test_a_group_kept_by_hand_is_left_alone(bring, ports, ledger, tmp_path):
    bring(pupils(tmp_path, ANN, BOB))
    bring(staff(tmp_path, DUPONT))
    groups.keep(ports, "Choir", department=None, actor=SYSTEM)
    groups.add_members(ports, "Choir", ["101", "102", "staff:DUP"], actor=SYSTEM)
    assert not bring(staff(tmp_path, DUPONT)).any
    assert not bring(pupils(tmp_path, ANN, BOB)).any
    assert in_group(ledger, "Choir") == 3


BOTH = (
    "P1,pupil,Ann,Lee,,,7,7B,,,",
    "T1,staff;guardian,Mary,Lee,07911 123456,mary@example.org,,7B,,P1,",
    "G1,guardian,John,Lee,07911 123457,,,,,P1,",
    "T2,staff,Tom,Roy,,,,,,,",
)


def test_a_teacher_who_is_a_parent_keeps_what_the_other_report_says(bring, ledger, tmp_path):
    bring(reading(people_csv(tmp_path, *BOTH)))
    rows = "T1,staff,Maria,Lee,07911 123499,,,7B,,,", "T2,staff,Tom,Roy,,,,,,,"
    alone = speaking_for(reading(people_csv(tmp_path, *rows)), [Role.STAFF])
    told = bring(alone)
    assert told.people == Counts(unchanged=2)
    assert told.addresses == Counts(new=1), "hers from the other file stay"
    assert here(ledger) == {"P1": "pupil", "T1": "guardian staff", "G1": "guardian", "T2": "staff"}
    assert not bring(alone).any


def test_a_teacher_who_is_a_parent_and_leaves_the_staff_stays_a_parent(bring, ledger, tmp_path):
    bring(reading(people_csv(tmp_path, *BOTH)))
    alone = speaking_for(reading(people_csv(tmp_path, BOTH[3])), [Role.STAFF])
    assert bring(alone).people == Counts(changed=1, unchanged=1)
    assert here(ledger)["T1"] == "guardian"
    assert in_group(ledger, "7B") == 1, "she is no tutor any more"
    assert not bring(alone).any


def test_a_teacher_who_is_no_guardian_any_more_hears_nothing_of_the_child(bring, ledger, tmp_path):
    bring(reading(people_csv(tmp_path, *BOTH)))
    family = reading(people_csv(tmp_path, BOTH[0], BOTH[2]))
    family = speaking_for(family, [Role.PUPIL, Role.GUARDIAN])
    told = bring(family)
    assert told.people == Counts(changed=1, unchanged=2)
    assert told.guardianships == Counts(leaving=1, changed=1), "the other one is asked first now"
    assert here(ledger)["T1"] == "staff"
    assert not bring(family).any


def test_a_report_without_guardians_unties_no_family(bring, ledger, tmp_path):
    bring(pupils(tmp_path, ANN, BOB))
    fields = {name: OF_PUPILS[name] for name in ("id", "name", "form")}
    rows = "101,Ann Lee,8B", "102,Bob Roy,9A"
    lone = report(tmp_path, "pupils", Rows.PUPILS, "Adno,Name,Reg", fields, *rows)
    assert lone.speaks_for == {Role.PUPIL}
    told = bring(lone)
    assert (told.people, told.guardianships) == (Counts(changed=1, unchanged=1), Counts())
    with ledger.reading() as hand:
        assert len(hand.connection.execute(select(t.guardianship)).all()) == 2
        moved = hand.connection.execute(members(parse("8B"), People.GUARDIANS, TODAY)).all()
    assert len(moved) == 1


def test_a_new_group_takes_no_name_of_one_that_stays(bring, ledger, tmp_path):
    rows = "T1,staff,Mary,Lee,,,,,Choir,,", "P1,pupil,Ann,Lee,,,7,,,,"
    bring(reading(people_csv(tmp_path, *rows)))
    fields = {"id": "Adno", "name": "Name", "classes": "Class"}
    told = bring(report(tmp_path, "pupils", Rows.PUPILS, "Adno,Name,Class", fields, "P1,Ann Lee,Choir"))
    assert [problem.code for problem in told.problems] == ["group_name_taken"]
    assert active_groups(ledger) == {"Choir", "Choir (class:choir)"}


@pytest.mark.parametrize(
    ("roles", "code"), [([Role.STAFF], "others_in_it"), ([Role.GUARDIAN], "guardians_alone")]
)
def test_a_file_is_not_taken_for_a_part_that_it_is_not(tmp_path, roles, code):
    with pytest.raises(RuleBroken) as caught:
        speaking_for(reading(people_csv(tmp_path, *BOTH)), roles)
    assert (caught.value.problem.code, caught.value.problem.field) == (code, "only")
