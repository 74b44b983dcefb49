"""Answers in a real browser: read on purpose, dealt with, and back again; open to everybody, and without its script."""

from __future__ import annotations

from functools import partial

import pytest
from playwright.sync_api import expect

from broker.actor import SYSTEM
from broker.incoming import answers
from broker.incoming.answering import Inbound
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from tests.support.at_desk import a_school, page_of, person
from tests.support.looking import Looking, looks_right, tab_to
from tests.support.watching import Serve, Watched

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(180)]


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    return sqlite_ledger


def _hear(ports: Ports, inbound: Inbound, tx: Transaction) -> None:
    answers.record_inbound(ports, tx, inbound, actor=SYSTEM)


@pytest.fixture
def here(serve: Serve) -> Watched:
    found = a_school(serve)
    ports = found.tower.house.ports
    for n, text in enumerate(("Amy is ill today", "my uncle hits me")):
        inbound = Inbound("bell", f"+44791100000{n}", text, str(n))
        ports.ledger.transact(partial(_hear, ports, inbound))
    return found


@pytest.mark.accessibility
def test_an_answer_is_read_by_keyboard_rung_dealt_with_and_taken_back(
    here: Watched, looking: Looking
) -> None:
    page = page_of(looking, person(here, "Mrs Bell", OperatorRole.AUTHOR), "/watch/answers")
    expect(page.get_by_role("heading", name="May be about harm 1")).to_be_visible()
    looks_right(page)
    page.get_by_role("table").nth(1).get_by_role("link").first.click()
    looks_right(page)
    tab_to(page, "main button")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Amy is ill today")).to_be_visible()
    looks_right(page)
    page.get_by_role("button", name="Show the number to ring").click()
    expect(page.get_by_text("+447911000000").first).to_be_visible()
    looks_right(page)
    page.get_by_role("button", name="It is dealt with").click()
    expect(page.get_by_role("status")).to_contain_text("It is dealt with")
    page.get_by_role("link", name="Dealt with").click()
    looks_right(page)
    page.get_by_role("table").get_by_role("link").first.click()
    page.get_by_role("button", name="Read it").click()
    page.get_by_role("button", name="It is not dealt with after all").click()
    expect(page.get_by_role("status")).to_contain_text("It waits again")


def test_what_may_be_about_harm_is_given_to_an_inbox_without_javascript(
    here: Watched, looking: Looking
) -> None:
    person_there = person(here, "Mrs Bell", OperatorRole.AUTHOR)
    page = page_of(looking, person_there, "/watch/answers?show=concern", script=False)
    page.get_by_role("table").get_by_role("link").first.click()
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_text("This may be about harm, and is for you alone.")).to_be_visible()
    page.get_by_text("Give it to an inbox", exact=True).click()
    page.get_by_role("button", name="Give it to this inbox").click()
    expect(page.get_by_role("status")).to_contain_text("It is in that inbox now")
