"""The accounts in a real browser: an angle signed by keyboard, paused and let go on, also without a script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from broker.actor import SYSTEM
from broker.delivery import State
from broker.licences import licensing
from tests.support.licences import LONG_AGO, SOON, form
from tests.support.looking import EVERY_LOOK, Open, open_to_everybody
from tests.support.watching import Watched

pytestmark = pytest.mark.runs_on("sqlite")
PAGES = (
    "/watch/accounts",
    "/watch/accounts/tower",
    "/watch/accounts/tower/licence",
    "/watch/accounts/tower/licence/policy",
    "/watch/accounts/tower/licence/liability",
    "/watch/accounts/tower/licence/safe_use",
    "/watch/accounts/tower/licence/technology",
    "/watch/accounts/tower/renew",
    "/watch/letter",
)


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    """SQLite alone: what a browser does with a page is the same over both."""
    return sqlite_ledger


def settle(watched: Watched) -> None:
    licensing.save(watched.tower.house.ports, "tower", form(), actor=SYSTEM)


def policy(page: Page, review: str) -> None:
    for label, words in (("The policy's name", "Bells to families"), ("Version", "3")):
        page.get_by_label(label, exact=True).fill(words)
    page.get_by_label("Adopted by the governors on").fill(LONG_AGO)
    page.get_by_label("Looked at again by").fill(review)


@pytest.mark.parametrize("scripted", [True, False])
def test_an_angle_is_filled_in_mended_looked_over_and_signed_by_keyboard(
    watched: Watched, look: Open, scripted: bool
) -> None:
    page = look("/watch/accounts/tower/licence", refused=(422,), java_script_enabled=scripted)
    page.get_by_role("link", name="Change policy").or_(
        page.get_by_role("link", name="Fill in policy")
    ).click()
    policy(page, "2020-01-01")
    page.get_by_role("button", name="Look it over").focus()
    page.keyboard.press("Enter")
    expect(page.locator('[aria-invalid="true"]')).to_be_focused()
    expect(page.get_by_label("The policy's name")).to_have_value("Bells to families")
    page.get_by_label("Looked at again by").fill(SOON)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Look it over, then sign")
    expect(page.locator("main")).to_contain_text("may not speak yet")
    page.get_by_role("button", name="Sign as Mrs Bell").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/licence/liability*")
    expect(page.get_by_role("status").first).to_contain_text("Signed and kept under your name")
    page.get_by_role("button", name="Another risk").click()
    expect(page.get_by_role("group", name="Risk 4")).to_be_visible()


def test_an_account_is_paused_with_a_reason_and_let_go_on(watched: Watched, look: Open) -> None:
    settle(watched)
    page = look("/watch/accounts/tower")
    page.get_by_text("Pause this account …").click()
    page.get_by_label("Why").fill("the bill is too high")
    page.get_by_role("button", name="Pause tower").click()
    expect(page.locator(".title-row").first).to_contain_text("Paused")
    expect(page.locator("main")).to_contain_text("Mrs Bell")
    page.get_by_role("button", name="Let it go on").click()
    expect(page.locator(".title-row").first).to_contain_text("Speaks")


@EVERY_LOOK
def test_every_page_is_for_everybody_on_a_telephone_and_in_the_dark(
    watched: Watched, look: Open, scheme: str, width: int
) -> None:
    watched.move(watched.plan(watched.announce("Snow day")), State.SENT, 4)
    settle(watched)
    page = look(PAGES[0], color_scheme=scheme, viewport={"width": width, "height": 800})
    for path in PAGES:
        page.goto(path)
        open_to_everybody(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
