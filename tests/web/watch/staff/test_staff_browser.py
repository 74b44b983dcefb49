"""Staff in a real browser: named, invited, taken away; open to everybody, and without its script."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from broker.ports.approvals import OperatorRole
from tests.support.at_desk import page_of, person
from tests.support.looking import Looking, looks_right, tab_to
from tests.support.watching import Watched

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(180)]
ADMIN, AUTHOR = OperatorRole.ADMIN, OperatorRole.AUTHOR


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    return sqlite_ledger


@pytest.mark.accessibility
def test_somebody_is_named_by_keyboard_invited_and_taken_away(here: Watched, looking: Looking) -> None:
    page = page_of(looking, person(here, "Head", ADMIN), "/watch/staff")
    looks_right(page)
    page.get_by_role("link", name="Add somebody").click()
    looks_right(page)
    tab_to(page, "#name")
    page.keyboard.type("Mrs Bell")
    page.get_by_role("button", name="Add them").click()
    expect(page.locator("#wrong-role")).to_contain_text("at least one role")
    looks_right(page)
    tab_to(page, "input[value=author]")
    page.keyboard.press("Space")
    page.get_by_label("For", exact=True).select_option("music")
    page.get_by_role("button", name="Add them").click()
    expect(page.get_by_role("status")).to_contain_text("They are added")
    looks_right(page)
    page.get_by_role("button", name="Make an invitation").click()
    expect(page.locator("#link")).to_contain_text("/watch/sign-in/")
    looks_right(page)
    page.get_by_role("link", name="I have handed it over").click()
    expect(page.get_by_role("region", name="As it is")).to_contain_text("invited")
    page.get_by_text("Remove Mrs Bell").first.click()
    looks_right(page)
    page.get_by_role("button", name="Remove Mrs Bell").click()
    expect(page.get_by_role("status")).to_contain_text("They act no more")
    expect(page.get_by_role("link", name="Mrs Bell")).to_have_count(0)


def test_the_last_administrator_is_told_so_without_javascript(here: Watched, looking: Looking) -> None:
    person(here, "Mr Reed", AUTHOR)
    page = page_of(looking, person(here, "Head", ADMIN), "/watch/staff", script=False)
    page.get_by_role("link", name="Head", exact=True).click()
    page.get_by_text("Remove Head").first.click()
    page.get_by_role("button", name="Remove Head").click()
    expect(page.get_by_role("alert")).to_contain_text("This is the last admin")
    page.get_by_role("link", name="Staff").last.click()
    page.get_by_role("link", name="Mr Reed").click()
    page.get_by_label("Looks at everything").check()
    page.get_by_role("button", name="Keep this").click()
    expect(page.get_by_role("status")).to_contain_text("What they may do is changed")
    expect(page.get_by_role("region", name="As it is")).to_contain_text("writes, looks")
