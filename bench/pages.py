"""What the dashboard answers in, on a ledger of a million deliveries: `python -m bench.pages [SIZE]`.

A session of somebody who may see everything goes wherever a link leads and meets each kind of page once; then every
page has its turn in each round. The web is a process of its own. Statements are counted where they go out. `--sqlite`
takes that in place of PostgreSQL. With `--browser` each page is opened cold in a real one: what it weighs, and how
soon it can be used.
"""

from __future__ import annotations

import http.client
import json
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from math import ceil
from statistics import median
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser
from sqlalchemy import event, insert, literal, select, update
from starlette.testclient import TestClient

from bench.ground import ACTOR, Ground, ground, group_of
from bench.player import Player
from broker import sweep
from broker.actor import Actor, ActorKind
from broker.announcement import Announcement, Draft, Part, People, Step
from broker.authority import operators, signin
from broker.diary import event_book, schedules, terms
from broker.diary.calendar import Span, SpanKind
from broker.diary.events import ALONE, ToldEvent
from broker.diary.recurrence import Pattern
from broker.diary.recurrence_rule import read_rule
from broker.office import templates
from broker.ports.approvals import OperatorRole
from config.assembly import House
from ledger import tables as t
from tests.support.browser import running_browser
from tests.support.walk import Frontier, kind_of
from web.app import create_app

SIZE, FAMILIES, SAID, FEW = 1_000_000, 25_000, 5_000, 20
GROUPS = (*range(25, 125), *range(1_900, 1_913))  # clubs and years, beside the group of all
EVENTS, SCHEDULES, TEMPLATES = 600, 60, 40
ROUNDS, WARM = 40, 3
POSTGRES_MS, SQLITE_MS, STATEMENTS = 50.0, 100.0, 12
COLD_KB, USABLE_S = 150, 1.0
DEPARTMENTS = {"office": "Office", "music": "Music", "sport": "Sport"}
YEAR, LASTS = timedelta(days=330), timedelta(days=1)
WATCHER = Actor(ActorKind.PERSON, "Bench")
LINK = re.compile(r'<a\b[^>]*\bhref="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Opened:
    """One kind of page: milliseconds of each turn, statements, bytes of its HTML; cold: KB, and seconds till usable."""

    kind: str
    ms: Sequence[float]
    statements: int
    size: int
    cold_kb: float = 0.0
    usable_s: float = 0.0

    @property
    def p95(self) -> float:
        """The time within which 95 of 100 were answered."""
        return sorted(self.ms)[ceil(0.95 * len(self.ms)) - 1]

    def missed(self, most_ms: float) -> bool:
        """Whether it took longer, or asked more, than a page may."""
        slow = self.p95 > most_ms or self.statements > STATEMENTS
        return slow or self.cold_kb > COLD_KB or self.usable_s > USABLE_S

    def told(self, most_ms: float) -> str:
        """For a list."""
        cold = f", {self.cold_kb:.0f} KB cold, usable in {self.usable_s:.2f} s" if self.cold_kb else ""
        return (
            f"{self.kind}: {median(self.ms):.1f} ms (p50), {self.p95:.1f} ms (p95), {self.statements} statements,"
            f" {self.size / 1024:.0f} KB{cold}{'  <- missed' if self.missed(most_ms) else ''}"
        )


def main() -> None:
    """Measure and tell."""
    size = next((int(word) for word in sys.argv[1:] if word.isdigit()), SIZE)
    sqlite = "--sqlite" in sys.argv
    with ground([10]) as here:
        opened = run(here, size, sqlite=sqlite, browser="--browser" in sys.argv)
    most = SQLITE_MS if sqlite else POSTGRES_MS
    if "--json" in sys.argv:
        print(json.dumps({one.kind: [round(one.p95, 1), one.statements, one.size] for one in opened}))
        return
    for one in sorted(opened, key=lambda one: -one.p95):
        print(one.told(most))
    late = sum(one.missed(most) for one in opened)
    print(f"{len(opened)} kinds of page, {late} of them missed; the median of them {_middle(opened):.1f} ms")


def run(here: Ground, size: int, *, sqlite: bool = False, browser: bool = False) -> Sequence[Opened]:
    """Make the ledger, walk, measure."""
    url = f"sqlite:///{here.folder / 'pages.sqlite3'}" if sqlite else here.postgres.fresh()
    values = {**here.settings(url), "departments": DEPARTMENTS}
    began = time.monotonic()
    with _school(here, values, size) as house:
        print(f"{size:,} deliveries stand there after {time.monotonic() - began:.0f} s", file=sys.stderr)
        with Player("web", **values) as web, _line(web.play()["url"]) as line:
            line.sign_in(house)
            pages = _walk(line)
            taken: dict[str, list[float]] = {kind: [] for kind in pages}
            sizes: dict[str, int] = {}
            for turn in range(ROUNDS + WARM):
                for kind, address in pages.items():
                    took, html = line.open(address)
                    sizes[kind] = len(html)
                    if turn >= WARM:
                        taken[kind].append(took)
            counted = _statements(house, line.cookie, pages)
            cold = _cold(line, pages) if browser else {}
    return [Opened(kind, taken[kind], counted[kind], sizes[kind], *cold.get(kind, ())) for kind in pages]


def _school(here: Ground, values: Mapping[str, Any], size: int) -> House:
    """Half of all deliveries are of a few large announcements, half of the announcements are small; over a year."""
    families = min(FAMILIES, size // 4)
    few = [size for size in GROUPS if size < families]
    school = here.school_of(values, [FEW, *few, families])
    house = school.house
    sizes = [FEW] * min(SAID, size // FEW // 4)
    large = (size - sum(sizes)) // families
    for n in range(large):  # evenly among the small ones
        sizes.insert((n + 1) * len(sizes) // (large + 1), families)
    now = datetime.now(UTC)
    for n, people in enumerate(sizes):
        said = school.accepted("sms", people, department=("office", "music", "sport")[n % 3])
        school.plan(said)
        _settle(house, said, people, now - YEAR * (len(sizes) - n) / len(sizes))
    operators.add(house.ports, WATCHER.id, frozenset(OperatorRole), None, actor=ACTOR)
    _diary(house, [group_of(size) for size in (FEW, *few)], now)
    while any(
        sweep.run(house.ports, actor=ACTOR).done.get(chore) for chore in ("folded", "figures", "counted")
    ):
        pass
    with house.ledger.engine.connect() as connection:
        vacuum = "ANALYZE" if house.settings.sqlite else "VACUUM ANALYZE"
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(vacuum)
    return house


def _diary(house: House, groups: Sequence[str], now: datetime) -> None:
    """A year's events, what goes out again and again, and what somebody wrote to be used again."""
    zone = ZoneInfo("Europe/London")
    told = []
    for n in range(EVENTS):
        wall = (now.astimezone(zone) + timedelta(days=n % 180 - 30)).replace(
            hour=9 + n % 9, minute=0, second=0, microsecond=0, tzinfo=None
        )
        starts = wall.replace(tzinfo=zone).astimezone(UTC)
        group = groups[n % len(groups)]
        told.append(
            ToldEvent(
                f"e{n}",
                ALONE,
                wall,
                starts,
                starts + timedelta(hours=1),
                f"Rehearsal {n}",
                "Hall",
                group=group,
            )
        )
    monday = now.date() - timedelta(days=now.weekday() + 42)
    term = Span(SpanKind.TERM, "This term", monday, monday + timedelta(weeks=14))
    terms.bring(house.ports, [term], actor=ACTOR)
    event_book.bring(house.ports, "calendar", told, department="music", audience=groups[0], actor=ACTOR)
    starts = now.astimezone(zone).replace(hour=8, minute=0, second=0, microsecond=0, tzinfo=None)
    weekly = Pattern(starts, zone.key, read_rule("FREQ=WEEKLY", zone=zone.key, starts=starts))
    parts = {
        Part.TITLE: "Rehearsal",
        Part.SHORT: "The rehearsal is at half past three.",
        Part.LONG: "In the hall.",
    }
    for n in range(SCHEDULES):
        draft = Draft("music", groups[n % len(groups)], People.GUARDIANS, (Step(("sms",)),), parts)
        schedules.save(house.ports, f"Reminder {n}", draft, weekly, lasts=LASTS, actor=ACTOR)
    for n in range(TEMPLATES):
        templates.save(house.ports, "office", f"Template {n}", parts, actor=ACTOR)


def _settle(house: House, said: Announcement, people: int, at: datetime) -> None:
    """As it looks once it was sent, some time ago."""
    told, delivery, tally = t.announcement, t.delivery, t.tally
    mine = delivery.c.announcement_id == said.id
    with house.ledger.begin() as tx:
        run = tx.hand.connection.execute
        run(
            update(delivery)
            .where(mine)
            .values(state="sent", fence=1, created_at=at, changed_at=at, due_at=at)
        )
        outcome = {"outcome": "accept", "evidence": "sent", "gateway": "twilio", "digest": "0" * 64}
        columns = ("delivery_id", "fence", "account_id", "started_at", "ended_at", *outcome)
        found = select(
            delivery.c.id,
            literal(1),
            delivery.c.account_id,
            literal(at, delivery.c.changed_at.type),
            literal(at, delivery.c.changed_at.type),
            *map(literal, outcome.values()),
        ).where(mine)
        run(insert(t.attempt).from_select(columns, found))
        moved = {"announcement_id": said.id, "channel": "sms"}
        run(
            insert(tally),
            [{**moved, "state": "queued", "n": -people}, {**moved, "state": "sent", "n": people}],
        )
        over = {"accepted_at": at, "due_at": at, "fanned_out_at": at, "expires_at": at + LASTS}
        run(update(told).where(told.c.id == said.id).values(over))


@dataclass
class _Line:
    """One kept connection of somebody who is signed in."""

    url: str
    connection: http.client.HTTPConnection
    cookie: str = ""

    def sign_in(self, house: House) -> None:
        """By a link, as the command makes one."""
        link = signin.make_link(house.ports, actor=WATCHER)
        headers = {"Origin": self.url, "Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request("POST", "/watch/sign-in", urlencode({"link": link}), headers)
        answer = self.connection.getresponse()
        answer.read()
        kept = [
            value.partition(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"
        ]
        self.cookie = "; ".join(kept)

    def open(self, address: str) -> tuple[float, str]:
        """Milliseconds until the whole page is there, and the page. Raises AssertionError for what is none."""
        began = time.perf_counter()
        self.connection.request("GET", address, headers={"Cookie": self.cookie})
        answer = self.connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status >= 500:
            raise AssertionError(f"{address} answered {answer.status}")
        html = "text/html" in (answer.getheader("content-type") or "") and answer.status == 200
        return took, body.decode() if html else ""


@contextmanager
def _line(url: str) -> Iterator[_Line]:
    at = urlsplit(url)
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=60)
    try:
        yield _Line(f"{at.scheme}://{at.netloc}", connection)
    finally:
        connection.close()


def _walk(line: _Line) -> Mapping[str, str]:
    """Kind of page → one address of it."""
    found, frontier = {}, Frontier()
    for address in frontier:
        _, html = line.open(address)
        if html:
            found[kind_of(address)] = address
            frontier.meet(f"{line.url}{address}", (unescape(link) for link in LINK.findall(html)))
    return found


def _statements(house: House, cookie: str, pages: Mapping[str, str]) -> Mapping[str, int]:
    """How many each page takes, once what is kept for a while has been asked for."""
    client = TestClient(create_app(house.ports, house.settings))
    told: list[str] = []

    def tell(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.startswith("BEGIN"):  # which SQLite is told in words, and others by their driver
            told.append(statement)

    counted = {}
    for kind, address in pages.items():
        client.get(address, headers={"Cookie": cookie})
        told.clear()
        event.listen(house.ledger.engine, "before_cursor_execute", tell)
        try:
            client.get(address, headers={"Cookie": cookie})
        finally:
            event.remove(house.ledger.engine, "before_cursor_execute", tell)
        counted[kind] = len(told)
    return counted


def _cold(line: _Line, pages: Mapping[str, str]) -> Mapping[str, tuple[float, float]]:
    """Each page in a browser that knows nothing yet: KB that came over the line, seconds until it can be used."""
    with running_browser() as browser:
        return {kind: _cold_of(browser, line, address) for kind, address in pages.items()}


def _cold_of(browser: Browser, line: _Line, address: str) -> tuple[float, float]:
    context = browser.new_context()
    name, _, value = line.cookie.partition("; ")[0].partition("=")
    context.add_cookies([{"name": name, "value": value, "url": line.url}])
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
    page.goto(f"{line.url}{address}", wait_until="load")
    timing: dict[str, Any] = page.evaluate(
        "performance.getEntriesByType('navigation')[0].toJSON()"  # domInteractive: it can be read and used
    )
    context.close()
    return sum(sizes) / 1024, timing["domContentLoadedEventEnd"] / 1000


def _middle(opened: Sequence[Opened]) -> float:
    return median(median(one.ms) for one in opened)


if __name__ == "__main__":
    main()
