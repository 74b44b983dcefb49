"""Writing in a real browser: live as one types, by keyboard, on a telephone, in the dark, open to everybody."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from broker.announcement import Part
from broker.office import templates
from tests.support.looking import Looking, looks_right, tab_to
from tests.support.signing_in import by_link
from tests.support.watching import BELL, Serve, Watched
from tests.support.writing import count, rule, writing_school

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(180)]


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    """SQLite alone: what a browser does with a page is the same over both."""
    return sqlite_ledger


@pytest.fixture
def here(serve: Serve) -> Watched:
    """A school that writes, with a template."""
    found = writing_school(serve)
    words = {Part.SHORT: "{pupil}: rehearsal at {time} in {place}.", Part.TITLE: "Rehearsal"}
    templates.save(found.tower.house.ports, "office", "Rehearsal", words, actor=BELL)
    return found


def settled(page: Page) -> None:
    """Nothing of what stands beside the form is on its way: to leave meanwhile would be told as an error."""
    page.get_by_role("heading", level=1).click()
    page.wait_for_timeout(700)
    page.wait_for_load_state("networkidle")


def test_what_each_way_sends_stands_beside_the_form_as_one_types(here: Watched, looking: Looking) -> None:
    page = by_link(looking, here, "/watch/write")
    page.get_by_label("Message", exact=True).press_sequentially("Dear {guardian}, Ŵyn is back. ")
    read = page.locator("#read")
    expect(read).to_contain_text("Dear parent or carer, Ŵyn is back.")
    expect(read.locator("mark.dear").first).to_have_text("Ŵ")
    expect(read).to_contain_text("£0.04 each")
    page.get_by_label("Message", exact=True).press_sequentially("x" * 80)
    expect(read).to_contain_text("Counts as 2 texts")
    page.get_by_role("checkbox", name="Year 7").check()
    expect(page.locator("#reach")).to_contain_text("2 of 3 people will be reached")
    expect(page.locator("#reach")).to_contain_text("£0.16")
    page.get_by_label("Text messages").uncheck()
    expect(page.locator("#reach")).to_contain_text("1 of 3 people will be reached")
    expect(read).not_to_contain_text("Text messages")
    assert count(here) == 0


def test_the_form_and_the_page_before_the_sending_are_open_to_everybody(
    here: Watched, looking: Looking
) -> None:
    rule(here, "blast.size", "2")
    page = by_link(looking, here, "/watch/write")
    looks_right(page)
    page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
    page.get_by_role("checkbox", name="Year 7").check()
    page.get_by_label("Message", exact=True).fill("Ŵyn is back at four.")
    expect(page.locator("#read mark.dear").first).to_be_visible()
    expect(page.locator("#reach")).to_contain_text("2 of 3 people will be reached")
    looks_right(page)
    settled(page)
    page.get_by_role("button", name="Look at it before it goes").click()
    page.get_by_role("button", name="Show their names").click()
    expect(page.get_by_role("rowheader", name="Cal Bell")).to_be_visible()
    looks_right(page)


def test_what_is_wrong_is_where_the_keyboard_stands_and_the_rest_is_kept(
    here: Watched, looking: Looking
) -> None:
    page = by_link(looking, here, "/watch/write")
    page.get_by_label("Message", exact=True).fill("Back at four, {name}.")
    page.get_by_role("checkbox", name="Year 7").check()
    settled(page)
    page.get_by_role("button", name="Look at it before it goes").click()
    wrong = page.get_by_label("Message", exact=True)
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_be_focused()
    expect(wrong).to_have_value("Back at four, {name}.")
    expect(page.get_by_role("checkbox", name="Year 7")).to_be_checked()
    looks_right(page)


def test_it_is_written_looked_at_and_sent_by_the_keyboard_alone(here: Watched, looking: Looking) -> None:
    page = by_link(looking, here, "/watch/write")
    tab_to(page, 'input[value="Year 7"]')
    page.keyboard.press("Space")
    tab_to(page, "#short")
    page.keyboard.type("Back at four.")
    tab_to(page, "button.main[value=look]")
    page.wait_for_timeout(700)
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="This will happen")).to_be_visible()
    tab_to(page, "button.main[value=send]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/watch/*done=written*")
    assert count(here) == 1


@pytest.mark.parametrize("javascript", [True, False])
def test_a_template_is_chosen_filled_in_and_sent(
    here: Watched, looking: Looking, *, javascript: bool
) -> None:
    page = by_link(looking, here, "/watch/write", java_script_enabled=javascript)
    page.get_by_role("checkbox", name="Choir").check()
    settled(page)
    page.get_by_role("button", name="Rehearsal").click()
    expect(page.get_by_role("checkbox", name="Choir")).to_be_checked()
    page.get_by_label("Time", exact=True).first.fill("15:30")
    page.get_by_label("Place").fill("the hall")
    if javascript:
        expect(page.locator("#read")).to_contain_text("Amy: rehearsal at 15:30 in the hall.")
    settled(page)
    page.get_by_role("button", name="Look at it before it goes").click()
    expect(page.get_by_text("Amy: rehearsal at 15:30 in the hall.").first).to_be_visible()
    page.get_by_role("button", name="Send it now").click()
    page.wait_for_url("**/watch/*done=written*")


def test_templates_are_listed_written_changed_and_given_up(here: Watched, looking: Looking) -> None:
    page = by_link(looking, here, "/watch/templates")
    looks_right(page)
    page.get_by_role("link", name="New template").click()
    page.get_by_label("Its name").fill("Early closing")
    page.get_by_label("Message", exact=True).fill("We close at {time}.")
    expect(page.locator("#read")).to_contain_text("We close at {time}.")
    looks_right(page)
    settled(page)
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("status")).to_contain_text("The template is kept")
    looks_right(page)
    page.get_by_role("link", name="Change its words").click()
    page.get_by_label("Message", exact=True).fill("We close at {time} today.")
    settled(page)
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("heading", name="Its versions")).to_be_visible()
    page.locator("summary", has_text="Offer it no more").click()
    page.get_by_role("button", name="Offer it no more").click()
    expect(page.get_by_role("status")).to_contain_text("offered no more")
    expect(page.get_by_role("link", name="Early closing")).to_have_count(0)
