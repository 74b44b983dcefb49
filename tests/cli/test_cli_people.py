"""`carillon people`: mappings, doubtful addresses, the term calendar; what is refused, and how."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

pytestmark = pytest.mark.runs_on("sqlite")

MAKE = ("people", "mapping", "make", "sims", "contacts.csv", "--column", "id=Adno", "--column", "name=Name")
ROWS = "Adno,Name,Mobile\n1,Ann Lee,07911 123456\n2,=1+1,07911 123457\n"


def ledger_at(folder: Path) -> Engine:
    """The ledger that the commands made, opened beside them."""
    return create_engine(f"sqlite:///{folder / 'var' / 'carillon.sqlite3'}")


@pytest.fixture
def office(shell, tmp_path):
    (tmp_path / "contacts.csv").write_text(ROWS, encoding="utf-8")
    assert shell(*MAKE, "--column", "mobile=Mobile").code == 0
    return shell


def test_a_mapping_is_made_listed_shown_used_and_forgotten(office):
    assert "sims" in office("people", "mapping").out
    assert office("people", "mapping", "show", "sims", "--json").json["columns"]["mobile"] == "Mobile"
    tried = office("people", "mapping", "try", "sims", "contacts.csv", "--json").json
    assert (tried["pupils"], tried["guardians"]) == (2, 0)
    assert tried["rows"][0]["cells"]["name"] == "Ann Lee"
    assert "123456" not in json.dumps(tried)
    done = office("people", "import", "contacts.csv", "--mapping", "sims", "--yes", "--json").json
    assert done["people"]["new"] == 2
    assert office("people", "mapping", "forget", "sims", "--json").json == {"forgotten": "sims"}
    assert office("people", "mapping", "--json").json == {"mappings": []}


def test_a_mapping_takes_the_place_of_another_only_when_told_to(office):
    assert office(*MAKE, "--column", "mobile=Mobile").code == 0  # the same again
    assert office(*MAKE, "--json").error["code"] == "mapping_taken"
    assert office(*MAKE, "--replace").code == 0
    assert "mobile" not in office("people", "mapping", "show", "sims", "--json").json["columns"]


def test_making_and_forgetting_stand_in_the_record_with_who_did(office, tmp_path):
    assert office("people", "mapping", "forget", "sims", "--operator", "Mr Ring").code == 0
    engine = ledger_at(tmp_path)
    with engine.connect() as connection:
        entries = connection.execute(
            text("SELECT kind, body FROM record_entry WHERE kind LIKE 'mapping.%' ORDER BY id")
        ).all()
    engine.dispose()
    assert [(row.kind, json.loads(row.body)["actor"]["id"]) for row in entries] == [
        ("mapping.made", "Mrs Bell"),
        ("mapping.forgotten", "Mr Ring"),
    ]


BAD = {
    "no such mapping": (("people", "mapping", "show", "simms"), "unknown_mapping"),
    "a report without its mapping": (("people", "import", "a.csv", "b.csv", "--yes"), "several_rosters"),
    "one mapping for two reports": (
        ("people", "import", "contacts.csv", "b.csv", "--mapping", "sims", "--yes"),
        "mappings_and_reports",
    ),
    "a mapping of a name that is none": (
        ("people", "import", "contacts.csv", "--mapping", "a\nb", "--yes"),
        "unknown_mapping",
    ),
    "a column without a field": ((*MAKE[:5], "--column", "Adno"), "bad_column"),
    "a field twice": ((*MAKE, "--column", "id=Name"), "field_twice"),
    "a report that is not there": (("people", "mapping", "columns", "no.csv"), "not_found"),
    "an address that is not there": (("people", "confirm", "99"), "unknown_address"),
    "a doubt that is none": (("people", "doubtful", "--doubt", "odd"), "wrong_use"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_is_one_clear_error(office, what):
    command, code = BAD[what]
    ran = office(*command, "--json")
    assert ran.code == 2
    assert ran.error["code"] == code
    assert ran.error["message"]


def test_doubtful_addresses_are_listed_exported_without_formulas_and_confirmed(office, tmp_path):
    assert office("people", "import", "contacts.csv", "--mapping", "sims", "--yes").code == 0
    assert "Nothing is doubtful" in office("people", "doubtful").out
    engine = ledger_at(tmp_path)
    with engine.begin() as connection:
        connection.execute(text("UPDATE address SET confirmed_at = '2020-01-01 00:00:00.000000'"))
    engine.dispose()
    told = office("people", "doubtful", "--json").json
    assert told["counts"] == {"failing": 0, "bounced": 0, "shared": 0, "unconfirmed": 2}
    assert "123456" not in json.dumps(told)
    assert office("people", "doubtful", "--csv", "list.csv").code == 0
    written = (tmp_path / "list.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(written)))
    assert [row["who"] for row in rows] == ["Ann Lee", "'=1+1"]
    assert office("people", "doubtful", "--csv", "-").out.lstrip("\ufeff").startswith("number,who,")
    first = told["addresses"][0]["id"]
    assert office("people", "confirm", str(first)).code == 0
    assert [one["id"] for one in office("people", "doubtful", "--json").json["addresses"]] != [first]


def test_the_term_calendar_of_a_onerosters_sessions_can_be_seen(shell, tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "manifest.csv").write_text("propertyName,value\noneroster.version,1.2\n", encoding="utf-8")
    (folder / "users.csv").write_text(
        "sourcedId,role,givenName,familyName\np,student,Ann,Lee\n", encoding="utf-8"
    )
    sessions = "sourcedId,title,type,startDate,endDate\na,Autumn,term,2020-09-01,2020-12-18\n"
    (folder / "academicSessions.csv").write_text(sessions, encoding="utf-8")
    assert shell("people", "import", "export", "--yes", "--json").json["terms"]["new"] == 1
    assert "Autumn" in shell("people", "terms").out
    assert shell("people", "terms", "--json").json["terms"][0]["ends_on"] == "2020-12-18"
    assert shell("people", "terms", "--now", "--json").json == {"terms": []}


def test_an_import_tells_of_each_group_what_changes(school, tmp_path):
    (tmp_path / "people.csv").write_text(
        "id,role,given_name,family_name,form\n" + "".join(f"{n},pupil,A,B,7B\n" for n in range(20)),
        encoding="utf-8",
    )
    leaving = school("people", "import", "people.csv", "--dry-run", "--json").json["people"]["leaving"]
    assert school("people", "import", "people.csv", "--yes", "--expect-leaving", str(leaving)).code == 0
    text_ = (
        (tmp_path / "people.csv").read_text(encoding="utf-8").replace("19,pupil,A,B,7B", "19,pupil,A,B,8A")
    )
    (tmp_path / "people.csv").write_text(text_, encoding="utf-8")
    told = school("people", "import", "people.csv", "--dry-run")
    assert "joining" in told.out
    assert "8A" in told.out


def test_a_teacher_who_is_a_parent_is_listed_when_two_reports_told_of_both(office, tmp_path):
    (tmp_path / "staff.csv").write_text("Code,Name,Mobile\nDUP,Mary Lee,07911 123456\n", encoding="utf-8")
    rows = "Adno,Name,Contact,Mobile\n1,Ann Lee,Mrs Mary Lee,07911 123456\n"
    (tmp_path / "family.csv").write_text(rows, encoding="utf-8")
    make = ("people", "mapping", "make")
    contact = ("--column", "guardian1.name=Contact", "--column", "guardian1.mobile=Mobile")
    columns = ("--column", "id=Adno", "--column", "name=Name")
    assert office(*make, "families", "family.csv", *columns, *contact).code == 0
    staff = ("--column", "id=Code", "--column", "name=Name", "--column", "mobile=Mobile")
    assert office(*make, "teachers", "staff.csv", "--rows", "staff", *staff).code == 0
    assert office("people", "import", "family.csv", "--mapping", "families", "--yes").code == 0
    done = office("people", "import", "staff.csv", "--mapping", "teachers", "--yes", "--json").json
    assert (done["people"]["new"], done["people"]["leaving"], done["speaks_for"]) == (1, 0, ["staff"])
    (found,) = office("people", "twice", "--json").json["twice"]
    assert (found["name"], found["staff"], found["shares"]) == ("Mary Lee", "staff:DUP", True)
    assert "a number or an email" in office("people", "twice").out
    assert "Nothing is doubtful" in office("people", "doubtful").out


def test_a_roster_says_itself_or_is_told_for_whom_it_speaks(office, tmp_path):
    (tmp_path / "people.csv").write_text(
        "id,role,given_name,family_name\nT1,staff,Mary,Lee\n", encoding="utf-8"
    )
    assert office("people", "import", "contacts.csv", "--mapping", "sims", "--yes").code == 0
    ran = office("people", "import", "people.csv", "--only", "staff", "--yes")
    assert ran.code == 0
    assert "It speaks for staff; pupils and guardians stay as they are." in ran.out
    assert "1 staff now" in ran.out
    assert (
        office("people", "import", "people.csv", "--only", "pupil", "--yes", "--json").error["code"]
        == "others_in_it"
    )
    assert (
        office("people", "import", "people.csv", "--only", "cook", "--yes", "--json").error["code"]
        == "wrong_use"
    )


def test_a_report_without_headers_is_mapped_by_position(office, tmp_path):
    (tmp_path / "bare.csv").write_text("1,Ann Lee,07911 123456\n", encoding="utf-8")
    shown = office("people", "mapping", "columns", "bare.csv", "--header-row", "0").out
    assert "@B" in shown
    assert "Ann Lee" in shown
    assert "123456" not in shown
    columns = ("--column", "id=@A", "--column", "name=@B", "--column", "mobile=@C")
    assert office("people", "mapping", "make", "bare", "bare.csv", "--header-row", "0", *columns).code == 0
    assert "no headers, 3 columns" in office("people", "mapping", "show", "bare").out
    done = office("people", "import", "bare.csv", "--mapping", "bare", "--yes", "--json").json
    assert (done["people"]["new"], done["addresses"]["new"]) == (1, 1)


def test_a_report_without_its_mapping_is_told_of_mappings(office):
    error = office("people", "import", "contacts.csv", "--yes", "--json").error
    assert (error["code"], error["field"]) == ("missing_header", "contacts.csv:1")
    assert "--mapping" in error["hint"]
