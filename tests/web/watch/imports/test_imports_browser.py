"""Imports in a real browser: a file is chosen, looked at, held back, taken in; a report's columns are said."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from broker.ports.approvals import OperatorRole
from tests.support.at_desk import page_of, person
from tests.support.looking import Looking, looks_right, tab_to
from tests.support.watching import Watched

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(240)]
HEAD = "id,role,given_name,family_name,mobile,email,year,form,groups,guardian_of\n"
REPORT = "Adno,Forename,Surname,Reg,Contact,Mobile\n1001,Ann,Lee,7B,Mrs Mary Lee,07911 123456\n"


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    return sqlite_ledger


def choose(page: Page, folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(text, "utf-8")
    page.get_by_label("The file", exact=True).set_input_files(path)
    page.get_by_role("button", name="Read it, and show what it would change").click()


@pytest.mark.accessibility
def test_a_school_is_imported_by_keyboard_and_a_short_file_is_held_back(
    here: Watched, looking: Looking, tmp_path: Path
) -> None:
    page = page_of(looking, person(here, "Head", OperatorRole.ADMIN), "/watch/import")
    looks_right(page)
    choose(page, tmp_path, "people.csv", HEAD + "P1,pupil,Ann,Lee,020 7946 0000,,7,7B,,\n")
    expect(page.get_by_role("heading", level=1)).to_have_text("What people.csv would change")
    looks_right(page)
    page.get_by_role("button", name="Take it in").click()
    expect(page.locator("#wrong-leaving")).to_contain_text("people would leave")
    looks_right(page)
    count = page.get_by_text("would leave: far more than usual").inner_text().split(" of ")[0]
    tab_to(page, "#leaving")
    page.keyboard.type(count)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("the school is as the file says now")
    looks_right(page)


@pytest.mark.accessibility
def test_a_report_of_ones_own_is_read_by_its_columns(here: Watched, looking: Looking, tmp_path: Path) -> None:
    page = page_of(looking, person(here, "Head", OperatorRole.ADMIN), "/watch/import")
    choose(page, tmp_path, "contacts.csv", REPORT)
    expect(page.get_by_label("Forename")).to_have_value("given_name")
    looks_right(page)
    page.get_by_label("Reg").select_option("given_name")
    page.get_by_label("Keep this under a name").fill("our-contacts")
    page.get_by_role("button", name="Keep it, and read the file").click()
    expect(page.locator("#wrong-c3")).to_contain_text("Two columns are said to hold this")
    looks_right(page)
    page.get_by_label("Reg").select_option("form")
    page.get_by_role("button", name="Keep it, and read the file").click()
    expect(page.get_by_text("Ann Lee").first).to_be_visible()
    page.get_by_text("How the first rows were understood").click()
    looks_right(page)
    page.goto("/watch/import/mappings")
    looks_right(page)


def test_a_file_is_refused_and_another_taken_in_without_javascript(
    here: Watched, looking: Looking, tmp_path: Path
) -> None:
    page = page_of(looking, person(here, "Head", OperatorRole.ADMIN), "/watch/import", script=False)
    choose(page, tmp_path, "people.csv", HEAD + "P1,pupil,Ann,Lee\nP1,pupil,Ann,Lee\n")
    expect(page.get_by_role("alert")).to_contain_text("people.csv:3")
    page.get_by_role("button", name="Throw it away").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing was changed")
    page.get_by_text("The file has only a part of the school").click()
    page.get_by_label("Whom does the file speak for?").select_option("staff")
    choose(page, tmp_path, "staff.csv", HEAD + "S1,staff,Tom,Hall,,tom@example.org,,,,\n")
    expect(page.get_by_text("It speaks for staff alone")).to_be_visible()
    page.get_by_role("button", name="Take it in").click()
    expect(page.get_by_role("status")).to_contain_text("the school is as the file says now")
