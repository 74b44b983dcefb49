"""Subscribed calendars: asked only for what changed, bounded, and an alarm for one that is silent or talks nonsense."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select

from broker.actor import Actor, ActorKind
from broker.diary import subscriptions
from broker.errors import NotFound, NotToBeChanged, UnknownAudience
from broker.ports.calendar import SubscriptionRow
from config.calendars import FETCHING, CalendarRoom
from ledger import tables as t
from tests.support.broker_world import World

BELL = Actor(ActorKind.PERSON, "Mrs Bell")
HERE = replace(FETCHING, timeout=timedelta(seconds=2), may_ask=lambda address: str(address) == "127.0.0.1")


def ics(*days: int, title: str = "Choir") -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0"]
    for day in days:
        at = datetime.now(UTC).replace(hour=12, minute=0, second=0) + timedelta(days=day)
        lines += [
            "BEGIN:VEVENT",
            f"UID:{day}",
            f"SUMMARY:{title}",
            f"DTSTART:{at:%Y%m%dT%H%M%SZ}",
            "END:VEVENT",
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


@dataclass
class Elsewhere:
    """Somebody else's server: what it holds, and how it was asked."""

    data: bytes = b""
    status: int = 200
    etag: str = '"one"'
    asked: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    there = Elsewhere(ics(3, 4, 5))

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers.get("If-None-Match", "")
            there.asked.append(known)
            status = 304 if known == there.etag and there.status == 200 else there.status
            self.send_response(status)
            self.send_header("ETag", there.etag)
            self.end_headers()
            if status == 200:
                self.wfile.write(there.data)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    there.url = f"http://127.0.0.1:{server.server_address[1]}/choir.ics"
    yield there
    server.shutdown()
    server.server_close()


def subscribe(world: World, there: Elsewhere, **changes: object) -> SubscriptionRow:
    now = datetime.now(UTC)
    row = SubscriptionRow(0, "choir", "music", there.url, "Choir", False, timedelta(hours=1), "", now)
    return subscriptions.subscribe(world.ports, replace(row, **changes), actor=BELL)  # type: ignore[arg-type]


def room(world: World) -> CalendarRoom:
    return CalendarRoom(world.ports, "Europe/London", limits=HERE)


def due_again(world: World) -> None:
    world.sql("UPDATE calendar_subscription SET tried_at = NULL")


def titles(world: World) -> list[str]:
    return [row.title for row in world.rows(select(t.event).where(t.event.c.cancelled_at.is_(None)))]


def alarms(world: World) -> set[str]:
    return {row.kind for row in world.rows(select(t.alarm).where(t.alarm.c.cleared_at.is_(None)))}


def test_it_is_read_in_turn_and_asked_only_for_what_changed(world: World, elsewhere: Elsewhere) -> None:
    subscribe(world, elsewhere)
    (brought,) = room(world).read_due()
    assert (brought.new, titles(world)) == (3, ["Choir"] * 3)
    assert room(world).read_due() == []  # its turn is in an hour
    due_again(world)
    assert [one.new for one in room(world).read_due()] == [0]
    assert elsewhere.asked == ["", '"one"']
    elsewhere.data, elsewhere.etag = ics(3, 4, title="Concert"), '"two"'
    due_again(world)
    room(world).read_due()
    assert titles(world) == ["Concert", "Concert"]


def test_two_workers_read_it_once(world: World, elsewhere: Elsewhere) -> None:
    subscribe(world, elsewhere)
    threads = [threading.Thread(target=room(world).read_due) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert elsewhere.asked == [""]


def test_what_talks_nonsense_changes_nothing_and_is_told_at_once(world: World, elsewhere: Elsewhere) -> None:
    subscribe(world, elsewhere)
    room(world).read_due()
    for nonsense in (b"<html>Sign in</html>", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", b"\0" * 100):
        elsewhere.data, elsewhere.etag = nonsense, f'"{len(nonsense)}"'
        due_again(world)
        assert room(world).read_due() == []
        assert titles(world) == ["Choir"] * 3
        assert subscriptions.UNREADABLE in alarms(world)
    elsewhere.data, elsewhere.etag = ics(3, 4, 5), '"well"'
    due_again(world)
    room(world).read_due()
    assert subscriptions.UNREADABLE not in alarms(world)


def test_a_bad_hour_is_nothing_and_a_silent_day_is_an_alarm(world: World, elsewhere: Elsewhere) -> None:
    subscribe(world, elsewhere)
    room(world).read_due()
    elsewhere.status = 503
    due_again(world)
    assert room(world).read_due() == []
    assert alarms(world) == set()
    with world.ledger.look() as tx:
        assert tx.subscriptions.all()[0].why == "it answered 503"
    world.pass_time(timedelta(hours=26))
    due_again(world)
    room(world).read_due()
    assert alarms(world) == {subscriptions.SILENT}
    elsewhere.status = 200
    due_again(world)
    room(world).read_due()
    assert alarms(world) == set()


def test_one_of_the_schools_own_network_is_never_asked(world: World, elsewhere: Elsewhere) -> None:
    subscribe(world, elsewhere)
    assert CalendarRoom(world.ports, "Europe/London").read_due() == []
    assert elsewhere.asked == []
    assert subscriptions.UNREADABLE in alarms(world)


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"every": timedelta(seconds=1)}, NotToBeChanged),
        ({"department": "nobody"}, NotToBeChanged),
        ({"audience": "Nobody"}, UnknownAudience),
    ],
)
def test_what_cannot_be_meant_is_not_subscribed_to(
    world: World, elsewhere: Elsewhere, changes: dict[str, object], refused: type[Exception]
) -> None:
    with pytest.raises(refused):
        subscribe(world, elsewhere, **changes)
    with world.ledger.look() as tx:
        assert tx.subscriptions.all() == []


def test_a_name_is_taken_once_and_free_again(world: World, elsewhere: Elsewhere) -> None:
    subscribe(world, elsewhere)
    with pytest.raises(NotToBeChanged):
        subscribe(world, elsewhere)
    subscriptions.unsubscribe(world.ports, "choir", actor=BELL)
    with pytest.raises(NotFound):
        subscriptions.unsubscribe(world.ports, "choir", actor=BELL)
    subscribe(world, elsewhere)
