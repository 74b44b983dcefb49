"""The page for notifications in a real browser, and its real worker, to which the browser's own tools deliver.

No push service is there: what `PushManager` gives is put in its place, in the page alone. All else is as anybody has
it: the script, the worker that is registered, its events, the notifications that it shows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from broker.actor import SYSTEM
from broker.office import private_links
from sandbox.stand_ins import webpush as stand_in
from tests.support.installed import wait_until
from tests.support.looking import open_to_everybody
from tests.support.press import Press, a_press

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(240)]
SOON = timedelta(seconds=20)
ACCOUNT = {
    "CARILLON_ACCOUNTS__PUSH__CHANNEL": "webpush",
    "CARILLON_ACCOUNTS__PUSH__KEY": stand_in.KEY,
    "CARILLON_ACCOUNTS__PUSH__CONTACT": stand_in.CONTACT,
}
BROWSER = stand_in.subscription("http://127.0.0.1:9", "a")
# In place of the push service: one subscription for each registration, under the key that the page names.
STAND_IN = """
(() => {
  const told = %s;
  let made = null, permission = "%s";
  const make = (options) => ({
    toJSON: () => told, endpoint: told.endpoint,
    options: { applicationServerKey: options.applicationServerKey.buffer ?? options.applicationServerKey },
    unsubscribe: async () => { made = null; return true; },
  });
  PushManager.prototype.subscribe = async (options) => (made = make(options));
  PushManager.prototype.getSubscription = async () => made;
  Object.defineProperty(Notification, "permission", { get: () => permission });
  Notification.requestPermission = async () => (permission = permission === "default" ? "granted" : permission);
})();
"""
Open = Callable[..., Page]


@pytest.fixture
def press(sqlite_ledger: str, tmp_path: Path) -> Iterator[Press]:
    with a_press(sqlite_ledger, tmp_path, ACCOUNT) as made:
        made.bring("Choir")
        yield made


@pytest.fixture
def secret(press: Press) -> str:
    return private_links.make(press.house.ports, "Choir", "parents", actor=SYSTEM).secret


@pytest.fixture
def look(press: Press, browser: Browser) -> Iterator[Open]:
    """Opens a page; every complaint of the browser fails the test."""
    complaints: list[str] = []
    with ExitStack() as held:

        def start(script: str = "", **more: Any) -> Page:
            context = browser.new_context(base_url=press.url, **more)
            held.callback(context.close)
            if script:
                context.add_init_script(script)
            page = context.new_page()
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            return page

        yield start
    assert complaints == []


def stood_in(permission: str = "default") -> str:
    return STAND_IN % (json.dumps(BROWSER), permission)


def said(page: Page) -> str:
    return page.locator("[data-when]:not([hidden])").inner_text()


def test_somebody_begins_comes_back_and_ends(press: Press, look: Open, secret: str) -> None:
    page = look(stood_in())
    page.goto(f"/push/{secret}")
    page.get_by_role("button", name="Show notifications").click()
    expect(page.get_by_text("Notifications are on")).to_be_visible()
    assert [one.subscribers for one in private_links.listed(press.house.ports)] == [1]
    page.get_by_role("button", name="Stop notifications").click()
    expect(page.get_by_text("Notifications are off")).to_be_visible()
    assert [one.subscribers for one in private_links.listed(press.house.ports)] == [0]


def test_by_keyboard_alone(press: Press, look: Open, secret: str) -> None:
    page = look(stood_in())
    page.goto(f"/push/{secret}")
    expect(page.get_by_role("button", name="Show notifications")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Notifications are on")).to_be_visible()


def test_who_has_said_no_is_told_how_to_change_that(look: Open, secret: str) -> None:
    page = look(stood_in("denied"))
    page.goto(f"/push/{secret}")
    expect(page.get_by_text("told to show no notifications")).to_be_visible()
    assert page.get_by_role("button").count() == 0


def test_a_browser_that_cannot_is_told_so(look: Open, secret: str) -> None:
    page = look("delete window.PushManager;")
    page.goto(f"/push/{secret}")
    expect(page.get_by_text("cannot show notifications")).to_be_visible()


def test_an_iphone_is_sent_to_its_home_screen(look: Open, secret: str) -> None:
    agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1"
    page = look("delete window.PushManager;", user_agent=agent)
    page.goto(f"/push/{secret}")
    expect(page.get_by_text("Add to Home Screen")).to_be_visible()


def test_without_script_it_says_what_can_be_read(look: Open, secret: str) -> None:
    page = look(java_script_enabled=False)
    page.goto(f"/push/{secret}")
    assert "scripts switched off" in page.content()


def test_what_the_school_refuses_is_told_and_the_browser_is_let_go(
    press: Press, browser: Browser, secret: str
) -> None:
    context = browser.new_context(base_url=press.url)
    try:
        bad = STAND_IN % (json.dumps({**BROWSER, "keys": {}}), "default")
        context.add_init_script(bad)
        page = context.new_page()
        page.goto(f"/push/{secret}")
        page.get_by_role("button", name="Show notifications").click()
        expect(page.get_by_text("That did not work")).to_be_visible()
        assert "cannot be used" in said(page)
        expect(page.get_by_role("button", name="Show notifications")).to_be_enabled()
        assert (
            page.evaluate("navigator.serviceWorker.ready.then((it) => it.pushManager.getSubscription())")
            is None
        )
    finally:
        context.close()


@pytest.mark.accessibility
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_keeps_wcag(look: Open, secret: str, scheme: str) -> None:
    page = look(stood_in(), color_scheme=scheme, viewport={"width": 320, "height": 640})
    page.goto(f"/push/{secret}")
    for button in ("Show notifications", "Stop notifications"):
        expect(page.get_by_role("button", name=button)).to_be_visible()
        open_to_everybody(page)
        page.get_by_role("button", name=button).click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_real_worker_shows_what_comes_once_with_a_sound_and_leads_to_the_page(
    press: Press, look: Open, secret: str
) -> None:
    published = press.publish("Concert", "At six.", audience="Choir")
    private = "01990000-0000-7000-8000-000000000001"
    page = look(stood_in(), permissions=["notifications"])
    session = page.context.new_cdp_session(page)
    registrations: dict[str, str] = {}
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: registrations.update(
            {one["scopeURL"]: one["registrationId"] for one in told["registrations"]}
        ),
    )
    session.send("ServiceWorker.enable")
    page.goto(f"/push/{secret}")
    page.get_by_role("button", name="Show notifications").click()
    expect(page.get_by_text("Notifications are on")).to_be_visible()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    scope = f"{press.url}/push/{secret}"

    def deliver(data: str) -> None:
        told = {"origin": press.url, "registrationId": registrations[scope], "data": data}
        session.send("ServiceWorker.deliverPushMessage", told)

    def shown() -> list[dict[str, Any]]:
        page.wait_for_timeout(50)
        found: list[dict[str, Any]] = page.evaluate(
            "navigator.serviceWorker.ready.then((it) => it.getNotifications()).then((all) =>"
            " all.map(({title, body, tag, silent, lang}) => ({title, body, tag, silent, lang})))"
        )
        return found

    message = {"id": str(published.public_id), "title": "Concert", "body": "At six.", "lang": "en"}
    deliver(json.dumps(message))
    wait_until(lambda: len(shown()) == 1, within=SOON, what="notifications as delivered")
    (first,) = shown()
    assert (first["title"], first["body"], first["tag"], bool(first["silent"])) == (
        "Concert", "At six.", str(published.public_id), False,
    )  # fmt: skip
    deliver(json.dumps({**message, "body": "At six!"}))
    wait_until(
        lambda: [one["body"] for one in shown()] == ["At six!"],
        within=SOON,
        what="notifications as delivered",
    )
    assert [bool(one["silent"]) for one in shown()] == [True]
    deliver("no JSON")
    wait_until(lambda: len(shown()) == 2, within=SOON, what="notifications as delivered")
    (worker,) = page.context.service_workers
    assert (
        worker.evaluate("(id) => placeOf(id)", str(published.public_id))
        == f"{press.url}/a/{published.public_id}"
    )
    assert worker.evaluate("(id) => placeOf(id)", private) == f"{press.url}/feeds/private/{secret}#{private}"
