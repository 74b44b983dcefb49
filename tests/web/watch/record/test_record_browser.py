"""The record in a real browser: read, narrowed, checked with its progress shown; and without its script."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from broker.ports.approvals import OperatorRole
from ledger.scrutiny.audit import audit
from tests.support.at_desk import a_school, page_of, person
from tests.support.looking import Looking, looks_right, tab_to
from tests.support.watching import Serve, Watched
from web.watch.record import checking

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(180)]


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    return sqlite_ledger


@pytest.fixture
def here(serve: Serve) -> Watched:
    found = a_school(serve)
    found.announce("Concert")
    found.tower.house.ports.ledger.transact(lambda tx: tx.record.seal())
    return found


@pytest.mark.accessibility
def test_a_governor_reads_the_record_and_checks_it(
    here: Watched, looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, real = threading.Event(), audit

    def slowly(*args: Any, **more: Any) -> Any:
        more["heard"](17, 3)
        assert goes_on.wait(60)
        return real(*args, **more)

    monkeypatch.setattr(checking, "audit", slowly)
    monkeypatch.setattr("web.watch.record.check.AT_ONCE", timedelta(seconds=0.1))
    page = page_of(looking, person(here, "Dr Okafor", OperatorRole.AUDITOR), "/watch/record")
    expect(page.get_by_role("region", name="The newest")).to_contain_text(
        "Carillon itself sent an announcement"
    )
    looks_right(page)
    page.get_by_label("About", exact=True).select_option(label="Staff and signing in")
    tab_to(page, "main form[method=get] button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="What was done")).to_contain_text("Dr Okafor signed in")
    page.get_by_role("link", name="Check it").click()
    looks_right(page)
    page.get_by_role("button", name="Check it now").click()
    expect(page.locator("#checked")).to_contain_text("So far 17 entries")
    looks_right(page)
    goes_on.set()
    expect(page.locator("#checked")).to_contain_text("nobody changed it")  # by itself
    looks_right(page)
    page.get_by_role("link", name="Kept outside").click()
    looks_right(page)


def test_the_record_is_checked_without_javascript(here: Watched, looking: Looking) -> None:
    page = page_of(
        looking, person(here, "Dr Okafor", OperatorRole.AUDITOR), "/watch/record/check", script=False
    )
    page.get_by_role("button", name="Check it now").click()
    if page.get_by_role("link", name="Look again").count():
        page.get_by_role("link", name="Look again").click()
    expect(page.locator("#checked")).to_contain_text("nobody changed it")


def test_an_administrator_names_a_governor(here: Watched, looking: Looking) -> None:
    page = page_of(looking, person(here, "Head", OperatorRole.ADMIN), "/watch/record/kept")
    page.get_by_label("Name").fill("Dr Hook")
    page.get_by_label("Email").fill("hook@example.org")
    page.get_by_role("button", name="Mail it to them").click()
    expect(page.get_by_role("region", name="Who is mailed it")).to_contain_text("Dr Hook")
    looks_right(page)
