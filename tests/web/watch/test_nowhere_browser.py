"""What is not there, or not theirs, in a real browser: a page like every other, from which one goes on."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from broker.ports.approvals import OperatorRole
from tests.support.at_desk import page_of, person
from tests.support.looking import Looking, looks_right
from tests.support.watching import Watched

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(180)]


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    return sqlite_ledger


@pytest.mark.accessibility
@pytest.mark.parametrize(
    ("path", "says"),
    [("/watch/groups/4711", "There is no such page"), ("/watch/staff", "This is for others to do")],
)
def test_somebody_who_met_a_closed_door_goes_on_by_the_menu_and_the_search(
    here: Watched, looking: Looking, path: str, says: str
) -> None:
    here.announce("Parents’ evening")
    page = page_of(looking, person(here, "Mr Reed", OperatorRole.AUTHOR, department="office"), path)
    expect(page.get_by_role("heading", level=1)).to_have_text(says)
    looks_right(page)
    page.set_viewport_size({"width": 320, "height": 640})
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Calendar").click()
    page.wait_for_url("**/watch/calendar")
    page.goto(path)
    page.get_by_role("searchbox").fill("evening")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("1 announcement")
