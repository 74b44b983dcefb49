"""Search in a real browser: from the box on every page, by keyboard, page by page, and without its script."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from broker.actor import SYSTEM
from broker.office import groups
from broker.ports.approvals import OperatorRole
from tests.support.at_desk import a_school, page_of, person
from tests.support.looking import Looking, looks_right, tab_to
from tests.support.watching import Serve, Watched

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(180)]


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    return sqlite_ledger


@pytest.fixture
def here(serve: Serve) -> Watched:
    found = a_school(serve)
    found.tower.bring(30)
    found.announce("Parents’ evening")
    return found


@pytest.mark.accessibility
def test_the_box_of_every_page_finds_by_keyboard_and_goes_on_by_pages(
    here: Watched, looking: Looking
) -> None:
    page = page_of(looking, person(here, "Mrs Bell", OperatorRole.AUTHOR), "/watch/answers")
    tab_to(page, "#find")
    page.keyboard.type("parent")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("1 announcement and 30 people found")
    assert "parent" not in page.url
    looks_right(page)
    page.get_by_role("region", name="People").get_by_role("button", name="The next ones").click()
    expect(page.get_by_text("26 to 30, by family name.")).to_be_visible()
    looks_right(page)
    page.goto("/watch/search")
    looks_right(page)


def test_it_finds_without_javascript(here: Watched, looking: Looking) -> None:
    person_there = person(here, "Mrs Bell", OperatorRole.AUTHOR)
    page = page_of(looking, person_there, "/watch/search", script=False)
    page.get_by_label("Names, or words of an announcement").fill("parents")
    page.locator("main").get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Parents’ evening").click()
    page.wait_for_url("**/watch/*-*")


@pytest.mark.accessibility
def test_a_group_is_found_from_the_box_and_its_page_opened(here: Watched, looking: Looking) -> None:
    groups.keep(here.tower.house.ports, "Café helpers", department="office", actor=SYSTEM)
    page = page_of(looking, person(here, "Mrs Bell", OperatorRole.AUTHOR), "/watch/answers")
    page.locator("#find").fill("cafe")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("0 announcements, 1 group and 0 people found")
    looks_right(page)
    page.get_by_role("region", name="Groups").get_by_role("link", name="Café helpers").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Café helpers")
