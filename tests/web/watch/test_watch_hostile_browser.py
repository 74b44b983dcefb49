"""The shared payloads wherever the pages to watch show words that somebody wrote, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, expect

from broker import accounts, fanout
from broker.actor import SYSTEM
from broker.announcement import Announcement, Draft, Part, People, Step
from broker.delivery import State
from broker.incoming import answers
from broker.incoming.answering import Inbound
from broker.intake import accept
from broker.rosters.imports import import_roster
from tests.support.looking import Looking
from tests.support.payloads import HOSTILE
from tests.support.school import SmallSchool
from tests.support.watching import Serve, Watched

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(180), pytest.mark.security]
# What a payload would have made, had it been believed; bars, icons and a chart's table are the page's own.
STRANGE = """() => [window.ran ?? 0, document.querySelectorAll(
  "body script, img, iframe, details:not(figure.chart > details), base, style, meta[http-equiv], [autofocus], "
  + "#live svg:not(.bar, .icon)").length]"""


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    """SQLite alone: what a browser does with a page is the same over both."""
    return sqlite_ledger


@pytest.fixture
def here(serve: Serve) -> Watched:
    return serve(CARILLON_ANSWERS__LEAD__WATCHERS="Ms Safe")


@pytest.fixture
def page(here: Watched, browser: Browser) -> Iterator[Page]:
    """Signed in; every complaint of the browser fails the test."""
    with ExitStack() as held:
        looking = Looking(browser, here.url, held)
        page = looking.page()
        page.goto(f"/watch/sign-in/{here.link()}")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/watch")
        yield page
    assert looking.complaints == []


# Three to a page, each in a place of its own: a page takes a browser longer than a payload.
THREES = [HOSTILE[n : n + 3] for n in range(0, len(HOSTILE), 3)]


def announce(
    here: Watched, title: str, short: str = "At six.", long: str = "The concert is at six."
) -> Announcement:
    parts = {Part.TITLE: title, Part.SHORT: short, Part.LONG: long}
    draft = Draft("office", "everyone", People.GUARDIANS, (Step(("bell",)),), parts)
    return accept(here.tower.house.ports, draft, actor=SYSTEM).announcement


def hear(here: Watched, inbound: Inbound) -> UUID | None:
    ports = here.tower.house.ports
    return ports.ledger.transact(
        lambda tx: answers.record_inbound(ports, tx, inbound, actor=SYSTEM)
    ).public_id


def stays_text(page: Page, place: str) -> None:
    page.goto(place)
    expect(page.locator(".brand")).to_contain_text("Carillon")
    assert page.evaluate(STRANGE) == [0, 0], place


def test_an_announcement_of_payloads_stays_text(here: Watched, page: Page) -> None:
    """In the list, on its own page, and as the reason for which a delivery failed."""
    here.tower.bring(1)
    for three in THREES:
        # What turns the direction of reading is refused when it is written: nothing of it is ever shown.
        payloads = [payload.replace("\u202e", "") for payload in three]
        one = here.plan(announce(here, *payloads))
        here.move(one, State.REJECTED, code="30003", why=payloads[0][:100])
        stays_text(page, f"/watch/{one.public_id}")
        expect(page.locator(".wording dd")).to_have_text(payloads)
    stays_text(page, "/watch")
    accounts.pause(here.tower.house.ports, "tower", HOSTILE[0], actor=SYSTEM, alarm="account_rejected")
    stays_text(page, "/watch")


def test_people_named_by_payloads_stay_text(here: Watched, page: Page) -> None:
    school = SmallSchool()
    for n, payload in enumerate(HOSTILE):
        pupil = school.pupil(payload, "Choir")
        school.guardian(f"{payload} {n}", pupil)  # no number: nobody can be told
    import_roster(here.tower.house.ports, school.roster(), actor=SYSTEM, expect_leaving=None)
    said = announce(here, "Concert")
    fanout.plan(here.tower.house.ports, said.public_id, actor=SYSTEM)
    stays_text(page, f"/watch/{said.public_id}/people")
    expect(page.locator("tbody tr")).not_to_have_count(0)
    expect(page.locator("tbody")).to_contain_text(HOSTILE[0])


def test_answers_of_payloads_stay_text(here: Watched, page: Page) -> None:
    here.tower.bring(1)
    kept = []
    for n, payloads in enumerate(THREES):
        inbound = Inbound("bell", "+447911000000", "\n".join(payloads), f"{n}")
        kept.append(hear(here, inbound))
    stays_text(page, "/watch/answers")
    for payloads, one in zip(THREES, kept, strict=True):
        page.goto(f"/watch/answers/{one}")
        page.get_by_role("button", name="Read it").click()
        for payload in payloads:
            expect(page.locator("blockquote")).to_contain_text(payload)
        assert page.evaluate(STRANGE) == [0, 0], payloads
