"""A school with two departments whose dashboard somebody uses in a real browser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, expect

from broker.ports.approvals import OperatorRole
from tests.support.looking import PATIENCE, Looking, Open
from tests.support.signing_in import bring_session, signed_in
from tests.support.staff import Browser as Person
from tests.support.staff import name, quick
from tests.support.watching import Serve, Watched, client_of


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


@contextmanager
def opening(watched: Watched, browser: Browser) -> Iterator[Open]:
    """Opens pages of somebody who is signed in, each in a browser of its own.

    Whatever is said of them there, and whatever they ask of another host, fails the test. `refused` says which
    statuses a page is meant to be answered with, for a browser tells those as trouble.
    """
    complaints: list[str] = []
    expect.set_options(timeout=PATIENCE)

    def heard(asked: str) -> None:
        if not asked.startswith((watched.url, "data:")):
            complaints.append(asked)

    def said(words: str, refused: Sequence[int]) -> None:
        if not any(f"the server responded with a status of {status}" in words for status in refused):
            complaints.append(words)

    with ExitStack() as held:

        def start(path: str = "/watch", *, refused: Sequence[int] = (), **more: Any) -> Page:
            context = browser.new_context(base_url=watched.url, **more)
            held.callback(context.close)
            client = held.enter_context(client_of(watched.url))
            watched.sign_in(client)
            bring_session(context, client, watched.url)
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            page.on("console", lambda message: said(message.text, refused))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("request", lambda request: heard(request.url))
            page.goto(path)
            return page

        yield start
    assert complaints == []


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
    bring_session(page.context, who.client, looking.url)
    page.goto(path)
    return page
