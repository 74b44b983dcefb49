"""Somebody at the sign-in pages in a real browser: what they fill in, and what waits for their yes."""

from __future__ import annotations

from typing import Any

import httpx2
from playwright.sync_api import BrowserContext, Page

from broker.actor import Actor
from broker.announcement import Announcement, Draft, Part, People, Step
from broker.authority import rule_changes
from broker.intake import accept
from tests.support.looking import Looking
from tests.support.staff import Browser as Person
from tests.support.watching import Watched


def fill(page: Page, button: str, **fields: str) -> None:
    for field, value in fields.items():
        page.locator(f"#{field}").fill(value)
    page.get_by_role("button", name=button, exact=True).click()


def code_of(here: Watched, second: str) -> str:
    person = Person(here)
    person.second = second
    return person.next_code()


def bring_session(context: BrowserContext, client: httpx2.Client, url: str) -> None:
    """Whoever signed in by this client is signed in there."""
    cookies = [{"name": one.name, "value": one.value, "url": url} for one in client.cookies.jar]
    context.add_cookies(cookies)  # type: ignore[arg-type]


def signed_in(looking: Looking, person: Person, path: str = "/watch") -> Page:
    """A page of the browser of somebody who signed in already."""
    page = looking.page()
    bring_session(page.context, person.client, looking.url)
    page.goto(path)
    return page


def by_link(looking: Looking, here: Watched, path: str = "/watch", **more: Any) -> Page:
    """A page of a browser of its own, in which somebody has used a link."""
    page = looking.page(**more)
    page.goto(f"/watch/sign-in/{here.link()}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/watch")
    if path != "/watch":
        page.goto(path)
    return page


def waits(here: Watched, by: Actor, head: Actor) -> Announcement:
    """An announcement for a second person's yes, and big enough to want a proof."""
    ports = here.tower.house.ports
    rule_changes.change(ports, "approval.needed", "any/any/any", "the test", actor=head)
    rule_changes.change(ports, "sign_in.prove_at", "3", "the test", actor=head)
    parts = {Part.TITLE: "Concert", Part.SHORT: "At six.", Part.LONG: "The concert is at six."}
    draft = Draft("music", "everyone", People.GUARDIANS, (Step(("bell",)),), parts)
    return accept(ports, draft, actor=by).announcement
