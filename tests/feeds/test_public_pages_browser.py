"""The public pages in a real browser: open to everybody, at any width, in light and in the dark, without script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from sqlalchemy import insert

from ledger import tables as t
from tests.support.press import Press, a_press

pytestmark = pytest.mark.runs_on("sqlite")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LONG = """\
# Programme

Families are **welcome**. Read [the plan](https://school.example/plan).

| when | what |
|------|------|
| 18:00 | Orchestra and choir and everybody else who ever sang or played |

> Bring a coat.

1. One
2. Two

Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft
and `code that is rather long for a telephone`
"""
Open = Callable[..., Page]


@pytest.fixture
def press(sqlite_ledger: str, tmp_path: Path) -> Iterator[Press]:
    with a_press(sqlite_ledger, tmp_path) as made:
        yield made


@pytest.fixture
def look(press: Press, browser: Browser) -> Iterator[Open]:
    """Opens a page; every complaint of the browser fails the test."""
    complaints: list[str] = []
    with ExitStack() as held:

        def start(**more: Any) -> Page:
            context = browser.new_context(base_url=press.url, **more)
            held.callback(context.close)
            page = context.new_page()
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            return page

        yield start
    assert [one for one in complaints if "410" not in one and "404" not in one] == []


def places(press: Press) -> list[str]:
    press.bring("Year 7", public=("Year 7",))
    full = press.publish("Concert " + "W" * 60, "At six.", long=LONG)
    for part, text in (("title", "Cyngerdd"), ("short", "Am chwech.")):
        row = {"announcement_id": full.id, "version": 1, "language": "cy", "part": part, "text": text}
        press.sql(insert(t.content).values(row))
    gone = press.publish("Gone")
    press.withdraw(gone)
    return [f"/a/{full.public_id}", f"/a/{gone.public_id}", "/a/nothing", "/feeds"]


def test_the_pages_keep_wcag_in_light_and_in_the_dark(press: Press, look: Open) -> None:
    found = places(press)
    for scheme in ("light", "dark"):
        page = look(color_scheme=scheme)
        for place in found:
            page.goto(place)
            seen = Axe().run(page, options={"runOnly": RULES})
            assert not seen.response["violations"], (place, scheme, seen.generate_report())


def test_on_a_small_screen_nothing_runs_out_at_the_side(press: Press, look: Open) -> None:
    found = places(press)
    page = look(viewport={"width": 320, "height": 640})
    for place in found:
        page.goto(place)
        assert page.evaluate("document.documentElement.scrollWidth") == 320, place


def test_a_page_is_the_same_without_javascript_and_asks_for_nothing_else(press: Press, look: Open) -> None:
    place = places(press)[0]
    before = len(press.asked)
    page = look(java_script_enabled=False)
    page.goto(place)
    assert page.get_by_role("heading", name="Programme").is_visible()
    assert (
        page.get_by_role("heading", level=1).evaluate("seen => getComputedStyle(seen).lineHeight") != "normal"
    )
    assert {asked.path for asked in press.asked[before:]} <= {place, "/favicon.ico"}
    assert page.context.cookies() == []
