"""A school with one bell, its pages served on loopback, and somebody who may look at them."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import httpx2
from fastapi import FastAPI
from sqlalchemy import select

from broker import fanout
from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Announcement, Draft, Part, People, Step
from broker.authority import shown_once, signin
from broker.delivery import State
from broker.intake import accept
from broker.record import Entry
from broker.values import Move
from ledger import tables as t
from ledger.connect import Ledger
from tests.support.tower import Tower
from web.watch.hub import Hub

BELL = Actor(ActorKind.PERSON, "Mrs Bell")


def client_of(url: str, **more: Any) -> httpx2.Client:
    """Of pages on loopback, in plain text: to read the authorities that a client believes takes it 20 ms."""
    return httpx2.Client(base_url=url, verify=False, **{"timeout": 10, **more})


@dataclass
class Watched:
    """The tower, where its pages are, and a browser's client."""

    tower: Tower
    url: str
    hub: Hub
    client: httpx2.Client
    app: FastAPI

    @property
    def ledger(self) -> Ledger:
        return self.tower.house.ledger

    @property
    def session(self) -> bytes:
        """What the ledger knows the client's session by."""
        return shown_once.digest(self.client.cookies["carillon"])

    def link(self, actor: Actor = BELL) -> str:
        return signin.make_link(self.tower.house.ports, actor=actor)

    def sign_in(self, client: httpx2.Client | None = None, actor: Actor = BELL) -> httpx2.Response:
        """As a browser does it."""
        asked = {"link": self.link(actor)}
        client = client or self.client
        answer = client.post("/watch/sign-in", data=asked, headers={"Origin": self.url})
        assert answer.status_code == 303, answer.text
        return answer

    def get(self, path: str = "/watch", status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    def announce(
        self, title: str = "Coach", audience: str = "everyone", ways: tuple[str, ...] = ("bell",)
    ) -> Announcement:
        draft = Draft(
            department="office",
            audience=audience,
            people=People.GUARDIANS,
            ways=(Step(ways),),
            parts={Part.TITLE: title, Part.SHORT: "The coach leaves at eight."},
        )
        return accept(self.tower.house.ports, draft, actor=SYSTEM).announcement

    def plan(self, announcement: Announcement) -> Announcement:
        fanout.plan(self.tower.house.ports, announcement.public_id, actor=SYSTEM)
        return announcement

    def move(
        self, announcement: Announcement, state: State, count: int = 1, code: str = "", why: str = ""
    ) -> None:
        """Let so many queued deliveries come to a state, with tallies and record as the verbs write them."""
        d = t.delivery.c
        queued = select(d.id, d.channel).where(
            d.announcement_id == announcement.id, d.state == State.QUEUED.value
        )
        with self.ledger.begin() as tx:
            rows = tx.hand.connection.execute(queued.order_by(d.id).limit(count)).all()
            moves = [
                Move(row.id, announcement.id, row.channel, State.QUEUED, "test", state, code=code, why=why)
                for row in rows
            ]
            tx.moves.move(moves)
            tx.record.add([Entry("deliveries.moved", SYSTEM, {}, announcement.id)])
        assert len(moves) == count


Serve = Callable[..., Watched]


@dataclass
class Stream:
    """Server-sent events as they come, each with the monotonic time at which it came."""

    events: queue.Queue[Event] = field(default_factory=queue.Queue)
    ended: threading.Event = field(default_factory=threading.Event)

    def next(self, within: float = 15.0) -> Event:
        return self.events.get(timeout=within)

    def until(self, text: str, within: float = 15.0) -> Event:
        """The first event that holds this text."""
        limit = time.monotonic() + within
        while True:
            event = self.next(max(0.01, limit - time.monotonic()))
            if text in event.data:
                return event

    def silent(self, seconds: float) -> bool:
        try:
            self.events.get(timeout=seconds)
        except queue.Empty:
            return True
        return False


@dataclass
class Event:
    name: str
    id: str
    data: str
    at: float


@contextmanager
def streaming(watched: Watched, of: str = "", last: str = "") -> Iterator[Stream]:
    """Watch while the block runs."""
    stream, place = Stream(), urlsplit(watched.url)
    line = HTTPConnection(str(place.hostname), place.port, timeout=20)
    headers = {"Cookie": f"carillon={watched.client.cookies['carillon']}", "Last-Event-ID": last}
    line.request("GET", f"/watch/events{of}", headers=headers)
    answer, kept = line.getresponse(), line.sock
    assert answer.status == 200, answer.status
    reader = threading.Thread(target=_read, args=(answer, stream), daemon=True)
    reader.start()
    try:
        yield stream
    finally:
        with suppress(OSError):
            kept.shutdown(socket.SHUT_RDWR)  # closing alone would leave the reader waiting
        reader.join(20)
        answer.close()
        line.close()
        kept.close()


def _read(answer: HTTPResponse, stream: Stream) -> None:
    fields: dict[str, list[str]] = {}
    with suppress(OSError, HTTPException):
        while line := answer.readline().decode():
            name, _, value = line.rstrip("\n").partition(":")
            if name:
                fields.setdefault(name, []).append(value.removeprefix(" "))
                continue
            if "event" in fields:
                told, ids = "\n".join(fields.get("data", [])), fields.get("id", [""])
                stream.events.put(Event(fields["event"][0], ids[0], told, time.monotonic()))
            fields = {}
    stream.ended.set()
