"""The public pages in a real browser: open to everybody, at any width, in light and in the dark, without script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlalchemy import insert

from ledger import tables as t
from tests.support.looking import Open, fits_a_telephone, keeps_wcag, public_pages
from tests.support.press import Press, a_press

pytestmark = pytest.mark.runs_on("sqlite")
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


@pytest.fixture
def press(sqlite_ledger: str, tmp_path: Path) -> Iterator[Press]:
    with a_press(sqlite_ledger, tmp_path) as made:
        yield made


@pytest.fixture
def look(press: Press, browser: Browser) -> Iterator[Open]:
    with public_pages(browser, press.url, refusals=(404, 410)) as start:
        yield start


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
        keeps_wcag(look(color_scheme=scheme), found)


def test_on_a_small_screen_nothing_runs_out_at_the_side(press: Press, look: Open) -> None:
    fits_a_telephone(look, places(press))


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
