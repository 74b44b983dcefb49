"""The first page, all announcements and the figures in a real browser: drawn, by keyboard, and without a script."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from broker.delivery import State
from tests.support.looking import EVERY_LOOK, Open, open_to_everybody
from tests.support.watching import Watched
from tests.web.watch.now.sample import fill

pytestmark = pytest.mark.runs_on("sqlite")
PAGES = ("/watch", "/watch/announcements", "/watch/figures")


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    """SQLite alone: what a browser does with a page is the same over both."""
    return sqlite_ledger


def test_from_what_needs_action_to_the_page_where_it_is_dealt_with_by_keyboard(
    watched: Watched, look: Open
) -> None:
    live = fill(watched)
    page = look()
    expect(page.locator("#concerns")).to_contain_text("nobody knows of 1 message whether it left or not")
    page.locator('#concerns a[href$="show=uncertain"]').focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/watch/{live.public_id}?show=uncertain")


def test_a_send_goes_on_under_ones_eyes_and_leaves_when_it_is_done(watched: Watched, look: Open) -> None:
    page = look()
    announcement = watched.plan(watched.announce("Snow day"))
    card = page.locator(f"#l-{announcement.public_id}")
    expect(card).to_contain_text("6 waiting")
    watched.move(announcement, State.SENT, 6)
    expect(card).to_have_count(0)
    expect(page.locator(f"#a-{announcement.public_id}")).to_contain_text("6 sent")


def test_a_chart_is_drawn_from_its_table_and_read_point_by_point_by_keyboard(
    watched: Watched, look: Open
) -> None:
    fill(watched)
    page = look("/watch/figures")
    chart = page.locator("#chart-1")
    expect(chart.locator("canvas")).to_be_visible()
    expect(chart.locator("table")).to_be_hidden()
    points = chart.get_by_role("slider")
    points.focus()
    last = chart.locator("tbody tr").last
    told = ["".join(cell.split()) for cell in last.locator("td").all_text_contents()]
    assert all(cell in "".join((points.get_attribute("aria-valuetext") or "").split()) for cell in told)
    page.keyboard.press("ArrowLeft")
    assert points.get_attribute("aria-valuenow") == "12"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    assert points.get_attribute("aria-valuenow") == "0"
    chart.get_by_text("The numbers as a table").click()
    expect(chart.locator("table")).to_be_visible()
    chart.locator("tbody a").last.click()
    page.wait_for_url("**/watch/figures?day=*")
    expect(page.locator("#chart-1 canvas")).to_be_visible()


def test_a_chart_is_as_wide_as_its_page_and_follows_it(watched: Watched, look: Open) -> None:
    fill(watched)
    page = look("/watch/figures", viewport={"width": 1200, "height": 900})
    canvas = page.locator("#chart-1 canvas")
    expect(canvas).to_be_visible()
    before = canvas.bounding_box()
    page.set_viewport_size({"width": 400, "height": 900})
    page.wait_for_function("document.querySelector('#chart-1 canvas').getBoundingClientRect().width < 400")
    assert before is not None
    assert before["width"] > 400
    page.emulate_media(color_scheme="dark")
    expect(canvas).to_be_visible()


def test_everything_can_be_read_and_asked_for_without_javascript(watched: Watched, look: Open) -> None:
    fill(watched)
    page = look(java_script_enabled=False)
    expect(page.locator("#c-days table")).to_be_visible()
    page.get_by_role("link", name="All figures").click()
    expect(page.locator("#chart-2 table")).to_contain_text("seconds")
    page.goto("/watch/announcements")
    page.get_by_text("Show only some").click()
    page.get_by_label("How far it is").select_option("Something did not go")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".list .said")).to_have_count(1)
    page.get_by_role("link", name="Show all again").click()
    expect(page.locator(".list .said")).to_have_count(3)


@EVERY_LOOK
def test_axe_finds_nothing_wrong_and_nothing_runs_out_at_the_side(
    watched: Watched, look: Open, scheme: str, width: int
) -> None:
    fill(watched)
    watched.announce("W" * 120)
    page = look(color_scheme=scheme, viewport={"width": width, "height": 800})
    for path in PAGES:
        page.goto(path)
        if path != "/watch/announcements":
            page.locator("figure[data-chart]").first.scroll_into_view_if_needed()
            expect(page.locator("figure canvas").first).to_be_visible()
        open_to_everybody(page)
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
