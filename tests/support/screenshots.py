"""Pictures of the dashboard, on the demo's school with a term behind it, and of public pages: `make screenshots`."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, BrowserContext, Page

from broker.authority import signin
from cli import demo, sample_term
from cli.serving import running
from tests.support.browser import running_browser
from tests.support.screenshots_public import take_public

MOST = 200 * 1024  # bytes: it is in the repository for ever
SETTLED = timedelta(seconds=1.2)  # until what is live has come, and charts are drawn
# For the README: what a page is called there, its address, who is at it, how high.
KEPT = (
    ("watch", "/watch", sample_term.BELL, 900),
    ("write", "/watch/write", sample_term.BELL, 900),
    ("calendar", "/watch/calendar", sample_term.OKAFOR, 900),
)
# For looking at, in light and dark, on a desk and on a telephone.
LOOKED_AT = (
    "/watch",
    "/watch/write",
    "/watch/announcements",
    "/watch/calendar",
    "/watch/people",
    "/watch/accounts",
)


def main(folder: Path, beside: Path) -> None:
    """Write the README's pictures; into the other folder, what is for looking at."""
    with running_browser() as browser:
        take_public(browser, folder, beside)
    with TemporaryDirectory() as held, demo._sandbox(Path(held), []) as sandbox:
        clock = sample_term.TermClock()
        settings = demo.settings_for(Path(held), sandbox)
        with running(settings, wall=clock) as (house, url), running_browser() as browser:
            demo._open_the_school(house, sandbox, Path(held), pupils=420, quiet=True)
            sample_term.begin(house)
            sample_term.play(house, sandbox, clock)
            sample_term.leave_to_do(house, sandbox)
            for name, address, who, height in KEPT:
                link = signin.make_link(house.ports, actor=who.actor)
                context = browser.new_context(
                    viewport={"width": 1120, "height": height}, device_scale_factor=1.15
                )
                page = _signed_in(context, f"{url}/watch/sign-in/{link}")
                _take(page, url + address, folder / f"{name}.png")
                context.close()
            link = signin.make_link(house.ports, actor=sample_term.ADMIN.actor)
            _look(browser, url, f"{url}/watch/sign-in/{link}", beside)


def _signed_in(context: BrowserContext, link: str) -> Page:
    page = context.new_page()
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/watch")
    return page


def _take(page: Page, address: str, picture: Path) -> None:
    page.goto(address)
    if address.endswith("/write"):
        page.get_by_role("checkbox", name="Year 7").first.check()
        page.get_by_label("Message", exact=True).fill(
            "{pupil}: the coach leaves at 8:30 tomorrow, not at 8:15."
        )
        page.get_by_label("Message", exact=True).blur()
    page.wait_for_timeout(SETTLED.total_seconds() * 1000)
    page.screenshot(path=picture)
    if picture.stat().st_size > MOST:
        raise SystemExit(f"{picture} is larger than {MOST // 1024} KiB")


def _look(browser: Browser, url: str, link: str, folder: Path) -> None:
    first = browser.new_context()
    _signed_in(first, link)
    kept = first.storage_state()
    first.close()
    for scheme in ("light", "dark"):
        for width in (1120, 320):
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, storage_state=kept
            )
            page = context.new_page()
            for address in LOOKED_AT:
                page.goto(url + address)
                page.wait_for_timeout(SETTLED.total_seconds() * 1000)
                name = address.strip("/").replace("/", "-")
                page.screenshot(path=folder / f"{name}-{scheme}-{width}.png", full_page=True)
            context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
