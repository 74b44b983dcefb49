"""A school with two departments whose dashboard somebody uses in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from playwright.sync_api import Browser, Page

from broker.ports.approvals import OperatorRole
from tests.support.looking import Looking
from tests.support.signing_in import signed_in
from tests.support.staff import Browser as Person
from tests.support.staff import name, quick
from tests.support.watching import Serve, Watched


def a_school(serve: Serve) -> Watched:
    """Served, with three families."""
    found = serve(CARILLON_DEPARTMENTS='{"office": "Office", "music": "Music"}')
    quick(found)
    found.tower.bring(3)
    return found


@contextmanager
def looking_at(here: Watched, browser: Browser) -> Iterator[Looking]:
    """Every complaint of the browser fails the test."""
    with ExitStack() as held:
        made = Looking(browser, here.url, held)
        yield made
    assert made.complaints == []


def person(here: Watched, who: str, *roles: OperatorRole, department: str | None = None) -> Person:
    """Somebody who is signed in by a link."""
    actor = name(here, who, *roles, department=department)
    found = Person(here)
    found.post("/watch/sign-in", link=here.link(actor))
    return found


def page_of(looking: Looking, who: Person, path: str, *, script: bool = True) -> Page:
    """Their browser at a page; without its script, where that is asked for."""
    if script:
        return signed_in(looking, who, path)
    page = looking.page(java_script_enabled=False)
    cookies = [{"name": c.name, "value": c.value, "url": looking.url} for c in who.client.cookies.jar]
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    page.goto(path)
    return page
