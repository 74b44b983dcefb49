"""A school that publishes: a real ledger, the real verbs, feeds and pages served over HTTP on loopback."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import update
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from broker import fanout, intake, retract
from broker.actor import SYSTEM
from broker.announcement import Announcement, Draft, Part, People, Step
from broker.brake import Brake, keep_fresh
from broker.dispatch import Process, deliver
from broker.rosters.imports import import_roster
from broker.values import Lane
from config.assembly import House, assemble
from config.settings import Settings, load
from ledger import tables as t
from tests.support.school import SmallSchool
from tests.support.servers import free_port
from web.app import create_app
from web.serve import serving


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the web saw it, and what it answered."""

    agent: str
    path: str
    status: int


class Listening:
    """ASGI middleware that keeps what was asked."""

    def __init__(self, app: ASGIApp, heard: list[Asked]) -> None:
        self._app = app
        self._heard = heard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                agent = Headers(scope=scope).get("user-agent", "")
                self._heard.append(Asked(agent, scope["path"], message["status"]))
            await send(message)

        await self._app(scope, receive, keep)


@dataclass
class Press:
    """A school with feeds, and a reader's view of them."""

    house: House
    settings: Settings
    url: str
    http: httpx2.Client
    brake: Brake
    asked: list[Asked]
    faults: list[Exception] = field(default_factory=list)

    def bring(self, *groups: str, public: tuple[str, ...] = ()) -> None:
        """A pupil in each group, some of which are public."""
        school = SmallSchool()
        school.pupil("Ann", *groups)
        import_roster(self.house.ports, school.roster(), actor=SYSTEM, expect_leaving=None)
        self.sql(update(t.people_group).where(t.people_group.c.name.in_(public)).values(public=True))

    def announce(self, title: str = "Concert", text: str = "It begins at six.", **more: Any) -> Announcement:
        """Accepted, and not planned yet."""
        corrects: Announcement | None = more.pop("corrects", None)
        long: str = more.pop("long", "")
        parts = {Part.TITLE: title, Part.SHORT: text, Part.LONG: long}
        told: dict[str, Any] = {
            "department": "music",
            "audience": "everyone",
            "people": People.GUARDIANS,
            "ways": (Step(("rss",)),),
            "parts": {part: words for part, words in parts.items() if words},
        }
        made = intake.accept(self.house.ports, Draft(**(told | more)), actor=SYSTEM).announcement
        if corrects is not None:
            self.sql(
                update(t.announcement).where(t.announcement.c.id == made.id).values(corrects=corrects.id)
            )
        return made

    def publish(self, *args: Any, **more: Any) -> Announcement:
        """Accepted, planned and sent, by the real verbs."""
        made = self.announce(*args, **more)
        fanout.plan(self.house.ports, made.public_id, actor=SYSTEM)
        self.send()
        return made

    def withdraw(self, announcement: Announcement, *, taken_back: bool = False) -> None:
        intake.withdraw(self.house.ports, announcement.public_id, actor=SYSTEM)
        if taken_back:
            retract.take_back_due(self.house.ports, actor=SYSTEM)

    def send(self, account: str = "feeds", lane: Lane = Lane.ROUTINE) -> int:
        """One worker's turn."""
        self.brake.refresh()
        over = threading.Event()
        reader = threading.Thread(target=keep_fresh, args=(self.brake, over, self.faults.append))
        reader.start()
        try:
            process = Process(self.brake, SYSTEM)
            turn = deliver(self.house.ports, account, lane, process=process, budget=timedelta(seconds=20))
            with ThreadPoolExecutor(1) as aside:  # a browser's loop may run in this thread
                return aside.submit(asyncio.run, turn).result()
        finally:
            over.set()
            reader.join()

    def sql(self, *statements: Any) -> None:
        with self.house.ledger.begin() as tx:
            for statement in statements:
                tx.hand.connection.execute(statement)

    def age(self, by: timedelta = timedelta(minutes=5)) -> None:
        """Let everything have happened so much earlier, that dates can tell it apart."""
        with self.house.ledger.begin() as tx:
            run = tx.hand.connection.execute
            for column in (t.delivery.c.changed_at, t.announcement.c.withdrawn_at):
                rows = run(column.table.select().where(column.is_not(None))).mappings().all()
                for row in rows:
                    moved = {column.name: row[column.name] - by}
                    run(update(column.table).where(column.table.c.id == row["id"]).values(moved))

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> httpx2.Response:
        return self.http.request(method, f"{self.url}{path}", headers=headers)

    def items(self, path: str = "/feeds/st-brides.json") -> dict[UUID, dict[str, Any]]:
        """What stands in a JSON feed, by id."""
        return {UUID(item["id"]): item for item in self.get(path).json()["items"]}


@contextmanager
def a_press(
    database_url: str, home: Path, more: Mapping[str, str] | None = None, /, **account: str
) -> Iterator[Press]:
    """A press over a migrated ledger, with `more` settings, and more for its rss account."""
    port = free_port()
    environ = {
        "CARILLON_DATA_DIR": str(home / "var"),
        "CARILLON_DATABASE_URL": database_url,
        "CARILLON_SANDBOX": "true",
        "CARILLON_SECRET_KEY": "a-secret-of-the-tests-and-of-nobody-else",
        "CARILLON_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CARILLON_SCHOOL__SLUG": "st-brides",
        "CARILLON_SCHOOL__NAME": "St Bride’s & Co",
        "CARILLON_DEPARTMENTS": "music,office",
        "CARILLON_ACCOUNTS__FEEDS__CHANNEL": "rss",
    }
    environ |= more or {}
    environ |= {f"CARILLON_ACCOUNTS__FEEDS__{name.upper()}": value for name, value in account.items()}
    settings = load(environ=environ, env_file=None)
    with assemble(settings, serves=True) as house:
        app, asked = create_app(house.ports, settings), list[Asked]()
        app.add_middleware(Listening, heard=asked)
        with serving(app, "127.0.0.1", port) as url, httpx2.Client(timeout=10, verify=False) as http:
            yield Press(house, settings, url, http, Brake(house.ledger), asked)
