"""Somebody at the sign-in pages in a real browser: what they fill in, and what waits for their yes."""

from __future__ import annotations

from playwright.sync_api import Page

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


def signed_in(looking: Looking, person: Person, path: str = "/watch") -> Page:
    """A page of the browser of somebody who signed in already."""
    page = looking.page()
    cookies = [{"name": c.name, "value": c.value, "url": looking.url} for c in person.client.cookies.jar]
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
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
