"""Reports of a school's own making, as real systems print them: repeated headers, repeated pupils, titles on top."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.errors import BadMapping
from broker.rosters.mapping import NO_HEADERS, Encoding, ReportMapping, Rows, make
from broker.rosters.roster import GroupKind, Role, Roster
from sources.rosters import LIMITS, Report, RosterRefused, first_row, read_reports
from tests.support.rosters import TODAY, told

HEADERS = "Adno,Forename,Surname,Reg,Year,Contact,Mobile,Email,Contact,Mobile,Email"
COLUMNS = {
    "id": "Adno",
    "given_name": "Forename",
    "family_name": "Surname",
    "form": "Reg",
    "year": "Year",
    "guardian1.name": "Contact#1",
    "guardian1.mobile": "Mobile#1",
    "guardian1.email": "Email#1",
    "guardian2.name": "Contact#2",
    "guardian2.mobile": "@J",
    "guardian2.email": "@11",
}
ANN = '101,Ann,Lee,7B,Year  7,"Lee, Mrs Mary",07911 123456,mary@example.org,Mr John Lee,07911 123457,'
BOB = '102,Bob,Lee,9A,9,"Lee, Mrs Mary",07911 123456,mary@example.org,,,'


def report(
    folder: Path, *rows: str, headers: str = HEADERS, name: str = "contacts.csv", encoding="utf-8"
) -> Path:
    path = folder / name
    path.write_text("\n".join([headers, *rows, ""]), encoding=encoding)
    return path


def mapped(path: Path, columns: dict[str, str] = COLUMNS, headers: str = HEADERS, **more) -> Report:
    return Report(path, make("contacts", headers.split(","), columns, **more))


def read(*reports: Report, today: date = TODAY) -> Roster:
    return read_reports(reports, region="GB", today=today)


def people(roster: Roster) -> dict[str, str]:
    return {one.source_id: f"{one.given_name} {one.family_name}" for one in roster.people}


def families(roster: Roster) -> set[tuple[str, str, int]]:
    names = people(roster)
    return {(names[one.guardian], one.pupil, one.priority) for one in roster.guardianships}


def test_repeated_headers_are_told_apart_by_which_they_are_or_by_position(tmp_path):
    roster = read(mapped(report(tmp_path, ANN, BOB)))
    assert families(roster) == {("Mary Lee", "101", 1), ("John Lee", "101", 2), ("Mary Lee", "102", 1)}
    assert {one.name for one in roster.groups} == {"Year 7", "Year 9", "7B", "9A"}
    mary = next(one for one in roster.people if one.given_name == "Mary")
    assert (mary.mobiles, mary.emails) == (("+447911123456",), ("mary@example.org",))
    assert roster.problems == ()


def test_guardians_without_ids_are_one_where_name_and_number_agree(tmp_path):
    roster = read(mapped(report(tmp_path, ANN, BOB)))
    assert sorted(people(roster).values()) == ["Ann Lee", "Bob Lee", "John Lee", "Mary Lee"]
    assert len(roster.derived) == 2


def test_namesakes_who_share_nothing_stay_two(tmp_path):
    other = "103,Cat,Lee,9A,9,Mary Lee,07911 123499,other@example.org,,,"
    roster = read(mapped(report(tmp_path, ANN, other)))
    assert list(people(roster).values()).count("Mary Lee") == 2


def test_a_made_up_id_holds_no_name(tmp_path):
    roster = read(mapped(report(tmp_path, ANN)))
    assert all("lee" not in made_up for made_up in roster.derived)


LONG = "ID,Forename,Surname,ID,Priority,PR,Lives with,Forename,Surname,Mobile,Class,Court Order"
LONG_COLUMNS = {
    "id": "ID#1",
    "given_name": "Forename#1",
    "family_name": "Surname#1",
    "classes": "Class",
    "guardian1.id": "ID#2",
    "guardian1.priority": "Priority",
    "guardian1.parental_responsibility": "PR",
    "guardian1.lives_with": "Lives with",
    "guardian1.given_name": "Forename#2",
    "guardian1.family_name": "Surname#2",
    "guardian1.mobile": "Mobile",
    "guardian1.blocked": "Court Order",
}


def test_a_row_for_each_contact_and_class_is_one_pupil_with_all_of_them(tmp_path):
    path = report(
        tmp_path,
        "1,Ella,Baker,1,2,T,F,Julia,Baker,07911 123456,7x/Ma1,No",
        "1,Ella,Baker,1,2,T,F,Julia,Baker,07911 123456,7x/En2,No",
        "1,Ella,Baker,9,1,F,T,Simon,West,07911 123457,7x/Ma1,Yes",
        "1,Ella,Baker,9,1,F,T,Simon,West,07911 123457,7x/En2,Yes",
        headers=LONG,
    )
    roster = read(mapped(path, LONG_COLUMNS, LONG))
    assert people(roster) == {"1": "Ella Baker", "guardian:1": "Julia Baker", "guardian:9": "Simon West"}
    assert [(one.guardian, one.priority) for one in roster.guardianships] == [
        ("guardian:9", 1),
        ("guardian:1", 2),
    ]
    simon, julia = roster.guardianships
    assert (simon.blocked, simon.parental_responsibility, simon.lives_with) == (True, False, True)
    assert (julia.blocked, julia.parental_responsibility, julia.lives_with) == (False, True, False)
    assert {(one.name, one.kind) for one in roster.groups} == {
        ("7x/Ma1", GroupKind.CLASS),
        ("7x/En2", GroupKind.CLASS),
    }
    assert len(roster.memberships) == 2
    assert roster.problems == ()


def test_a_block_that_says_neither_yes_nor_no_refuses_the_file(tmp_path):
    path = report(tmp_path, "1,Ella,Baker,1,1,T,F,Julia,Baker,,7x/Ma1,see file", headers=LONG)
    with pytest.raises(RosterRefused) as refused:
        read(mapped(path, LONG_COLUMNS, LONG))
    assert refused.value.problem.code == "unreadable_block"
    assert refused.value.problem.field == "contacts.csv:2 Court Order"


def test_staff_come_in_a_report_of_their_own_beside_the_pupils(tmp_path):
    staff = "Code,Name,Work Email,Tutor of"
    path = report(
        tmp_path, 'DUP,"Dupont, Dr Élodie",e.dupont@example.org,7B', headers=staff, name="staff.csv"
    )
    columns = {"id": "Code", "name": "Name", "email": "Work Email", "form": "Tutor of"}
    roster = read(mapped(report(tmp_path, ANN)), mapped(path, columns, staff, rows=Rows.STAFF))
    dupont = next(one for one in roster.people if Role.STAFF in one.roles)
    assert (dupont.source_id, dupont.given_name, dupont.family_name) == ("staff:DUP", "Élodie", "Dupont")
    assert {(m.person, m.role) for m in roster.memberships if m.group == "form:7b"} == {
        ("101", Role.PUPIL),
        ("staff:DUP", Role.STAFF),
    }


def test_a_report_without_names_adds_to_the_pupils_of_the_one_before(tmp_path):
    classes = "Adno,Class"
    path = report(tmp_path, "101,7x/Ma1", "999,7x/Ma1", headers=classes, name="classes.csv")
    roster = read(mapped(report(tmp_path, ANN)), mapped(path, {"id": "Adno", "classes": "Class"}, classes))
    assert [(m.person, m.group) for m in roster.memberships if m.group.startswith("class:")] == [
        ("101", "class:7x/ma1")
    ]
    assert told(roster) == [("classes.csv", 3, "Adno", "missing_person")]


def test_problems_point_at_the_columns_of_the_report_itself(tmp_path):
    path = report(tmp_path, "101,Ann,Lee,7B,7,Mary Lee,020 7946 0123,mary@,Mr & Mrs Lee,07911 12,")
    roster = read(mapped(path))
    assert told(roster) == [
        ("contacts.csv", 2, "Mobile (1 of 2)", "landline"),
        ("contacts.csv", 2, "Email (1 of 2)", "not_an_email"),
        ("contacts.csv", 2, "Contact (2 of 2)", "two_people"),
        ("contacts.csv", 2, "column J (Mobile)", "too_short"),
    ]
    assert all(one.mobile_refused for one in roster.people if Role.GUARDIAN in one.roles)


def test_one_id_for_two_people_refuses_the_file_and_other_contradictions_are_told(tmp_path):
    moved = ANN.replace("7B", "7C")
    assert told(read(mapped(report(tmp_path, ANN, moved)))) == [("contacts.csv", 3, "Reg", "contradiction")]
    with pytest.raises(RosterRefused) as refused:
        read(mapped(report(tmp_path, ANN, ANN.replace("Ann", "Zoe"))))
    assert (refused.value.problem.code, refused.value.problem.field) == ("duplicate_id", "contacts.csv:3")


def test_a_row_without_an_id_refuses_the_file(tmp_path):
    with pytest.raises(RosterRefused) as refused:
        read(mapped(report(tmp_path, ANN, "Total,,,,,,,,,,".replace("Total", ""), ",Bob" + "," * 9)))
    assert (refused.value.problem.code, refused.value.problem.field) == ("missing_id", "contacts.csv:4")


def test_a_title_above_the_headers_is_passed_over(tmp_path):
    path = tmp_path / "contacts.csv"
    path.write_text(
        f"St Brides: Contact List\nprinted 22/11/2026, page 1\n{HEADERS}\n{ANN}\n", encoding="utf-8"
    )
    roster = read(mapped(path, header_row=3))
    assert len(roster.people) == 3
    broken = tmp_path / "broken.csv"
    broken.write_text(path.read_text().replace("07911 123456", "12"), encoding="utf-8")
    assert told(read(mapped(broken, header_row=3)))[0][:2] == ("broken.csv", 4)


# ---- columns that have moved


@pytest.mark.parametrize(
    "headers",
    [
        HEADERS.replace("Adno", "UPN"),
        HEADERS + ",Mobile",
        HEADERS.replace(
            "Contact,Mobile,Email,Contact,Mobile,Email", "Contact,Mobile,Contact,Email,Mobile,Email"
        ),
        "Adno,Forename,Surname",
    ],
)
def test_a_report_whose_columns_have_moved_is_refused(tmp_path, headers):
    path = report(tmp_path, headers=headers)
    with pytest.raises(BadMapping) as refused:
        read(Report(path, mapped(path).mapping))
    assert refused.value.problem.code == "columns_moved"


def test_columns_in_another_order_are_found_by_their_headers(tmp_path):
    path = report(tmp_path, "7B,Lee,Ann,101", headers="Reg,Surname,Forename,Adno")
    columns = {name: COLUMNS[name] for name in ("id", "given_name", "family_name", "form")}
    roster = read(Report(path, make("x", HEADERS.split(","), columns)))
    assert people(roster) == {"101": "Ann Lee"}


# ---- encodings


def test_a_report_in_windows_letters_is_read_as_such_when_the_mapping_says_so(tmp_path):
    zoe = ANN.replace("Ann", "Zoë")
    path = report(tmp_path, zoe, encoding="cp1252")
    assert "Zoë Lee" in people(read(mapped(path, encoding=Encoding.WINDOWS_1252))).values()
    with pytest.raises(RosterRefused) as refused:
        read(mapped(path))
    assert refused.value.problem.code == "not_utf8"


def test_a_file_that_is_saved_in_two_encodings_is_refused(tmp_path):
    path = tmp_path / "contacts.csv"
    rows = (ANN.replace("Ann", "Zoë"), BOB.replace("Bob", "Noël"))
    path.write_bytes(f"{HEADERS}\n{rows[0]}\n".encode() + rows[1].encode("cp1252") + b"\n")
    with pytest.raises(RosterRefused) as refused:
        read(mapped(path))
    assert refused.value.problem.code == "not_utf8"


def test_utf_8_read_as_windows_letters_is_told(tmp_path):
    path = report(tmp_path, ANN.replace("Ann", "Zoë"))
    roster = read(mapped(path, encoding=Encoding.WINDOWS_1252))
    assert told(roster) == [("contacts.csv", 2, "Forename", "garbled")]


def test_a_report_that_begins_with_a_utf_8_mark_is_not_read_as_windows_letters(tmp_path):
    path = report(tmp_path, ANN, encoding="utf-8-sig")
    with pytest.raises(RosterRefused) as refused:
        read(mapped(path, encoding=Encoding.WINDOWS_1252))
    assert refused.value.problem.code == "wrong_encoding"


# ---- what else may lie there


def test_a_folder_or_a_zip_is_no_report(tmp_path):
    with pytest.raises(RosterRefused) as refused:
        read(Report(tmp_path, ReportMapping("x", Rows.PUPILS, {})))
    assert refused.value.problem.code == "not_a_csv"


def test_a_row_too_short_is_read_as_empty_cells_and_one_too_long_refuses_the_file(tmp_path):
    assert people(read(mapped(report(tmp_path, "101,Ann,Lee")))) == {"101": "Ann Lee"}
    with pytest.raises(RosterRefused) as refused:
        read(mapped(report(tmp_path, ANN + ",x")))
    assert refused.value.problem.code == "ragged_row"


def test_reports_are_bounded_like_every_other_file(tmp_path):
    from dataclasses import replace

    path = report(tmp_path, ANN, BOB)
    with pytest.raises(RosterRefused) as refused:
        read_reports([mapped(path)], region="GB", today=TODAY, limits=replace(LIMITS, rows=2))
    assert refused.value.problem.code == "too_many_rows"


# ---- anything at all

cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
rows = st.lists(
    st.lists(st.one_of(cells, st.sampled_from(["1", "2", "Ann Lee", "=1", "yes"])), max_size=12), max_size=6
)


@given(rows)
@settings(max_examples=60)
def test_whatever_stands_in_a_report_it_is_read_or_refused_and_every_link_joins_two(tmp_path_factory, drawn):
    path = tmp_path_factory.mktemp("any") / "any.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(LONG.split(","))
        writer.writerows(drawn)
    try:
        roster = read(mapped(path, LONG_COLUMNS, LONG))
    except RosterRefused:
        return
    ids = {one.source_id for one in roster.people}
    groups = {one.source_id for one in roster.groups}
    assert len(ids) == len(roster.people)
    assert all({one.guardian, one.pupil} <= ids for one in roster.guardianships)
    assert all(one.person in ids and one.group in groups for one in roster.memberships)
    assert read(mapped(path, LONG_COLUMNS, LONG)) == roster


BARE = {"id": "@A", "name": "@B", "form": "@C", "guardian1.name": "@D", "guardian1.mobile": "@E"}


def bare(folder: Path, *rows: str, width: int = 5) -> Report:
    path = report(folder, *rows[1:], headers=rows[0])
    return Report(path, make("bare", [""] * width, BARE, header_row=NO_HEADERS))


def test_a_report_without_headers_is_read_from_its_first_row(tmp_path):
    rows = "101,Ann Lee,7B,Mary Lee,07911 123456", "102,Bob Roy,9A,Tom Roy,020 7946 0123"
    roster = read(bare(tmp_path, *rows))
    assert set(people(roster).values()) == {"Ann Lee", "Bob Roy", "Mary Lee", "Tom Roy"}
    assert told(roster) == [("contacts.csv", 2, "column E", "landline")]


def test_a_report_without_headers_that_has_another_column_is_refused(tmp_path):
    with pytest.raises(BadMapping) as moved:
        read(bare(tmp_path, "101,Ann Lee,7B,Mary Lee,07911 123456,extra"))
    assert "had 5 columns and has 6" in moved.value.problem.message


def test_the_first_row_is_shown_to_tell_the_columns_by_without_numbers_and_addresses(tmp_path):
    path = report(tmp_path, headers="101,Ann Lee,07911 123456,ann@example.org,2015-03-01, 7B ")
    assert first_row(path) == ["101", "Ann Lee", "•••", "•••", "•••", "7B"]
