"""Who else can read what a group is told, in a real browser: published and hidden, a link made and taken back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.support.at_desk import looking_at
from tests.support.looking import looks_right, tab_to
from tests.support.signing_in import by_link
from tests.support.watching import Watched
from tests.web.watch.people.conftest import group_of

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(300)]


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    """SQLite alone: what a browser does with a page is the same over both."""
    return sqlite_ledger


def test_a_group_is_published_and_hidden_by_keyboard_and_looks_right_at_each_step(
    here: Watched, browser: Browser
) -> None:
    with looking_at(here, browser) as looking:
        page = by_link(looking, here)
        page.goto(f"/watch/groups/{group_of(here, 'Choir')}")
        tab_to(page, 'a[href$="/readers"]')
        page.keyboard.press("Enter")
        expect(page.get_by_text("Nothing has gone out to it by feed yet.")).to_be_visible()
        tab_to(page, "summary")
        page.keyboard.press("Enter")
        looks_right(page)
        page.get_by_role("button", name="Make Choir public").press("Enter")
        expect(page.get_by_role("status")).to_contain_text("It is public.")
        looks_right(page)
        page.get_by_text("Hide it again …").click()
        page.get_by_role("button", name="Hide Choir").click()
        expect(page.get_by_role("status")).to_contain_text("It is hidden again.")


def test_a_private_link_is_made_and_taken_back_without_javascript(here: Watched, browser: Browser) -> None:
    with looking_at(here, browser) as looking:
        page = by_link(looking, here, java_script_enabled=False)
        page.goto(f"/watch/groups/{group_of(here, 'Choir')}/readers")
        page.get_by_label("What it is for").fill("the choir’s course")
        page.get_by_role("button", name="Make a link").click()
        address = page.get_by_text("/feeds/private/").first
        expect(address).to_be_visible()
        page.get_by_text("Take it back …").click()
        page.get_by_role("button", name="Take the link for the choir’s course back").click()
        expect(page.get_by_role("status")).to_contain_text("That link opens nothing any more.")
        expect(page.get_by_text("/feeds/private/")).to_have_count(0)
