"""A report of the school's own: its columns are said once on a page, kept under a name, and used again."""

from __future__ import annotations

import re

import pytest

from broker.rosters.mapping import Rows
from broker.rosters.staged import StagedFile
from tests.support.importing import Office, text_of
from web.watch.imports import columns as page_columns
from web.watch.imports.columns import Layout, columns_of

CONTACTS = (
    "Adno,Forename,Surname,Reg,Password,Contact,Mobile,Contact,Mobile\n"
    "1001,Ann,Lee,7B,hunter2,Mrs Mary Lee,07911 123456,Mr Tom Lee,07911 123457\n"
    "1002,Bob,Lee,9A,swordfish,Mrs Mary Lee,07911 123456,,\n"
)
STAFF = "Code,Name,Email\nTH,Mr Tom Hall,tom@example.org\n"
SAID = {
    "c0": "id",
    "c1": "given_name",
    "c2": "family_name",
    "c3": "form",
    "c5": "guardian1.name",
    "c6": "guardian1.mobile",
    "c7": "guardian2.name",
    "c8": "guardian2.mobile",
}


def say(office: Office, address: str, status: int = 303, **fields: str) -> str:
    sent = {"do": "make", "name": "our-contacts", **SAID, **fields}
    answer = office.send(f"{address}/columns", **sent)
    assert answer.status_code == status, answer.text
    if status == 303:
        office.settled(address)
    return answer.text


def chosen(html: str) -> dict[str, str]:
    """Which field each column is said to hold."""
    found = {}
    for name, options in re.findall(r'<select id="(c\d+)".*?>(.*?)</select>', html, re.DOTALL):
        picked = re.findall(r'<option value="([^"]*)" selected', options)
        found[name] = picked[0] if picked else ""
    return found


def test_a_report_of_ones_own_is_asked_about_column_by_column(office: Office) -> None:
    page = office.here.get(office.choose(CONTACTS, "contacts.csv"))
    assert "How is contacts.csv read?" in page
    assert "such as Ann, Bob" in page
    assert "123456" not in page  # what may be a number is hidden
    assert "hunter2" not in page
    assert chosen(page) == SAID  # as the headers say


def test_what_was_said_is_kept_and_the_file_read_by_it(office: Office) -> None:
    address = office.choose(CONTACTS, "contacts.csv")
    say(office, address)
    page = office.text(address)
    assert "What contacts.csv would change" in page
    assert "Ann Lee pupil, 7B" in page
    assert "How the first rows were understood" in page
    office.take(address)
    assert {"Ann", "Bob", "Mary", "Tom"} <= office.names()
    kept = office.text("/watch/import/mappings")
    assert "our-contacts" in kept
    assert "Contact 1: mobile number Mobile (1 of 2)" in kept


def test_the_next_time_it_is_chosen_by_its_name(office: Office) -> None:
    address = office.choose(CONTACTS, "contacts.csv")
    say(office, address)
    office.take(address)
    address = office.choose(CONTACTS, "contacts.csv")
    assert 'value="our-contacts"' in office.here.get(address)
    answer = office.send(f"{address}/columns", do="use", mapping="our-contacts")
    assert answer.status_code == 303
    assert "There is nothing to change." in office.text(office.settled(address))


def test_a_report_whose_columns_have_moved_is_refused(office: Office) -> None:
    say(office, office.choose(CONTACTS, "contacts.csv"))
    address = office.choose(CONTACTS.replace("Forename,Surname", "First,Surname"), "contacts.csv")
    office.send(f"{address}/columns", do="use", mapping="our-contacts")
    page = office.text(office.settled(address))
    assert "nothing was changed" in page
    assert "this header stood there once and now stands there nowhere" in page.lower()


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"c0": ""}, "", "nothing says which column tells people apart"),
        ({"c2": "given_name"}, "c2", "two columns are said to hold this"),
        ({"name": "Our Contacts!"}, "name", "a mapping's name is made of"),
        ({"c1": "", "c2": "", "c5": ""}, "", "no column holds the name"),
        ({"c1": "shoe_size"}, "c1", "this is no field of a person"),
    ],
)
def test_what_cannot_be_meant_stands_beside_its_column_and_what_was_said_is_kept(
    office: Office, wrong: dict[str, str], field: str, says: str
) -> None:
    address = office.choose(CONTACTS, "contacts.csv")
    html = say(office, address, 422, **wrong)
    assert says in text_of(html).lower().replace("’", "'").replace("&#39;", "'")
    if field:
        assert f'id="wrong-{field}"' in html
    assert chosen(html)["c3"] == "form"


def test_a_name_that_is_taken_is_replaced_only_on_purpose(office: Office) -> None:
    say(office, office.choose(CONTACTS, "contacts.csv"))
    address = office.choose(CONTACTS, "contacts.csv")
    html = say(office, address, 422, c3="")
    assert "There is a mapping of this name already" in html
    assert "--replace" not in html
    say(office, address, c3="", replace="yes")


def test_the_layout_of_a_file_can_be_said(office: Office) -> None:
    text = ("Contacts of all pupils\n\n" + CONTACTS.replace("Ann", "Zoë")).encode("windows-1252")
    address = office.choose(text, "contacts.csv")
    page = office.here.get(f"{address}/columns?header_row=3&encoding=windows-1252")
    assert "such as Zoë, Bob" in page
    say(office, address, header_row="3", encoding="windows-1252")
    assert "Zoë Lee" in office.text(address)
    for odd in ("header_row=99", "header_row=x", "encoding=ebcdic", "rows=aliens", "file=7"):
        office.here.get(f"{address}/columns?{odd}", 404)


def test_reports_that_belong_together_are_read_together(office: Office) -> None:
    address = office.choose(CONTACTS, "contacts.csv")
    say(office, address)
    answer = office.send(address, ("staff.csv", STAFF.encode()), do="more")
    assert answer.status_code == 303
    page = office.here.get(office.settled(address))
    assert "How is staff.csv read?" in page
    answer = office.send(
        f"{address}/columns",
        do="make",
        name="our-staff",
        file="1",
        rows="staff",
        c0="id",
        c1="name",
        c2="email",
    )
    assert answer.status_code == 303, answer.text
    page = office.text(office.settled(address))
    assert "What contacts.csv and staff.csv would change" in page
    office.take(address)
    assert {"Ann", "Tom"} <= office.names()


def test_one_that_is_not_needed_any_more_is_forgotten(office: Office) -> None:
    say(office, office.choose(CONTACTS, "contacts.csv"))
    answer = office.send("/watch/import/mappings", name="our-contacts")
    assert answer.status_code == 303
    assert "None has been said yet." in office.text("/watch/import/mappings")
    assert office.send("/watch/import/mappings", name="our-contacts").status_code == 422


def test_a_report_of_the_staff_offers_no_contacts() -> None:
    file = StagedFile("staff.csv", STAFF.encode())
    found, problem = columns_of(file, Layout(rows=Rows.STAFF))
    assert problem is None
    assert [one.guess for one in found] == ["id", "name", "email"]
    assert len(page_columns.offered(Rows.STAFF)) == 1
