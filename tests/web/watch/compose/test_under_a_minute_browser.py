"""A first-time office user: from signing in to a text sent to the guardians of a year, in clicks and in fields."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from broker import fanout
from broker.actor import SYSTEM
from broker.ports.approvals import OperatorRole
from ledger import tables as t
from tests.support.looking import Looking
from tests.support.staff import WORDS, quick
from tests.support.staff import Browser as Person
from tests.support.watching import Serve, Watched
from tests.support.writing import named, writing_school

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(180)]
MOST_CLICKS, MOST_FIELDS = 8, 3
MESSAGE = "Year 7 are back from the museum at four, not at three."


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    """SQLite alone: what a browser does with a page is the same over both."""
    return sqlite_ledger


@pytest.fixture
def here(serve: Serve) -> Watched:
    """A school with an author in the office, who has a password and has never written anything."""
    found = writing_school(serve, CARILLON_SIGN_IN__PROXIES="127.0.0.1")
    quick(found)
    named(found, "The Head", OperatorRole.ADMIN)
    Person(found).invited(named(found, "Mrs Poole", OperatorRole.AUTHOR))
    return found


@dataclass
class Hand:
    """Somebody's hand on mouse and keyboard, counted."""

    page: Page
    clicks: int = 0
    fields: int = 0

    def click(self, role: str, name: str) -> None:
        self.clicks += 1
        self.page.get_by_role(role, name=name, exact=False).first.click()  # type: ignore[arg-type]

    def type(self, label: str, words: str) -> None:
        self.fields += 1
        self.page.get_by_label(label, exact=True).fill(words)


@pytest.mark.parametrize("javascript", [True, False])
def test_a_first_time_user_sends_a_text_to_the_guardians_of_a_year(
    here: Watched, looking: Looking, *, javascript: bool
) -> None:
    hand = Hand(looking.page(java_script_enabled=javascript))
    hand.page.goto("/sign-in")
    hand.type("Your name", "Mrs Poole")
    hand.type("Password", WORDS)
    hand.click("button", "Sign in")
    hand.click("link", "Write")
    hand.click("checkbox", "Year 7")
    hand.type("Message", MESSAGE)
    if javascript:
        expect(hand.page.locator("#read")).to_contain_text(MESSAGE)
        hand.page.get_by_label("Message", exact=True).blur()
        expect(hand.page.locator("#reach")).to_contain_text("2 of 3 people will be reached")
        hand.page.wait_for_load_state("networkidle")
    hand.click("button", "Look at it before it goes")
    expect(hand.page.get_by_role("heading", name="This will happen")).to_be_visible()
    hand.click("button", "Send it now")
    hand.page.wait_for_url("**/watch/*done=written*")
    with here.ledger.reading() as hand_:
        row = hand_.connection.execute(select(t.announcement)).one()
    assert (row.audience, row.people) == ("Year 7", "guardians")
    fanout.plan(here.tower.house.ports, row.public_id, actor=SYSTEM)
    with here.ledger.reading() as hand_:
        ways = hand_.connection.execute(select(t.delivery.c.channel)).scalars().all()
    assert ways.count("sms") == 2
    assert hand.clicks <= MOST_CLICKS
    assert hand.fields <= MOST_FIELDS
