"""A walk over the dashboard as one of the staff: every kind of page that a link leads to, once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

from playwright.sync_api import Error, Page

IDS = re.compile(r"(?<=/)(?:[0-9a-f-]{36}|\d+|[A-Za-z0-9_-]{22,})(?=/|$)")
NAMES = re.compile(r"(?<=/watch/)(rules/[a-z_]+\.[a-z_]+|(?:accounts|budgets)/[^/]+)")
DAYS = re.compile(r"\d{4}-\d{2}(?:-\d{2})?")
MOST = 400  # kinds: more would be links that never end
# What is no page: it ends the session, is a stream or a sheet with a policy of its own.
NOT_OURS = re.compile(
    r"^/(?:watch/(?:events|static/|sign-in|sign-out)|account/(?:codes|with)"
    r"|watch/(?:letter|accounts/[^/]+/licence)/print)"
)
OURS = re.compile(r"^/(?:watch|account)(?:[/?]|$)")


def kind_of(address: str) -> str:
    """What an address has in common with those of its kind: ids, names and days stand for any of them."""
    parts = urlsplit(address)
    path = NAMES.sub(lambda met: met[0].partition("/")[0] + "/NAME", parts.path)
    path = DAYS.sub("DAY", IDS.sub("ID", path))
    names = ",".join(sorted({name for name, value in parse_qsl(parts.query) if value and name != "done"}))
    return f"{path}?{names}" if names else path


@dataclass
class Frontier:
    """The kinds of page that were met, and one address of each that is still to be opened, in the order met."""

    waiting: list[str] = field(default_factory=lambda: ["/watch"])
    met: set[str] = field(default_factory=lambda: {"/watch"})

    def __iter__(self) -> Iterator[str]:
        while self.waiting:
            yield self.waiting.pop(0)

    def meet(self, here: str, links: Iterable[str]) -> None:
        """Take the links of a page, whose whole address is `here`."""
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(here))
        for link in links:
            there = urldefrag(urljoin(here, link)).url
            path = there.removeprefix(origin)
            if not there.startswith(origin) or not OURS.match(path) or NOT_OURS.match(path):
                continue
            kind = kind_of(path)
            if kind not in self.met and len(self.met) < MOST:
                self.met.add(kind)
                self.waiting.append(path)


def walk(page: Page, url: str) -> Iterator[tuple[str, int]]:
    """Go wherever a link leads, breadth first; each new kind of page as (its kind, its status), with it open."""
    frontier = Frontier()
    for address in frontier:
        try:
            answer = page.goto(url + address)
        except Error as refused:
            if "Download is starting" in refused.message:  # a file is no page
                continue
            raise
        assert answer is not None, address
        yield kind_of(address), answer.status
        if "text/html" in answer.headers.get("content-type", ""):
            links = page.eval_on_selector_all("a[href]", "all => all.map((a) => a.getAttribute('href'))")
            frontier.meet(page.url, links)
