"""people.csv: who is in the school, and what becomes of the values that cannot be read."""

from __future__ import annotations

from datetime import date

import pytest

from broker.rosters.roster import GroupKind, Role
from tests.support.rosters import PEOPLE_HEADERS, people_csv, reading, refused, told

MUM = "g1,guardian,Mary,Lee,07911 123456,mary@example.org,,,,p1;p2,"
ANN = "p1,pupil,Ann,Lee,,,7,7B,Choir;Orchestra,,"
BOB = "p2,student,Bob,Lee,,,Year 8,8A,Choir,,"


def test_a_family_comes_with_its_groups_and_links(tmp_path):
    roster = reading(people_csv(tmp_path, MUM, ANN, BOB))
    assert roster.problems == ()
    assert roster.source == "people.csv"
    mary, ann, bob = roster.people
    assert mary.roles == {Role.GUARDIAN}
    assert (mary.mobiles, mary.emails) == (("+447911123456",), ("mary@example.org",))
    assert (ann.year, ann.form, bob.year, bob.form) == ("7", "7B", "8", "8A")
    assert {(group.name, group.kind) for group in roster.groups} == {
        ("Year 7", GroupKind.YEAR),
        ("Year 8", GroupKind.YEAR),
        ("7B", GroupKind.FORM),
        ("8A", GroupKind.FORM),
        ("Choir", GroupKind.CLUB),
        ("Orchestra", GroupKind.CLUB),
    }
    assert [(link.guardian, link.pupil, link.priority) for link in roster.guardianships] == [
        ("g1", "p1", 1),
        ("g1", "p2", 1),
    ]


def test_guardians_are_asked_in_the_order_of_the_file(tmp_path):
    roster = reading(people_csv(tmp_path, MUM, "g2,guardian,Max,Lee,,,,,,p1,", ANN, BOB))
    assert [(link.guardian, link.priority) for link in roster.guardianships if link.pupil == "p1"] == [
        ("g1", 1),
        ("g2", 2),
    ]


def test_a_person_may_be_staff_and_a_guardian(tmp_path):
    roster = reading(people_csv(tmp_path, "t1,staff;guardian,Mo,Khan,,,,7B,,p1,", ANN))
    assert roster.people[0].roles == {Role.STAFF, Role.GUARDIAN}
    assert roster.people[0].form is None
    assert [m.role for m in roster.memberships if m.person == "t1"] == [Role.STAFF]
    assert len(roster.guardianships) == 1


@pytest.mark.parametrize("spelling", ["7", "07", "Y7", "yr 7", "Year 7", "year 07"])
def test_a_year_has_one_name_however_it_is_written(tmp_path, spelling):
    roster = reading(people_csv(tmp_path, f"p1,pupil,Ann,Lee,,,{spelling},,,,"))
    assert (roster.people[0].year, roster.groups[0].name) == ("7", "Year 7")


def test_the_reception_year_has_a_name_of_its_own(tmp_path):
    roster = reading(people_csv(tmp_path, "p1,pupil,Ann,Lee,,,R,,,,"))
    assert (roster.people[0].year, roster.groups[0].name) == ("R", "Reception")


def test_groups_that_differ_by_case_are_one(tmp_path):
    roster = reading(people_csv(tmp_path, ANN, "p2,pupil,Bob,Lee,,,,,CHOIR,,"))
    assert [group.name for group in roster.groups if group.kind is GroupKind.CLUB] == ["Choir", "Orchestra"]


def test_a_club_named_like_a_form_gets_a_name_of_its_own(tmp_path):
    roster = reading(people_csv(tmp_path, "p1,pupil,Ann,Lee,,,,7B,7b,,"))
    assert [group.name for group in roster.groups] == ["7B", "7b (club)"]


def test_names_keep_their_letters_and_lose_what_hides(tmp_path):
    zalgo = "A" + "\u0301" * 30 + "nn"
    roster = reading(
        people_csv(
            tmp_path,
            "p1,pupil, Zoë  May ,Nguyễn,,,,,,,",
            f"p2,pupil,{zalgo},L\u202eee,,,,,,,",
            "p3,pupil,Ann\u200b,x,",
        )
    )
    assert (roster.people[0].given_name, roster.people[0].family_name) == ("Zoë May", "Nguyễn")
    assert roster.people[1].family_name == "Lee"
    assert len(roster.people[1].given_name) < 9
    assert roster.people[2].given_name == "Ann"
    assert told(roster) == [
        ("people.csv", 3, "given_name", "odd_characters"),
        ("people.csv", 3, "family_name", "odd_characters"),
    ]


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ("p9,pupil,Al,Lee,020 7946 0123,,,,,,", "mobile", "landline"),
        ("p9,pupil,Al,Lee,4.47E+11,,,,,,", "mobile", "spreadsheet_damaged"),
        ("p9,pupil,Al,Lee,07911123456/07911123457,,,,,,", "mobile", "two_in_cell"),
        ("p9,pupil,Al,Lee,,al@example.org al2@example.org,,,,,", "email", "two_in_cell"),
        ("p9,pupil,Al,Lee,,nobody,,,,,", "email", "not_an_email"),
        ("p9,head,Al,Lee,,,,,,,", "role", "unknown_role"),
        ("p9,,Al,Lee,,,,,,,", "role", "no_role"),
        ("p9,pupil,,,,,,,,,", "given_name", "no_name"),
        ("p9,pupil,Al,Lee,,,,7.00E+01,,,", "form", "spreadsheet_damaged"),
        ("p9,pupil,Al,Lee,,,,,,p1,", "guardian_of", "not_a_guardian"),
        ("p9,guardian,Al,Lee,,,,7B,,p1,", "form", "guardian_in_a_form"),
        (f"p9,pupil,Al,{'L' * 101},,,,,,,", "family_name", "too_long"),
    ],
)
def test_a_fault_of_a_value_keeps_the_person_and_stands_in_the_problems(tmp_path, row, column, code):
    roster = reading(people_csv(tmp_path, ANN, row))
    assert told(roster) == [("people.csv", 3, column, code)]
    person = roster.people[1]
    assert person.source_id == "p9"
    assert (person.mobiles, person.emails, person.form) == ((), (), None)


def test_a_guardian_of_nobody_is_kept_without_the_link(tmp_path):
    roster = reading(
        people_csv(tmp_path, ANN, "g1,guardian,Mary,Lee,,,,,,p1;p99,", "g2,guardian,Max,Lee,,,,,,g1,")
    )
    assert [(link.guardian, link.pupil) for link in roster.guardianships] == [("g1", "p1")]
    assert len(roster.people) == 3
    assert told(roster) == [
        ("people.csv", 3, "guardian_of", "guardian_of_nobody"),
        ("people.csv", 4, "guardian_of", "not_a_pupil"),
        ("people.csv", 4, "", "guardian_of_nobody"),
    ]


def test_a_misspelt_column_is_told_with_what_it_may_mean(tmp_path):
    roster = reading(
        people_csv(tmp_path, "p1,pupil,Ann,Lee,07911 123456", headers="id,role,given_name,family_name,mobil")
    )
    assert told(roster) == [("people.csv", 1, "mobil", "unknown_column")]
    assert "mobile" in roster.problems[0].message


def test_a_day_of_birth_is_read_as_english_spreadsheets_write_it(tmp_path):
    headers = "id,role,given_name,family_name,born,language"
    path = people_csv(
        tmp_path,
        "p1,pupil,Ann,Lee,2015-03-01,cy",
        "p2,pupil,Bob,Lee,01/03/2015,pt-BR",
        "p3,pupil,Cy,Lee,2015-02-30,English please",
        "p4,pupil,Di,Lee,2090-01-01,",
        headers=headers,
    )
    roster = reading(path)
    assert [person.born for person in roster.people] == [date(2015, 3, 1), date(2015, 3, 1), None, None]
    assert [person.language for person in roster.people] == ["cy", "pt-BR", "", ""]
    assert [(row, column, code) for _, row, column, code in told(roster)] == [
        (4, "born", "bad_date"),
        (4, "language", "unknown_language"),
        (5, "born", "bad_date"),
    ]


def test_where_a_slashed_date_is_another_day_it_is_not_guessed(tmp_path):
    path = people_csv(tmp_path, "p1,pupil,Ann,Lee,01/03/2015", headers="id,role,given_name,family_name,born")
    assert told(reading(path, region="US")) == [("people.csv", 2, "born", "bad_date")]


def test_a_block_stands_with_or_without_the_link(tmp_path):
    roster = reading(
        people_csv(tmp_path, "g1,guardian,Max,Lee,,,,,,p1,p1", "g2,guardian,Mo,Lee,,,,,,,p1", ANN)
    )
    assert [(link.guardian, link.blocked) for link in roster.guardianships] == [("g1", True), ("g2", True)]
    assert roster.problems == ()


@pytest.mark.parametrize(
    "row", ["g1,guardian,Max,Lee,,,,,,p1,p99", "g1,staff,Max,Lee,,,,,,,p1", "g1,guardian,Max,Lee,,,,,,,g1"]
)
def test_a_block_that_joins_nobody_refuses_the_file_because_dropping_it_would_let_messages_through(
    tmp_path, row
):
    assert refused(people_csv(tmp_path, ANN, row)) == ("unreadable_block", "people.csv:3")


def test_no_problem_repeats_a_number_an_address_or_a_name(tmp_path):
    rows = [
        "p1,pupil,Zaphod,Beeble,020 7946 0123,zaphod at example,,,,,",
        "p2,boss,Trillian,Beeble,07911 12345,t@[192.0.2.1],,,,,",
        "p3,pupil,Arthur,Beeble,,,,,,p1;secret-id,",
    ]
    roster = reading(people_csv(tmp_path, *rows, headers=PEOPLE_HEADERS))
    words = " ".join(problem.message for problem in roster.problems)
    for secret in ("7946", "12345", "zaphod", "192.0", "Zaphod", "Trillian", "boss", "secret-id", "Beeble"):
        assert secret not in words
