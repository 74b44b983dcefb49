"""The school's pages in a real browser: something stopped and let go on by keyboard, on a telephone, in the dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.looking import EVERY_LOOK, Open, open_to_everybody
from tests.support.watching import Watched

pytestmark = pytest.mark.runs_on("sqlite")
PAGES = (
    "/watch/school",
    "/watch/school/settings",
    "/watch/school/keeping",
    "/watch/school/tokens",
    "/watch/school/webhooks",
    "/watch/doctor",
    "/watch/switches",
    "/watch/switches/everything/all",
    "/watch/switches/account/tower",
)


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    """SQLite alone: what a browser does with a page is the same over both."""
    return sqlite_ledger


@pytest.mark.parametrize("scripted", [True, False])
def test_everything_is_stopped_and_let_go_on_by_keyboard(
    watched: Watched, look: Open, scripted: bool
) -> None:
    page = look("/watch/switches", refused=(422,), java_script_enabled=scripted)
    page.get_by_role("link", name="Stop everything …").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Stop everything?")
    page.get_by_role("button", name="Stop everything now").focus()
    page.keyboard.press("Enter")
    expect(page.locator('[aria-invalid="true"]')).to_be_focused()
    page.keyboard.type("a wrong list was imported")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("It is stopped")
    page.get_by_role("link", name="Let everything go on …").click()
    page.get_by_role("button", name="Let everything go on").click()
    expect(page.locator("#off ~ p")).to_contain_text("nothing is stopped")


def test_the_doctor_looks_at_a_press(watched: Watched, look: Open) -> None:
    page = look("/watch/doctor")
    page.get_by_role("button", name="Look at everything now").click()
    expect(page.get_by_role("heading", name="Well", exact=True)).to_be_visible()


@EVERY_LOOK
def test_every_page_is_for_everybody_on_a_telephone_and_in_the_dark(
    watched: Watched, look: Open, scheme: str, width: int
) -> None:
    page = look("/watch/doctor", color_scheme=scheme, viewport={"width": width, "height": 800})
    page.get_by_role("button", name="Look at everything now").click()
    expect(page.get_by_role("heading", name="Well", exact=True)).to_be_visible()
    for path in PAGES:
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        open_to_everybody(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
