"""A careless office user in a real browser: a double click, two tabs, the back button, and a house that is down."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from broker.delivery import State
from ledger import tables as t
from tests.support.looking import Looking, looks_right
from tests.support.signing_in import by_link
from tests.support.watching import Watched
from tests.web.watch.announcement.test_announcement_actions import failing, one_of
from tests.web.watch.test_told_on_a_page import away

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(300)]


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    """SQLite alone: what a browser does with a page is the same over both."""
    return sqlite_ledger


@pytest.fixture
def here(watched: Watched) -> Watched:
    return watched


def test_a_double_click_does_a_thing_once_and_back_does_not_do_it_again(
    watched: Watched, looking: Looking
) -> None:
    page = by_link(looking, watched)
    page.goto("/watch/groups/new")
    page.locator("#name").fill("Footballers")
    page.get_by_role("button", name="Make the group").dblclick()
    expect(page.locator("p.done")).to_be_visible()
    page.reload()
    page.go_back()
    page.locator("#name").fill("Footballers")
    page.get_by_role("button", name="Make the group").click()
    expect(page.locator("#wrong-name")).to_contain_text("A group is called this already")
    with watched.ledger.reading() as hand:
        made = select(t.people_group.c.name).where(t.people_group.c.name == "Footballers")
        assert hand.connection.execute(made).scalars().all() == ["Footballers"]


def test_of_two_tabs_the_older_one_is_told_what_became_of_it_in_the_other(
    watched: Watched, looking: Looking
) -> None:
    said = failing(watched)
    where = f"/watch/{said.public_id}/deliveries/{one_of(watched, said, State.REJECTED)}"
    first, second = by_link(looking, watched), by_link(looking, watched)
    for tab in (first, second):
        tab.goto(where)
        tab.get_by_text("Try it again").first.click()
    first.get_by_role("button", name="Try it again").click()
    expect(first.locator("p.done")).to_be_visible()
    second.get_by_role("button", name="Try it again").click()
    expect(second.get_by_role("alert")).to_contain_text("cannot be tried again")
    assert watched.tower.states(said)["queued"] == 1


def test_a_page_that_tells_of_trouble_can_be_read_by_everybody(watched: Watched, looking: Looking) -> None:
    page = by_link(looking, watched)
    page.goto("/watch/nowhere/at/all")
    looks_right(page)
    with away(watched, "announcement"):
        page.goto("/watch/announcements")
        expect(page.get_by_role("heading", level=1)).to_have_text("This cannot be done just now")
        looks_right(page)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Announcements")
