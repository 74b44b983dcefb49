"""An import by page: chosen, read, looked at by name and number, and taken in all at once, or thrown away."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date

import httpx2
import pytest

from broker.actor import SYSTEM, Actor, ActorKind
from broker.authority import operators
from broker.ports.approvals import OperatorRole
from broker.privacy import erasure
from broker.rosters.imports import look
from config.import_kinds import read_one
from tests.support.importing import Office, text_of

HEAD = "id,role,given_name,family_name,mobile,email,year,form,groups,guardian_of\n"
ANN = "P1,pupil,Ann,Lee,,,7,7B,Choir,\n"
BOB = "P2,pupil,Bob,Lee,,,9,9A,,\n"
MARY = "G1,guardian,Mary,Lee,07911 123456,mary@example.org,,,,P1;P2\n"
SCHOOL = HEAD + MARY + ANN + BOB


def test_a_file_is_read_and_nothing_changes_until_it_is_taken_in(office: Office) -> None:
    address = office.choose(SCHOOL)
    page = office.text(address)
    assert "What people.csv would change" in page
    assert "Nothing is changed yet." in page
    assert "Ann Lee pupil, 7B" in page
    assert office.names() == set()
    answer = office.take(address)
    assert answer.status_code == 303
    assert office.names() == {"Ann", "Bob", "Mary"}
    assert "the school is as the file says now" in office.here.get("/watch/import?done=import_taken")
    assert "3 new" in office.text("/watch/import")
    assert office.count("staged_file") == 0


def test_the_difference_is_told_by_name_and_number(office: Office) -> None:
    office.take(office.choose(SCHOOL))
    changed = HEAD + MARY.replace("07911 123456", "07911 654321") + ANN.replace("7B", "7C") + BOB
    changed += "P3,pupil,Cat,Okafor,,,7,7B,,\n"
    page = office.text(office.choose(changed))
    assert "Cat Okafor" in page
    assert "Ann Lee pupil, 7C · form 7B → 7C" in page
    assert "Mary Lee guardian · goes:" in page
    assert "123456" not in page
    assert "654321" not in page


def test_whoever_would_lose_every_way_stands_before_everything_else(office: Office) -> None:
    office.take(office.choose(SCHOOL))
    page = office.text(office.choose(SCHOOL.replace("07911 123456,mary@example.org", ",")))
    unreached = page.index("Nobody could be told about them any more 2")
    assert unreached < page.index("Would lose their last number or email 1")
    assert "Ann Lee" in page[unreached:]


def test_far_more_gone_than_usual_is_held_back_and_asked_for_by_its_number(office: Office) -> None:
    office.take(office.choose(SCHOOL))
    address = office.choose(HEAD + MARY.replace(";P2", "") + ANN)
    assert "1 of 3 would leave: far more than usual" in office.text(address)
    for wrong in ("", "2", "one", "٣"):
        answer = office.take(address, leaving=wrong)
        assert answer.status_code == 422
        assert 'id="wrong-leaving"' in answer.text
        assert office.names() == {"Ann", "Bob", "Mary"}
    assert office.take(address, leaving="1").status_code == 303
    assert office.names() == {"Ann", "Mary"}


def test_another_tab_and_another_browser_find_it_again(office: Office) -> None:
    address = office.choose(SCHOOL)
    assert "What people.csv would change" in office.here.get(address)
    with httpx2.Client(base_url=office.here.url, timeout=10) as other:
        office.here.sign_in(other, Actor(ActorKind.PERSON, "Mr Hand"))
        assert address.rpartition("/")[2] in other.get("/watch/import").text
        assert "chosen by Mrs Bell" in text_of(other.get("/watch/import").text)
        assert "Ann Lee" in other.get(address).text


def test_what_was_thrown_away_or_taken_in_is_over(office: Office) -> None:
    address = office.choose(SCHOOL)
    assert office.do(address, "throw").status_code == 303
    assert "thrown away" in office.text(address)
    assert office.names() == set()
    assert office.do(address, "take", seen="0").status_code == 422
    assert office.do(address, "again").status_code == 422
    assert office.count("staged_file") == 0
    address = office.choose(SCHOOL)
    office.take(address)
    assert "taken in by Mrs Bell" in office.text(address)
    assert office.do(address, "throw").status_code == 422


def test_what_has_changed_since_is_compared_once_more_and_not_taken_in(office: Office) -> None:
    first = office.choose(SCHOOL)
    second = office.choose(SCHOOL)
    assert office.take(first).status_code == 303
    assert office.take(second).status_code == 303  # it was asked for, and then:
    page = office.text(second)
    assert "The school has changed since this was compared" in page
    assert "There is nothing to change." in page


def test_a_form_of_an_older_comparison_takes_nothing_in(office: Office) -> None:
    address = office.choose(SCHOOL)
    answer = office.do(address, "take", seen="0123456789abcdef")
    assert answer.status_code == 422
    assert "not what you looked at" in answer.text
    assert office.names() == set()


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (b"PK\x03\x04 not a zip", "damaged"),
        (b"\xd0\xcf\x11\xe0 xls", "a spreadsheet, not a CSV file"),
        ((HEAD + ANN + ANN).encode(), "This id stands in the file twice"),
        ((HEAD + ",pupil,Ann,Lee\n").encode(), "This row has no id"),
        (HEAD.encode("utf-16"), "UTF-16"),
    ],
)
def test_what_cannot_be_trusted_is_refused_whole_with_where_and_what_to_do(
    office: Office, file: bytes, says: str
) -> None:
    page = office.text(office.choose(file))
    assert says in page
    assert "nothing was changed" in page
    assert office.names() == set()


def test_a_fault_of_a_row_names_its_row(office: Office) -> None:
    page = office.text(office.choose(HEAD + ANN + ",pupil,Bob,Lee\n"))
    assert "people.csv:3" in page


def test_a_value_that_cannot_be_used_is_told_with_row_and_column(office: Office) -> None:
    page = office.text(office.choose(SCHOOL.replace("07911 123456", "020 7946 0000")))
    assert "1 value cannot be used as it stands" in page
    assert "people.csv 2 mobile" in page
    assert "7946" not in page


def test_a_zip_of_the_whole_school_is_read(office: Office) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("people.csv", SCHOOL)
    assert "Ann Lee" in office.here.get(office.choose(packed.getvalue(), "export.zip"))


def test_a_part_of_the_school_leaves_the_others_as_they_are(office: Office) -> None:
    office.take(office.choose(SCHOOL))
    staff = HEAD + "S1,staff,Tom,Hall,,tom@example.org,,,,\n"
    address = office.choose(staff, "staff.csv", only="staff")
    page = office.text(address)
    assert "It speaks for staff alone" in page
    office.take(address)
    assert office.names() == {"Ann", "Bob", "Mary", "Tom"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"kind": "everything"}, "kind"), ({"kind": "group"}, "group"), ({"only": "aliens"}, "only")],
)
def test_what_was_not_said_is_asked_for_beside_its_field(
    office: Office, fields: dict[str, str], field: str
) -> None:
    answer = office.send("/watch/import", ("people.csv", SCHOOL.encode()), **{"kind": "people", **fields})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text or f'id="wrong-{field}"' in answer.text


def test_no_file_or_an_empty_one_is_said_beside_the_field(office: Office) -> None:
    for file in (None, ("people.csv", b"")):
        answer = office.send("/watch/import", file, kind="people")
        assert answer.status_code == 422
        assert 'id="wrong-file"' in answer.text


def test_a_file_that_is_too_large_is_given_up_and_the_page_says_so(office: Office) -> None:
    answer = office.send("/watch/import", ("people.csv", b"x" * (25 * 1024 * 1024)), kind="people")
    assert answer.status_code == 413
    assert "This is larger than 24 MB." in answer.text
    assert 'id="wrong-file"' in answer.text
    assert office.count("staged_import") == 0


def test_only_who_acts_for_the_whole_school_may(office: Office) -> None:
    ports = office.here.tower.house.ports
    address = office.choose(SCHOOL)
    operators.add(ports, "Mrs Bell", [OperatorRole.ADMIN], None, actor=SYSTEM)
    operators.add(ports, "Mrs Drum", [OperatorRole.AUTHOR], "music", actor=SYSTEM)
    operators.add(ports, "Gov", [OperatorRole.AUDITOR], None, actor=SYSTEM)
    for who in ("Mrs Drum", "Gov"):
        office.here.sign_in(actor=Actor(ActorKind.PERSON, who))
        for path in ("/watch/import", address, f"{address}/new", "/watch/import/mappings"):
            assert office.here.client.get(path).status_code == 403, (who, path)
        assert office.send("/watch/import", ("people.csv", b"x"), kind="people").status_code == 403
        assert office.do(address, "throw").status_code == 403
    office.here.client.cookies.clear()
    assert office.here.client.get("/watch/import").status_code == 401
    forged = office.here.client.post(
        address, data={"do": "throw"}, headers={"Origin": "https://evil.example"}
    )
    assert forged.status_code == 403


@pytest.mark.parametrize(
    ("role", "offered"), [(OperatorRole.AUTHOR, "consent"), (OperatorRole.ADMIN, "terms")]
)
def test_what_somebody_may_not_take_in_is_not_offered(
    office: Office, role: OperatorRole, offered: str
) -> None:
    ports = office.here.tower.house.ports
    operators.add(ports, "Mr Head", [OperatorRole.ADMIN], None, actor=SYSTEM)
    operators.add(ports, "Mrs Key", [role], None, actor=Actor(ActorKind.PERSON, "Mr Head"))
    office.here.sign_in(actor=Actor(ActorKind.PERSON, "Mrs Key"))
    page = office.here.get("/watch/import")
    kinds = set(re.findall(r'type="radio" name="kind" value="([a-z]+)"', page))
    assert kinds == {"people", "group", offered}


def test_a_list_of_names_goes_on_by_pages(office: Office) -> None:
    many = HEAD + "".join(f"P{n},pupil,Pupil{n:03},Lee,,,7,7B,,\n" for n in range(150))
    address = office.choose(many)
    assert "All 150 of them" in office.text(address)
    first = office.here.get(f"{address}/new")
    assert "Pupil000" in first
    assert "Pupil120" not in first
    assert "Pupil120" in office.here.get(f"{address}/new?after=100")
    office.here.get(f"{address}/everything", 404)


def test_hostile_names_are_shown_as_text(office: Office) -> None:
    page = office.here.get(
        office.choose(HEAD + "P1,pupil,<script>alert(1)</script>,Lee,,,7,7B,,\n", "<b>.csv")
    )
    assert "<script>alert" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page


def test_a_name_that_leads_out_of_the_folder_leads_nowhere(office: Office) -> None:
    page = office.text(office.choose(SCHOOL, "../../etc/passwd"))
    assert "What passwd would change" in page


def test_it_is_gone_when_anybody_is_erased_and_within_a_day(office: Office) -> None:
    office.take(office.choose(SCHOOL))
    address = office.choose(SCHOOL.replace("7B", "7C"))
    ports = office.here.tower.house.ports
    erasure.erase(ports, "P2", confirmed="P2", ground=erasure.Ground.REQUEST, actor=SYSTEM)
    office.here.get(address, 404)
    assert office.count("staged_import") == 0


def test_taking_it_in_is_the_same_as_by_the_other_doors(office: Office) -> None:
    office.take(office.choose(SCHOOL))
    roster = read_one(SCHOOL.encode(), "people.csv", region="GB", today=date(2026, 11, 23))
    assert not look(office.here.tower.house.ports, roster).any
