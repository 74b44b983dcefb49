"""The calendar in a real browser: a schedule made by keyboard, an event changed, and every page open to everybody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.support.diary import Diary
from tests.support.looking import Looking, looks_right, tab_to
from tests.support.signing_in import by_link
from tests.support.watching import Watched

pytestmark = pytest.mark.runs_on("sqlite")


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    """SQLite alone: what a browser does with a page is the same over both."""
    return sqlite_ledger


@pytest.fixture
def here(watched: Watched) -> Watched:
    return watched


@pytest.fixture
def diary(watched: Watched) -> Diary:
    diary = Diary(watched)
    diary.school_year()
    return diary


def test_a_rehearsals_reminder_is_scheduled_by_keyboard(
    watched: Watched, diary: Diary, looking: Looking
) -> None:
    page = by_link(looking, watched, "/watch/calendar/schedules/new")
    tab_to(page, "#name")
    page.keyboard.type("Choir, Tuesdays")
    tab_to(page, "#short")
    page.keyboard.type("{pupil}: choir at 15:30.")
    tab_to(page, "input[name=groups][value=Choir]")
    page.keyboard.press("Space")
    page.fill("#day", str(diary.today + timedelta(days=1)))
    tab_to(page, "input[name=weekdays][value=TU]")
    page.keyboard.press("Space")
    tab_to(page, "button[value=look]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Choir, Tuesdays: is this right?")
    expect(page.locator(".dates li").first).to_contain_text("08:00")
    looks_right(page)
    page.get_by_role("button", name="Keep this schedule").click()
    expect(page.get_by_role("status")).to_contain_text("The schedule is kept")
    looks_right(page)
    page.get_by_role("button", name="Skip").first.click()
    expect(page.locator(".dates li").first).to_contain_text("skipped")
    page.get_by_role("button", name="Put back").first.click()
    expect(page.locator(".dates li").first).not_to_contain_text("skipped")


def test_without_javascript_an_event_is_added_changed_and_cancelled(
    watched: Watched, diary: Diary, looking: Looking
) -> None:
    diary.rule()
    page = by_link(looking, watched, "/watch/calendar/events/new", java_script_enabled=False)
    page.fill("#title", "Spring concert")
    page.fill("#day", str(diary.today + timedelta(days=9)))
    page.fill("#time", "19:00")
    page.get_by_label("Choir").check()
    page.get_by_role("button", name="Add this event").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Spring concert")
    page.get_by_role("link", name="Change it").click()
    page.fill("#place", "Chapel")
    page.get_by_role("button", name="See what is told to whom").click()
    expect(page.locator("main")).to_contain_text("Nobody has been told of it yet")
    page.get_by_role("button", name="Change it so").click()
    expect(page.locator("main")).to_contain_text("Chapel")
    page.get_by_role("link", name="It does not take place").click()
    page.get_by_role("button", name="It does not take place").click()
    expect(page.locator("main")).to_contain_text("cancelled")


@pytest.mark.slow
def test_every_page_is_open_to_everybody_at_every_width(
    watched: Watched, diary: Diary, looking: Looking
) -> None:
    made = diary.weekly("Choir, Tuesdays")
    diary.rule("Text, two days before")
    event = diary.event("Trip to the museum of natural history, with a very long name")
    watched.plan(watched.announce("The coach leaves at eight"))
    page = by_link(looking, watched, "/watch/calendar")
    for path in (
        "",
        "/week",
        f"/day?on={diary.today}",
        "/term",
        "/schedules",
        f"/schedules/{made.public_id}",
        f"/schedules/{made.public_id}/change",
        "/events",
        "/events/bring",
        f"/events/{event.public_id}",
        f"/events/{event.public_id}/cancel",
        "/reminders",
        "/reminders/new",
        "/terms",
        "/sources",
        "/sources/new",
    ):
        page.goto(f"/watch/calendar{path}")
        looks_right(page)


def test_on_a_telephone_the_month_is_a_list_and_a_term_prints_on_one_sheet(
    watched: Watched, diary: Diary, looking: Looking
) -> None:
    for name in ("Choir", "Brass band", "Orchestra of the lower school", "Recorders", "Strings"):
        diary.weekly(name, to="Choir")
    page = by_link(looking, watched, "/watch/calendar", viewport={"width": 320, "height": 640})
    days = page.locator(".days > .day:visible")
    expect(days.first).to_contain_text(f"{diary.today.day}")
    tops = days.evaluate_all("all => all.map((one) => one.getBoundingClientRect().left)")
    assert len(set(tops)) == 1
    page.set_viewport_size({"width": 1200, "height": 800})
    page.goto("/watch/calendar/term")
    sheet = page.pdf(prefer_css_page_size=True)
    assert sheet.count(b"/Type /Page\n") == 1
