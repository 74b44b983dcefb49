"""What a real office hands in: each fault by name, in each kind of roster. The person is kept, the value is not."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest

from broker.rosters.mapping import make
from broker.rosters.roster import Role, Roster
from sources.rosters import Report, RosterRefused, read_reports
from tests.support.rosters import CLASSES, ENROLMENTS, TODAY, USERS, oneroster, people_csv, reading, told

SESSIONS = "sourcedId,status,title,type,startDate,endDate,parentSourcedId,schoolYear"
PEOPLE_MAPPED = "Adno,Name,Reg,Contact,Mobile"
MILLION = 1_048_576  # rows of a spreadsheet
MINUTE = 60.0


def mapped(folder: Path, *rows: str) -> Roster:
    path = folder / "report.csv"
    path.write_text("\n".join([PEOPLE_MAPPED, *rows, ""]), encoding="utf-8")
    columns = {
        "id": "Adno",
        "name": "Name",
        "form": "Reg",
        "guardian1.name": "Contact",
        "guardian1.mobile": "Mobile",
    }
    report = Report(path, make("report", PEOPLE_MAPPED.split(","), columns))
    return read_reports([report], region="GB", today=TODAY)


def by_csv(folder: Path, mobile: str, given: str = "Mary") -> Roster:
    return reading(
        people_csv(folder, f'g1,guardian,"{given}",Lee,"{mobile}",,,,,p1', "p1,pupil,Ann,Lee,,,7,7B,Choir")
    )


def by_oneroster(folder: Path, mobile: str, given: str = "Mary") -> Roster:
    users = [
        USERS,
        f'g1,active,true,guardian,"{given}",Lee,,"{mobile}",,p1,,',
        "p1,active,true,student,Ann,Lee,,,,,07,",
    ]
    return reading(oneroster(folder, users=users))


def by_mapping(folder: Path, mobile: str, given: str = "Mary") -> Roster:
    return mapped(folder, f'p1,Ann Lee,7B,"{given} Lee","{mobile}"')


READERS = (by_csv, by_oneroster, by_mapping)


# ---- damaged numbers


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("4.47911E+11", "spreadsheet_damaged"),
        ("07911 123456 / 07911 123457", "two_in_cell"),
        ("0207 946 0123", "landline"),
        ("07911 12", "too_short"),
        ("ask dad", "not_a_number"),
        ("=07911123456+1", "not_a_number"),
    ],
)
def test_a_damaged_number_is_dropped_and_told_and_the_person_kept(tmp_path, read, cell, code):
    roster = read(tmp_path, cell)
    guardian = next(one for one in roster.people if Role.GUARDIAN in one.roles)
    assert guardian.mobiles == ()
    assert guardian.mobile_refused
    assert [problem.code for problem in roster.problems] == [code]
    assert roster.problems[0].row > 1
    assert roster.problems[0].column
    assert len(roster.guardianships) == 1


# ---- two people in a row


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("given", ["Mary & John", "Mary and John", "Mary/John", "Mary + John"])
def test_two_people_in_a_row_are_told(tmp_path, read, given):
    roster = read(tmp_path, "07911 123456", given)
    assert [problem.code for problem in roster.problems] == ["two_people"]
    assert sum(Role.GUARDIAN in one.roles for one in roster.people) == 1


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("given", ["Anderson", "Sandy", "Mary-Jo", "Fernando", "Leila Wanda"])
def test_a_name_that_only_looks_like_two_people_is_one(tmp_path, read, given):
    assert read(tmp_path, "07911 123456", given).problems == ()


# ---- formulas


@pytest.mark.parametrize("read", READERS)
def test_a_formula_is_kept_as_text_and_told(tmp_path, read):
    roster = read(tmp_path, "07911 123456", "=1+1")
    assert [problem.code for problem in roster.problems] == ["formula"]
    assert any(one.given_name == "=1+1" for one in roster.people)


# ---- mixed encodings


@pytest.mark.parametrize("read", READERS)
def test_letters_that_were_read_in_a_wrong_encoding_once_are_told(tmp_path, read):
    roster = read(tmp_path, "07911 123456", "Zoë".encode().decode("cp1252"))
    assert [problem.code for problem in roster.problems] == ["garbled"]


@pytest.mark.parametrize("given", ["Zoë", "Ærøskøbing", "Łukasz", "Ngọc", "Ümüt", "Ã", "Ñuño"])
@pytest.mark.parametrize("read", READERS)
def test_a_name_with_letters_of_its_own_is_not_garbled(tmp_path, read, given):
    assert read(tmp_path, "07911 123456", given).problems == ()


def test_a_file_in_two_encodings_is_refused_whole(tmp_path):
    path = people_csv(tmp_path, "p1,pupil,Zoë,Lee")
    path.write_bytes(path.read_bytes() + "p2,pupil,Noël,Lee\n".encode("cp1252"))
    with pytest.raises(RosterRefused) as refused:
        reading(path)
    assert refused.value.problem.code == "not_utf8"


# ---- links that lead nowhere, dates the wrong way round


def test_links_that_lead_nowhere_are_dropped_with_row_and_column(tmp_path):
    roster = reading(
        oneroster(
            tmp_path,
            users=[USERS, "g1,,true,guardian,Mary,Lee,,,,nobody,,", "p1,,true,student,Ann,Lee,,,,,07,"],
            classes=[CLASSES, "c1,,Maths,,,,,"],
            enrollments=[
                ENROLMENTS,
                "e1,,c9,p1,student,,",
                "e2,,c1,p9,student,,",
                "e3,,c1,p1,student,2026-12-01,2026-09-01",
            ],
            academicSessions=[SESSIONS, "a,,Autumn,term,2026-12-18,2026-09-01,,"],
        )
    )
    assert told(roster) == [
        ("academicsessions.csv", 2, "endDate", "dates_reversed"),
        ("enrollments.csv", 2, "classSourcedId", "missing_class"),
        ("enrollments.csv", 3, "userSourcedId", "missing_person"),
        ("enrollments.csv", 4, "endDate", "dates_reversed"),
        ("users.csv", 2, "agentSourcedIds", "guardian_of_nobody"),
        ("users.csv", 2, "", "guardian_of_nobody"),
    ]
    assert len(roster.people) == 2
    assert roster.terms == ()


def test_the_sessions_of_a_roster_are_its_terms(tmp_path):
    roster = reading(
        oneroster(
            tmp_path,
            users=[USERS, "p1,,true,student,Ann,Lee,,,,,07,"],
            academicSessions=[
                SESSIONS,
                "y,active,2026/27,schoolYear,2026-09-01,2027-07-20,,2027",
                "a,active,Autumn,term,2026-09-01,2026-12-18,y,2027",
                "g,active,,gradingPeriod,2026-09-01,2026-10-23,a,2027",
                "x,tobedeleted,Old,term,2025-09-01,2025-12-18,,2026",
                "z,active,Odd,fortnight,2026-09-01,2026-09-14,,2027",
                "n,active,Endless,term,2026-09-01,,,2027",
            ],
        )
    )
    assert roster.terms is not None
    assert [(one.source_id, one.name, one.kind.value, one.parent) for one in roster.terms] == [
        ("y", "2026/27", "school_year", None),
        ("a", "Autumn", "term", "y"),
        ("g", "2027", "grading_period", "a"),
    ]
    assert roster.terms[1].ends_on == date(2026, 12, 18)
    assert told(roster) == [("academicsessions.csv", 6, "type", "unknown_term")]


# ---- a million rows


def test_a_million_empty_rows_below_the_school_change_nothing(tmp_path):
    path = people_csv(tmp_path, "p1,pupil,Ann,Lee")
    with path.open("a", encoding="utf-8") as file:
        file.writelines(",,,\n" * 1_024 for _ in range(MILLION // 1_024))
    began = time.monotonic()
    assert len(reading(path).people) == 1
    assert time.monotonic() - began < MINUTE


def test_a_million_rows_that_all_say_the_same_are_one_enrolment(tmp_path):
    path = oneroster(
        tmp_path, users=[USERS, "p1,,true,student,Ann,Lee,,,,,,"], classes=[CLASSES, "c1,,Maths,,,,,"]
    )
    with (path / "enrollments.csv").open("w", encoding="utf-8") as file:
        file.write(ENROLMENTS + "\n")
        file.writelines("e,,c1,p1,student,,\n" * 1_024 for _ in range(MILLION // 1_024))
    began = time.monotonic()
    assert len(reading(path).memberships) == 1
    assert time.monotonic() - began < MINUTE
