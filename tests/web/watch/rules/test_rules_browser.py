"""The house rules and budgets in a real browser: by keyboard, on a telephone, in the dark, and without its script."""

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
def test_a_rule_is_changed_by_keyboard_and_set_back_from_the_history(here: Watched, looking: Looking) -> None:
    page = page_of(looking, person(here, "Head", ADMIN), "/watch/rules")
    looks_right(page)
    page.get_by_role("link", name="Time for second thoughts").click()
    looks_right(page)
    tab_to(page, "#value")
    page.keyboard.type("0")  # what stood there was chosen with it
    page.locator("#value").fill("5")
    page.locator("#unit").select_option("min")
    tab_to(page, "#why")
    page.keyboard.type("two wrong groups")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("What would change")
    expect(page.get_by_role("region", name="from now on")).to_contain_text("5 minutes")
    looks_right(page)
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("status")).to_contain_text("The rule is changed")
    expect(page.get_by_role("region", name="As it is")).to_contain_text("5 minutes")
    page.get_by_role("link", name="The house rules").click()
    page.get_by_role("link", name="How they changed").click()
    looks_right(page)
    page.get_by_role("link", name="Go back to how it was then").last.click()
    looks_right(page)
    page.get_by_label("Why").fill("as it was")
    page.get_by_role("button", name="Go back to this").click()
    expect(page.get_by_role("status")).to_contain_text("as they were then")


@pytest.mark.accessibility
def test_hours_are_typed_and_a_mistake_stands_beside_them_with_what_was_typed(
    here: Watched, looking: Looking
) -> None:
    page = page_of(looking, person(here, "Head", ADMIN), "/watch/rules/windows.open")
    page.locator("#channel_0").select_option("bell")
    page.locator("#begins_0").fill("18:00")
    page.locator("#ends_0").fill("07:00")
    page.locator("#why").fill("a try")
    page.get_by_role("button", name="Show me what would change").click()
    expect(page.locator("#wrong-value")).to_contain_text("ends before it begins")
    expect(page.locator("#begins_0")).to_have_value("18:00")
    looks_right(page)
    page.locator("#begins_0").fill("07:00")
    page.locator("#ends_0").fill("18:00")
    page.get_by_role("button", name="Show me what would change").click()
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("region", name="Hours: Bell")).to_contain_text("07:00 to 18:00")
    looks_right(page)
    page.goto("/watch/rules/approval.needed")
    looks_right(page)


@pytest.mark.accessibility
def test_a_budget_and_a_hold_are_set_without_javascript(here: Watched, looking: Looking) -> None:
    head = person(here, "Head", ADMIN)
    page = page_of(looking, head, "/watch/budgets", script=False)
    page.get_by_role("link", name="Set a budget of Music").click()
    page.get_by_label("How much it may spend").fill("120")
    page.get_by_role("button", name="Show me what would change").click()
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("status")).to_contain_text("The budget is kept")
    expect(page.get_by_role("region", name="Music")).to_contain_text("£0.00 spent of £120.00")
    seen = page_of(looking, head, "/watch/budgets")
    looks_right(seen)
    seen.goto("/watch/budgets/music")
    looks_right(seen)
    seen.goto("/watch/rules/holds")
    looks_right(seen)
    page.goto("/watch/rules/undo.window")
    page.get_by_label("How long").fill("5")
    page.get_by_label("Of").select_option("min")
    page.get_by_label("Why").fill("tried")
    page.get_by_role("button", name="Show me what would change").click()
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("status")).to_contain_text("The rule is changed")
