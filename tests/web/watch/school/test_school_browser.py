"""The school's pages in a real browser: something stopped and let go on by keyboard, on a telephone, in the dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.support.watching import Watched

pytestmark = pytest.mark.runs_on("sqlite")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
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
Open = Callable[..., Page]


@pytest.fixture
def ledger_url(sqlite_template: Any, tmp_path: Any) -> str:
    """SQLite alone: what a browser does with a page is the same over both."""
    (tmp_path / "carillon.sqlite3").write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{tmp_path / 'carillon.sqlite3'}"


@pytest.fixture
def look(watched: Watched, browser: Browser) -> Iterator[Open]:
    """Opens a page signed in; every complaint of the browser fails the test, and so does whatever asks another host."""
    complaints: list[str] = []

    def heard(asked: str) -> None:
        if not asked.startswith((watched.url, "data:")):
            complaints.append(asked)

    with ExitStack() as held:

        def start(path: str, **more: Any) -> Page:
            context = browser.new_context(base_url=watched.url, **more)
            held.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(15_000)
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("request", lambda request: heard(request.url))
            page.goto(f"/watch/sign-in/{watched.link()}")
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/watch")
            page.goto(path)
            return page

        yield start
    # A form that was refused is answered with 422, which the browser tells on its console.
    assert [one for one in complaints if "422" not in one] == []


@pytest.mark.parametrize("scripted", [True, False])
def test_everything_is_stopped_and_let_go_on_by_keyboard(
    watched: Watched, look: Open, scripted: bool
) -> None:
    page = look("/watch/switches", java_script_enabled=scripted)
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_every_page_is_for_everybody_on_a_telephone_and_in_the_dark(
    watched: Watched, look: Open, scheme: str, width: int
) -> None:
    page = look("/watch/doctor", color_scheme=scheme, viewport={"width": width, "height": 800})
    page.get_by_role("button", name="Look at everything now").click()
    expect(page.get_by_role("heading", name="Well", exact=True)).to_be_visible()
    for path in PAGES:
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
        assert found.response["violations"] == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
