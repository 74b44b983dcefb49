"""The four users at the dashboard, each from the first page to the end of what they came for, in a real browser.

The demo's school over the stand-ins: what a page says was sent, the stand-ins truly have.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from broker.announcement import Part
from broker.authority import rule_changes, signin, tokens
from broker.office import templates
from broker.ports.api import Scope
from cli import demo, sample_term
from cli.sample_term import ADMIN, BELL, HART, OKAFOR, Staff
from cli.serving import running
from config.assembly import House
from config.timetables import TimetableAt
from sandbox.client import RunningSandbox
from tests.support.looking import Looking

pytestmark = [
    pytest.mark.runs_on("sqlite"),
    pytest.mark.timeout(300),
    # The lines to the stand-ins belong to the worker's own loop, and elsewhere end with the process.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SETTLES = 30_000  # milliseconds, on a busy machine


@dataclass
class School:
    """The demo's school, served, with somebody's browser."""

    house: House
    sandbox: RunningSandbox
    looking: Looking

    def page_of(self, who: Staff) -> Page:
        """The first page, of somebody who has just signed in."""
        page = self.looking.page()
        page.goto(f"/watch/sign-in/{signin.make_link(self.house.ports, actor=who.actor)}")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/watch")
        return page

    def texts(self) -> list[str]:
        """What the stand-in truly accepted."""
        return [entry["body"] for entry in self.sandbox.truth("sms")]


@pytest.fixture
def school(browser: Browser) -> Iterator[School]:
    """A small school, whose staff are named, and a timetable system that pushes."""
    with TemporaryDirectory() as held, demo._sandbox(Path(held), []) as sandbox, ExitStack() as kept:
        told = demo.settings_for(Path(held), sandbox)
        plain = TimetableAt(format="csv", department="office", template="Timetable", via=("sms",))
        settings = told.model_copy(update={"timetables": {"cover": plain}})
        house, url = kept.enter_context(running(settings))
        demo._open_the_school(house, sandbox, Path(held), pupils=60, quiet=True)
        sample_term.begin(house)
        looking = Looking(browser, url, kept)
        yield School(house, sandbox, looking)
        assert looking.complaints == []
    gc.collect()  # what is let go of is let go of here, and told of no other test


def go(page: Page, *names: str) -> None:
    """Follow links by their words."""
    for name in names:
        page.get_by_role("link", name=name, exact=True).first.click()


def test_the_music_department_keeps_a_rehearsal_reminder(school: School) -> None:
    page = school.page_of(OKAFOR)
    go(page, "Calendar", "Schedules")
    page.get_by_role("link", name="New schedule").first.click()
    page.get_by_label("What to call it").fill("Choir, Tuesdays")
    page.get_by_label("Message", exact=True).fill("{pupil}: choir today at 15:30 in the hall.")
    page.get_by_label("Or written out (may be empty)").fill("Choir")
    with school.house.ledger.look() as tx:
        tuesday = (tx.now + timedelta(days=(1 - tx.now.weekday()) % 7 or 7)).date()
    page.get_by_label("First day").fill(tuesday.isoformat())
    page.get_by_role("button", name="Show its next dates").click()
    expect(page.get_by_role("main")).to_contain_text("08:00")
    page.get_by_role("button", name="Keep this schedule").click()
    expect(page.get_by_role("status").first).to_be_visible()
    go(page, "Calendar")
    page.goto(f"/watch/calendar?on={tuesday.isoformat()}")
    expect(page.get_by_role("main")).to_contain_text("Choir, Tuesdays")


def test_the_office_texts_a_year_and_sees_whom_nothing_reached(school: School) -> None:
    page = school.page_of(BELL)
    go(page, "Write")
    page.get_by_role("checkbox", name="Year 7").first.check()
    page.get_by_label("Message", exact=True).fill("Year 7 are back at four.")
    page.get_by_role("button", name="Look at it before it goes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This will happen")
    page.get_by_role("button", name="Send it now").click()
    page.wait_for_url("**/watch/*done=written*")
    expect(page.get_by_role("main")).to_contain_text("finished", timeout=SETTLES)
    sent = [body for body in school.texts() if "Year 7 are back at four." in body]
    expect(page.get_by_role("main")).to_contain_text(f"{len(sent)} ")
    assert sent
    go(page, "People")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_the_timetable_system_pushes_a_change_that_the_pages_show(school: School) -> None:
    ports, admin = school.house.ports, ADMIN.actor
    words = {Part.TITLE: "Changes of lessons", Part.SHORT: "Timetable: {changes}", Part.LONG: "{changes}"}
    templates.save(ports, "office", "Timetable", words, actor=admin)
    rule_changes.change(ports, "adults.notices", "office/Timetable", "agreed with the head", actor=admin)
    scopes = [Scope.TIMETABLE_WRITE]
    made = tokens.make(ports, "timetable system", scopes, lasts=timedelta(days=1), actor=admin)
    with school.house.ledger.look() as tx:
        tomorrow = (tx.now + timedelta(days=1)).date()
    table = f"number,day,period,classes,kind,subject,room\n1,{tomorrow},1,7A,cancelled,Music,M1\n"
    headers = {"Authorization": f"Bearer {made.secret}", "Content-Type": "text/plain"}
    with httpx2.Client(base_url=school.looking.url, timeout=30) as client:
        answer = client.post("/v1/timetable/cover", content=table.encode(), headers=headers)
    assert answer.json()["notices"] == 1
    page = school.page_of(BELL)
    go(page, "Announcements", "Changes of lessons")
    expect(page.get_by_role("main")).to_contain_text("finished", timeout=SETTLES)
    assert any("Timetable:" in body for body in school.texts())


def test_whoever_watches_says_yes_and_tries_again_what_went_wrong(school: School) -> None:
    why = "what goes to a year is read by two"
    rule_changes.change(school.house.ports, "approval.needed", "any/over 1/any", why, actor=ADMIN.actor)
    school.sandbox.control.order("twilio:error:code=21211,next=1")
    writer = school.page_of(BELL)
    go(writer, "Write")
    writer.get_by_role("checkbox", name="Year 8").first.check()
    writer.get_by_label("Message", exact=True).fill("Year 8 start at ten.")
    writer.get_by_role("button", name="Look at it before it goes").click()
    writer.get_by_role("button", name="Send it to be agreed to").click()
    head = school.page_of(HART)
    expect(head.get_by_role("main")).to_contain_text("waits for a second person")
    go(head, "Waiting for a yes")
    head.get_by_role("link", name="Decide", exact=True).click()
    head.get_by_role("button", name="Yes, send it").click()
    expect(head.get_by_role("main")).to_contain_text("rejected by the provider", timeout=SETTLES)
    watcher = school.page_of(ADMIN)
    expect(watcher.get_by_role("main")).to_contain_text("Messages that did not go", timeout=SETTLES)
    before = len(school.texts())
    watcher.get_by_role("link", name="See why").first.click()
    watcher.get_by_role("link", name="Try", exact=False).first.click()
    watcher.get_by_role("button", name="Try", exact=False).first.click()
    until = time.monotonic() + SETTLES / 1000
    while len(school.texts()) == before and time.monotonic() < until:
        time.sleep(0.2)
    assert len(school.texts()) == before + 1
