"""Pages as a real browser sees them: whatever it complains of, or fetches from elsewhere, is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PATIENCE = 30_000  # milliseconds: two processes of tests share a machine
# A refusal is a status of its own, which a browser tells as trouble.
REFUSALS = tuple(
    f"the server responded with a status of {status}" for status in (401, 403, 404, 422, 429, 503)
)
# Nothing of a page is styled or scripted in its own text; what comes from elsewhere could be neither.
# A chart is placed through the style object, which a policy lets be.
INLINE = """() => [...document.querySelectorAll("*:not(.uplot, .uplot *)")].flatMap((one) => [
  ...[...one.attributes].filter((a) => a.name === "style" || a.name.startsWith("on")).map((a) => a.name),
  ...(one.matches("style, script:not([src])") ? [one.tagName] : []),
])"""
TABS = 60
LOOKS: Sequence[tuple[Literal["light", "dark"], int]] = (("light", 1120), ("dark", 320))
# Every page at the one look at which most goes wrong; at the others in `make deep`.
EVERY_LOOK = pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (320, "dark"),
        *(
            pytest.param(*look, marks=pytest.mark.slow)
            for look in ((320, "light"), (1200, "light"), (1200, "dark"))
        ),
    ],
)


@dataclass
class Looking:
    """One browser that looks at one place."""

    browser: Browser
    url: str
    held: ExitStack
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        expect.set_options(timeout=PATIENCE)

    def page(self, **more: Any) -> Page:
        """A page in a context of its own: nobody is signed in there."""
        # A colour on its way to another is neither, so nothing moves.
        context = self.browser.new_context(base_url=self.url, reduced_motion="reduce", **more)
        context.route(re.compile("^https:"), lambda route: route.abort())
        self.held.callback(context.close)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._asked)
        return page

    def _said(self, message: ConsoleMessage) -> None:
        page = message.page
        if page is None or not page.url.startswith(self.url):  # another's page, such as a provider's
            return
        if message.type in {"error", "warning"} and not any(one in message.text for one in REFUSALS):
            self.complaints.append(message.text)

    def _asked(self, request: Request) -> None:
        """What a page of ours fetches comes from us."""
        if request.is_navigation_request() or not request.frame.url.startswith(self.url):
            return
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.complaints.append(f"{request.frame.url} asks {request.url}")


Open = Callable[..., Page]


@contextmanager
def public_pages(browser: Browser, url: str, *, refusals: Sequence[int]) -> Iterator[Open]:
    """Opens pages that anybody may see; whatever the browser complains of or asks fails the test.

    `refusals`: statuses that the test means to meet, which a browser tells as trouble.
    """
    complaints: list[str] = []
    with ExitStack() as held:

        def start(**more: Any) -> Page:
            context = browser.new_context(base_url=url, **more)
            held.callback(context.close)
            page = context.new_page()
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("dialog", lambda dialog: complaints.append(dialog.message))
            return page

        yield start
    meant = [str(status) for status in refusals]
    assert [one for one in complaints if not any(status in one for status in meant)] == []


def open_to_everybody(page: Page, rules: Sequence[str] = RULES) -> None:
    """By axe. Of what is well it tells nothing: to write down each part of a page takes longer than to look at it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    asked = {"runOnly": [*rules], "resultTypes": ["violations"]}
    found = AxeResults(page.evaluate("(asked) => axe.run(asked)", asked))
    assert not found.response["violations"], (page.url, found.generate_report())


def keeps_wcag(page: Page, places: Iterable[str]) -> None:
    """One place after the other."""
    for place in places:
        page.goto(place)
        open_to_everybody(page)


def fits_a_telephone(start: Open, places: Iterable[str]) -> None:
    """Nothing runs out at the side of a small screen."""
    page = start(viewport={"width": 320, "height": 640})
    for place in places:
        page.goto(place)
        assert page.evaluate("document.documentElement.scrollWidth") == 320, place


def looks_right(page: Page) -> None:
    """In light on a desk and in the dark on a telephone: open to everybody, and nothing runs out at the side.

    A colour knows nothing of a width here, so two looks see what four would.
    """
    was = page.viewport_size or {"width": 1280, "height": 720}
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 700})
        open_to_everybody(page)
        assert page.evaluate("document.documentElement.scrollWidth") == width, page.url
    assert page.evaluate(INLINE) == [], page.url
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(was)


def tab_to(page: Page, what: str) -> None:
    """Go there by the keyboard alone, and see where one is."""
    for _ in range(TABS):
        page.keyboard.press("Tab")
        if page.evaluate("(what) => document.activeElement.matches(what)", what):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", what
            return
    raise AssertionError(f"no key leads to {what} on {page.url}")
