"""An announcement in a real browser: corrected, said again, withdrawn; live, on a telephone, without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from broker.announcement import Announcement
from broker.delivery import State
from tests.support.looking import Looking, looks_right, tab_to
from tests.support.signing_in import by_link
from tests.support.watching import Serve, Watched
from tests.web.watch.announcement.test_announcement_pages import (
    PATHS,
    climb,
    half_told,
    laddered,
    numbers,
    with_mails,
)

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(300)]


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    """SQLite alone: what a browser does with a page is the same over both."""
    return sqlite_ledger


@pytest.fixture
def here(serve: Serve) -> Watched:
    return with_mails(serve)


def failing(here: Watched) -> Announcement:
    """With something of everything to look at."""
    said = half_told(here)
    here.move(said, State.UNCERTAIN, 1, "timeout", "the answer did not come")
    return said


def test_a_correction_is_written_looked_at_and_sent_by_keyboard(here: Watched, looking: Looking) -> None:
    said = failing(here)
    page = by_link(looking, here)
    page.goto(f"/watch/{said.public_id}")
    tab_to(page, "a[href$='/correct']")
    page.keyboard.press("Enter")
    page.get_by_label("Message").fill("The coach leaves at nine.")
    page.keyboard.press("Enter")  # a line more in a text, and no form sent
    page.get_by_label("Message").fill("The coach leaves at nine.")
    page.get_by_role("button", name="Show what it would do").press("Enter")
    expect(page.locator("del")).to_contain_text("eight.")
    expect(page.locator("ins")).to_contain_text("nine.")
    looks_right(page)
    page.get_by_role("button", name="Change the words").click()
    expect(page.get_by_label("Message")).to_have_value("The coach leaves at nine.")
    page.get_by_role("button", name="Show what it would do").click()
    page.get_by_role("button", name="Send the correction").click()
    expect(page.get_by_text("The correction is on its way.")).to_be_visible()
    page.get_by_role("link", name="What happened").click()
    expect(page.get_by_role("heading", name="All that was said in this matter")).to_be_visible()


def test_it_is_live_and_what_failed_is_tried_again(here: Watched, looking: Looking) -> None:
    said = here.plan(here.announce("Coach"))
    page = by_link(looking, here)
    page.goto(f"/watch/{said.public_id}")
    expect(page.locator("#live-state")).to_have_text("Live")
    page.evaluate("window.neverReloaded = true")
    here.move(said, State.SENT, 4)
    expect(page.locator("#progress")).to_contain_text("4 sent")
    here.move(said, State.REJECTED, 2, "21211", "the number is not in use")
    page.get_by_role("link", name="Try the 2 by bell again").click()
    page.get_by_role("button", name="Try all 2 again").click()
    expect(page.get_by_text("They are tried again.")).to_be_visible()
    expect(page.locator("#progress")).to_contain_text("2 waiting")


def test_one_message_is_settled_from_its_page(here: Watched, looking: Looking) -> None:
    said = failing(here)
    page = by_link(looking, here)
    page.goto(f"/watch/{said.public_id}?show=uncertain")
    page.locator("#deliveries tbody a").first.click()
    page.get_by_text("Leave it as it is").first.click()
    page.get_by_label("How you know").fill("their mother says that it came")
    looks_right(page)
    page.get_by_role("button", name="Leave it as it is").click()
    expect(page.get_by_text("It is left as it is.")).to_be_visible()


def test_it_is_withdrawn_without_scripts_on_a_telephone(here: Watched, looking: Looking) -> None:
    said = failing(here)
    page = by_link(looking, here, java_script_enabled=False, viewport={"width": 320, "height": 640})
    page.goto(f"/watch/{said.public_id}")
    page.get_by_role("link", name="Withdraw it").click()
    page.get_by_role("button", name="Show whom that tells").click()
    expect(page.get_by_text("There is nothing to tell them yet")).to_be_visible()
    page.get_by_label("What they read").fill("There is no coach today.")
    page.get_by_role("button", name="Show whom that tells").click()
    page.get_by_role("button", name="Withdraw it, and tell them").click()
    expect(page.get_by_text("those whom it had reached are told")).to_be_visible()


def test_who_was_not_told_is_said_again_to(here: Watched, looking: Looking) -> None:
    said = failing(here)
    page = by_link(looking, here)
    page.goto(f"/watch/{said.public_id}")
    page.get_by_role("link", name="Who has not been told, and why").click()
    page.get_by_role("link", name="Say it to them again").click()
    expect(page.get_by_label("Those who were not told")).to_be_checked()
    page.get_by_role("button", name="Show who gets it").click()
    expect(page.get_by_role("table")).to_contain_text("Pupil")
    looks_right(page)
    page.get_by_role("button", name="Say it again", exact=True).click()
    expect(page.get_by_text("It is said again.")).to_be_visible()


@pytest.mark.slow
def test_every_page_is_open_to_everybody(here: Watched, looking: Looking) -> None:
    said = failing(here)
    person, delivery = numbers(here, said)
    page = by_link(looking, here)
    for path in (*PATHS, f"/people/{person}", f"/deliveries/{delivery}"):
        page.goto(f"/watch/{said.public_id}{path}")
        looks_right(page)


def test_ways_in_order_are_open_to_everybody(here: Watched, looking: Looking) -> None:
    said = laddered(here)
    here.move(said, State.SENT, 5)
    here.move(said, State.REJECTED, 1, "21211", "the number is not in use")
    climb(here, said)
    climb(here, said)
    person = numbers(here, said)[0]
    page = by_link(looking, here)
    for path in ("", "/ladder", "/ladder?step=2&unmet=1", f"/people/{person}", "/history", "/papers"):
        page.goto(f"/watch/{said.public_id}{path}")
        looks_right(page)
