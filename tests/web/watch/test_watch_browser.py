"""The pages in a real browser: live without reloading, whole without JavaScript, open to everybody."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from broker import accounts
from broker.actor import SYSTEM
from broker.delivery import STATES, State
from tests.support.looking import Open, open_to_everybody
from tests.support.watching import Watched

pytestmark = pytest.mark.runs_on("sqlite")


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    """SQLite alone: what a browser does with a page is the same over both."""
    return sqlite_ledger


def everything(watched: Watched) -> str:
    """An announcement with a delivery in every state, and something to look at first; the address of its page."""
    watched.tower.bring(len(STATES) + 2)
    announcement = watched.plan(watched.announce("Concert on Friday"))
    for state in STATES:
        if state is not State.QUEUED:
            watched.move(announcement, state, code="30003", why="the provider says so")
    accounts.pause(
        watched.tower.house.ports, "tower", "the key is wrong", actor=SYSTEM, alarm="account_rejected"
    )
    return f"/watch/{announcement.public_id}"


def test_what_happens_shows_without_reloading(watched: Watched, look: Open) -> None:
    page = look()
    expect(page.locator("#live-state")).to_have_text("Live")
    page.evaluate("window.neverReloaded = true")
    announcement = watched.announce("Snow day")
    card = page.locator(f"#a-{announcement.public_id}")
    expect(card).to_contain_text("Nothing has left yet.")
    watched.plan(announcement)
    watched.move(announcement, State.SENT, 4)
    expect(card).to_contain_text("4 sent")
    watched.announce("Newer still")
    expect(page.locator("#live .said").first).to_contain_text("Newer still")
    assert page.evaluate("window.neverReloaded")


def test_updates_can_be_paused_and_go_on(watched: Watched, look: Open) -> None:
    page = look()
    page.get_by_role("button", name="Pause updates").click()
    expect(page.locator("#live-state")).to_have_text("Paused")
    watched.announce("While paused")
    page.wait_for_timeout(1500)
    expect(page.locator("#live")).not_to_contain_text("While paused")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#live")).to_contain_text("While paused")


def test_the_keyboard_stays_where_it_was(watched: Watched, look: Open) -> None:
    announcement = watched.plan(watched.announce("Concert"))
    page = look()
    link = page.locator(f"#a-{announcement.public_id} h3 a")
    link.focus()
    watched.move(announcement, State.SENT, 2)
    expect(page.locator(f"#a-{announcement.public_id}")).to_contain_text("2 sent")
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Concert")


def test_a_screen_reader_hears_how_it_stands(
    watched: Watched, look: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a busy machine: what is shown of it is behind for a while, and nothing is said until it is counted.
    monkeypatch.setattr("web.watch.counts.SHARE", 1_000_000)
    monkeypatch.setattr("web.watch.counts.LONGEST", timedelta(seconds=2))
    announcement = watched.plan(watched.announce("Concert"))
    page = look(f"/watch/{announcement.public_id}")
    watched.move(announcement, State.SENT, 6)
    expect(page.locator("#progress")).to_contain_text("6 sent")
    # Once in ten seconds something is said.
    expect(page.get_by_role("status")).to_contain_text("6 people told", timeout=40_000)


def test_everything_can_be_read_without_javascript(watched: Watched, look: Open) -> None:
    path = everything(watched)
    page = look(java_script_enabled=False)
    expect(page.get_by_role("button", name="Pause updates")).to_be_hidden()
    watched.announce("Later")
    page.get_by_role("link", name="Refresh").click()
    expect(page.locator("#live")).to_contain_text("Later")
    page.get_by_role("heading", name="Concert on Friday").first.get_by_role("link").click()
    page.get_by_role("link", name="Went wrong").click()
    assert re.search(rf"{path}\?show=failed#deliveries$", page.url)
    expect(page.locator("#deliveries tbody tr")).to_have_count(sum(look.failed for look in STATES.values()))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading")).to_have_text("You are signed out")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong(watched: Watched, look: Open, scheme: str) -> None:
    path = everything(watched)
    page = look(color_scheme=scheme)
    for place in (
        "/watch",
        path,
        f"{path}?show=failed",
        f"{path}/people",
        f"/watch/sign-in/{watched.link()}",
    ):
        page.goto(place)
        open_to_everybody(page)


def test_on_a_small_screen_nothing_runs_out_at_the_side(watched: Watched, look: Open) -> None:
    path = everything(watched)
    watched.announce("W" * 120)
    page = look(viewport={"width": 320, "height": 640})
    for place in ("/watch", path, f"{path}/people"):
        page.goto(place)
        assert page.evaluate("document.documentElement.scrollWidth") == 320, place


def test_a_title_that_is_a_script_stays_a_title(watched: Watched, look: Open) -> None:
    page = look()
    expect(page.locator("#live-state")).to_have_text("Live")
    caught: list[str] = []
    page.on("dialog", lambda dialog: caught.append(dialog.message))
    for evil in ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</div><svg onload=alert(1)>"):
        announcement = watched.announce(evil)
        expect(page.locator(f"#a-{announcement.public_id} h3")).to_have_text(evil)
    assert caught == []
    assert page.locator("#live script, #live img").count() == 0
