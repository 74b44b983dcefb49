"""The page behind "I have seen this" in a real browser: by keyboard, read aloud, at any width, in light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlalchemy import create_engine, select, update

from broker import fanout, intake
from broker.actor import SYSTEM
from broker.announcement import Draft, Part, People, Step
from broker.ladders import links
from broker.ladders.ladder import Ladder, Opening
from broker.rosters.imports import import_roster
from config.assembly import assemble
from config.settings import load
from ledger import tables as t
from tests.support.looking import open_to_everybody
from tests.support.payloads import HOSTILE
from tests.support.school import SmallSchool
from web.app import create_app
from web.serve import serving

pytestmark = pytest.mark.runs_on("sqlite")


@pytest.fixture
def link(sqlite_ledger: str, tmp_path: Path) -> Iterator[str]:
    """A page that is served, for a message about one pupil."""
    environ = {
        "CARILLON_DATA_DIR": str(tmp_path),
        "CARILLON_DATABASE_URL": sqlite_ledger,
        "CARILLON_SANDBOX": "true",
        "CARILLON_PUBLIC_URL": "https://school.example",
        "CARILLON_ACCOUNTS__MAILS__CHANNEL": "email",
        "CARILLON_ACCOUNTS__MAILS__HOST": "127.0.0.1",
        "CARILLON_ACCOUNTS__MAILS__SENDER": "office@school.example",
        "CARILLON_ACCOUNTS__MAILS__REPLY_TO": "office@school.example",
    }
    school = SmallSchool()
    school.guardian("Mum", school.pupil("Amy", "Choir"), emails=("mum@example.org",))
    words = {Part.TITLE: "The coach " + "W" * 60, Part.LONG: "It leaves at eight."}
    asked = Ladder((Opening(),), seen=True)
    with assemble(load(environ=environ, env_file=None), serves=True) as house:
        import_roster(house.ports, school.roster(), actor=SYSTEM)
        draft = Draft("office", "Choir", People.GUARDIANS, (Step(("email",)),), words, ladder=asked)
        made = intake.accept(house.ports, draft, actor=SYSTEM).announcement
        fanout.plan(house.ports, made.public_id, actor=SYSTEM)
        with house.ledger.reading() as hand:
            delivery = hand.connection.execute(select(t.delivery.c.id)).scalar_one()
        with serving(create_app(house.ports, house.settings), "127.0.0.1", 0) as url:
            yield links.link_of(house.ports.signer, url, delivery)


def test_it_is_open_to_everybody_and_pressed_by_keyboard(link: str, browser: Browser) -> None:
    complaints: list[str] = []
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme, viewport={"width": 320, "height": 640})
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(link)
        open_to_everybody(page)
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        if scheme == "light":
            context.close()
            continue
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "I have seen this"
        page.keyboard.press("Enter")
        page.get_by_role("status").wait_for()
        assert page.title().startswith("Thank you")
        open_to_everybody(page)
        context.close()
    assert complaints == []


@pytest.mark.security
def test_no_payload_in_a_title_runs_on_it(link: str, sqlite_ledger: str, browser: Browser) -> None:
    ledger = create_engine(sqlite_ledger)
    context = browser.new_context()
    page = context.new_page()
    for words in HOSTILE:
        with ledger.begin() as connection:
            connection.execute(update(t.content).where(t.content.c.part == "title").values(text=words))
        page.goto(link)
        page.mouse.move(60, 60)
        assert page.evaluate("window.ran") is None, words
        assert page.locator("script, iframe, img, base, details").count() == 0, words
    page.get_by_text(HOSTILE[-1]).wait_for()  # it is there, as words
    context.close()
    ledger.dispose()
