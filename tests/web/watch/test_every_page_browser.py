"""Every kind of page that a link leads to, as each of the staff: open to everybody, whole, and all our own.

Slow: the walk opens some hundred pages for each of them, over a school with a term behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Browser

from broker.authority import signin
from cli import demo, sample_term
from cli.sample_term import STAFF, Staff
from cli.serving import running
from config.assembly import House
from tests.support.looking import Looking, looks_right
from tests.support.walk import walk

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.slow, pytest.mark.timeout(1800)]
LEAST = 40  # kinds of page: fewer, and the walk lost its way
MEANT = {403, 404}  # of a link that is another's to follow: said by a page of ours


@pytest.fixture(scope="module")
def term() -> Iterator[tuple[House, str]]:
    """The demo's school, its term behind it, served."""
    with TemporaryDirectory() as held, demo._sandbox(Path(held), []) as sandbox:
        clock = sample_term.TermClock()
        with running(demo.settings_for(Path(held), sandbox), wall=clock) as (house, url):
            demo._open_the_school(house, sandbox, Path(held), pupils=140, quiet=True)
            sample_term.begin(house)
            sample_term.play(house, sandbox, clock, quiet=True)
            sample_term.leave_to_do(house, sandbox)
            yield house, url


@pytest.mark.parametrize("who", STAFF, ids=lambda who: who.name)
def test_every_kind_of_page_is_open_to_everybody(
    term: tuple[House, str], browser: Browser, who: Staff
) -> None:
    house, url = term
    with ExitStack() as held:
        looking = Looking(browser, url, held)
        page = looking.page()
        page.goto(f"/watch/sign-in/{signin.make_link(house.ports, actor=who.actor)}")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/watch")
        met = {}
        for kind, status in walk(page, url):
            met[kind] = status
            assert status < 400 or status in MEANT, kind
            if page.locator("main").count():
                looks_right(page)
                assert page.locator("h1").count() == 1, kind
        assert looking.complaints == []
    assert len(met) >= LEAST
    refused = [kind for kind, status in met.items() if status in MEANT]
    assert refused == [], f"links lead {who.name} where nothing is for them"
    assert ("/watch/write" in met) == (who is not sample_term.HART and who is not sample_term.GRAY)
