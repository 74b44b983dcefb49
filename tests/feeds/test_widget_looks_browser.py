"""Light or dark: the widget goes by the page around it, not by the device, and says so where it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

from tests.support.looking import Open, keeps_wcag, public_pages
from tests.support.noticeboard import bring_events, put_up
from tests.support.press import Press, a_press

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(240)]
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(22, 22, 22)"
WIDGET = "/widget/groups/choir"


@pytest.fixture
def press(sqlite_ledger: str, tmp_path: Path) -> Iterator[Press]:
    with a_press(sqlite_ledger, tmp_path) as made:
        made.bring("Choir", public=("Choir",))
        put_up(made, ("Concert", "At six.", ""), audience="Choir")
        bring_events(made, "Choir", "Rehearsal")
        yield made


@pytest.fixture
def look(press: Press, browser: Browser) -> Iterator[Open]:
    with public_pages(browser, press.url, refusals=()) as start:
        yield start


@pytest.mark.accessibility
@pytest.mark.parametrize("device", ["light", "dark"])
def test_a_widget_looks_as_is_asked_and_light_where_nothing_is(
    press: Press, look: Open, device: Literal["light", "dark"]
) -> None:
    page = look(color_scheme=device)
    own = DARK if device == "dark" else LIGHT
    for asked, background in {"": LIGHT, "light": LIGHT, "dark": DARK, "<b>": LIGHT, "device": own}.items():
        place = f"{WIDGET}?look={asked}" if asked else WIDGET
        keeps_wcag(page, [place])
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == background, asked
