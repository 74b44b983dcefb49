"""People, families, groups and consent in a real browser: by keyboard, on a telephone in the dark, without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.looking import Looking, looks_right, tab_to
from tests.support.signing_in import by_link
from tests.support.watching import Watched
from tests.web.watch.people.conftest import address_of, group_of, id_of
from tests.web.watch.people.test_people_pages import places

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(600)]


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    """SQLite alone: what a browser does with a page is the same over both."""
    return sqlite_ledger


@pytest.mark.slow
def test_every_page_keeps_wcag_and_fits_a_telephone_in_the_dark(here: Watched, looking: Looking) -> None:
    page = by_link(looking, here)
    for place in places(here):
        page.goto(f"/watch/{place}")
        looks_right(page)


def test_somebody_is_found_by_keyboard_as_one_types_and_no_name_is_in_an_address(
    here: Watched, looking: Looking
) -> None:
    page = by_link(looking, here)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/watch/people")
    tab_to(page, "#who")
    page.keyboard.type("gwe")
    expect(page.locator("#hits")).to_contain_text("1 person found")
    tab_to(page, "#hits a")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Gwen Bell")
    expect(page.get_by_text("blocked: hears nothing about this child")).to_be_visible()
    assert not any("gwe" in url.casefold() for url in asked)


def test_a_group_is_tried_as_one_types_made_filled_and_put_back_by_clicks(
    here: Watched, looking: Looking
) -> None:
    page = by_link(looking, here)
    page.goto("/watch/groups/try")
    page.get_by_label("Groups", exact=True).press_sequentially("Choir & 7B")
    expect(page.locator("#tried")).to_contain_text("1 pupil today")
    expect(page.locator("#tried")).to_contain_text("Ann Bell")
    looks_right(page)
    page.goto("/watch/groups")
    page.get_by_role("link", name="New group").click()
    page.get_by_role("textbox", name="Name").fill("Quartet")
    page.get_by_role("button", name="Make the group").click()
    page.get_by_label("Find pupils or staff").fill("eve")
    page.get_by_role("button", name="Find", exact=True).click()
    page.get_by_role("button", name="Add to the group").click()
    expect(page.get_by_text("Eve Bell was added.")).to_be_visible()
    looks_right(page)
    page.get_by_role("button", name="Take them out again").click()
    expect(page.get_by_text("Nobody is in it yet")).to_be_visible()
    page.goto(f"/watch/groups/{group_of(here, 'Quartet')}/change")
    page.get_by_text("Give up this group").click()
    page.get_by_role("button", name="Give up Quartet").click()
    page.get_by_role("button", name="Bring it back").click()
    expect(page.get_by_text("The group is there again")).to_be_visible()


def test_an_erasure_is_looked_at_and_typed(here: Watched, looking: Looking) -> None:
    page = by_link(looking, here)
    page.goto(f"/watch/people/{id_of(here, 'fay')}/data")
    page.get_by_role("link", name="What erasing takes").click()
    page.get_by_role("button", name="Show what would go").click()
    looks_right(page)
    page.get_by_label("Type the school’s id fay").fill("gwen")
    page.get_by_role("button", name="Erase them for good").click()
    expect(page.get_by_text("This is not the id of this person.")).to_be_visible()
    looks_right(page)
    page.get_by_label("Type the school’s id fay").fill("fay")
    page.get_by_role("button", name="Erase them for good").click()
    expect(page.get_by_text("They are erased.")).to_be_visible()


def test_it_all_works_without_javascript(here: Watched, looking: Looking) -> None:
    page = by_link(looking, here, java_script_enabled=False)
    page.goto("/watch/people")
    page.get_by_label("Find somebody").fill("hugo")
    page.get_by_role("button", name="Find", exact=True).click()
    page.get_by_role("link", name="Hugo Bell").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hugo Bell")
    page.goto("/watch/groups/try")
    page.get_by_label("Groups", exact=True).fill("Choir + 7B")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("6 pupils")).to_be_visible()
    page.goto(f"/watch/doubtful/{address_of(here, '+447911100009')}")
    page.get_by_text("Send nothing more there").first.click()
    page.get_by_label("Why").fill("the refuge has moved")
    page.get_by_role("button", name="Send nothing more there").click()
    expect(page.get_by_text("Nothing more goes there.", exact=False).first).to_be_visible()
    page.get_by_role("link", name="Send there again").first.click()
    page.get_by_role("button", name="Send there again").click()
    expect(page.get_by_text("Only whoever holds the address can ask for it.")).to_be_visible()
    page.get_by_label("Whoever holds it asked for messages again").check()
    page.get_by_label("at the desk").check()
    page.get_by_label("What they said").fill("it is theirs")
    page.get_by_role("button", name="Send there again").click()
    expect(page.get_by_text("Messages go there by this way again.")).to_be_visible()
