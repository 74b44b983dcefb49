"""Charts of a page that keeps itself up to date: drawn anew with their part, and left alone without a reason."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from ledger import tables as t
from tests.support.looking import Open
from tests.support.watching import Watched
from tests.web.watch.now.sample import fill
from web.watch.now import topic

pytestmark = pytest.mark.runs_on("sqlite")


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    """SQLite alone: what a browser does with a page is the same over both."""
    return sqlite_ledger


def test_a_chart_is_drawn_anew_where_a_live_page_has_new_figures_and_whoever_was_in_it_stays_there(
    watched: Watched, look: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic, "FIGURES_EVERY", timedelta(0))
    fill(watched)
    page = look()
    chart = page.locator("#c-days")
    chart.scroll_into_view_if_needed()
    first = chart.locator("canvas").element_handle()
    points = chart.get_by_role("slider")
    points.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    chart.get_by_text("The numbers as a table").click()
    points.focus()
    announcement = watched.announce("Snow day")
    expect(page.locator(f"#a-{announcement.public_id}")).to_be_visible()
    assert first.evaluate("canvas => canvas.isConnected")  # what has not changed is not touched
    assert points.get_attribute("aria-valuenow") == "11"
    with watched.ledger.begin() as tx:
        tx.hand.connection.execute(update(t.figure).values(n=t.figure.c.n + 1_000))
    watched.announce("Snow day again")
    expect(chart.locator("tbody tr").last).to_contain_text(re.compile(r"\d\d,\d\d\d"))
    expect(chart.locator("canvas")).to_have_count(1)
    expect(chart.locator("canvas")).to_be_visible()
    assert not first.evaluate("canvas => canvas.isConnected")
    expect(points).to_be_focused()
    assert points.get_attribute("aria-valuenow") == "11"
    expect(chart.locator("table")).to_be_visible()
    page.keyboard.press("ArrowRight")
    assert points.get_attribute("aria-valuenow") == "12"
