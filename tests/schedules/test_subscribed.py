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
from broker.diary import event_book, subscriptions
from broker.diary.event_book import Brought
from broker.diary.events import ALONE, ToldEvent
from broker.errors import NotFound, NotToBeChanged, UnknownAudience
from broker.ports.calendar import SubscriptionRow
from broker.testing.clock import PretendClock
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


def read_again(world: World, there: Elsewhere, data: bytes) -> Brought | None:
    """The calendar as it is now, read by the worker."""
    there.data, there.etag = data, f'"{len(there.asked)}"'
    due_again(world)
    return next(iter(room(world).read_due()), None)


@pytest.mark.parametrize("broken", [f"LOCATION:{'a' * 201}\r\nDTSTART:", "DTSTART;TZID=Nowhere:"])
def test_what_cannot_be_read_is_not_taken_for_gone(world: World, elsewhere: Elsewhere, broken: str) -> None:
    subscribe(world, elsewhere)
    room(world).read_due()
    lines = elsewhere.data.decode().replace("DTSTART:", broken, 1)
    if "TZID" in broken:
        lines = lines.replace("Z\r\n", "\r\n", 1)
    brought = read_again(world, elsewhere, lines.encode())
    assert brought is not None
    assert (brought.cancelled, titles(world)) == (0, ["Choir"] * 3)
    assert subscriptions.UNREADABLE in alarms(world)
    brought = read_again(world, elsewhere, ics(4, 5))
    assert brought is not None
    assert brought.cancelled == 1


def test_one_of_a_series_that_cannot_be_read_does_not_spring_back(world: World, elsewhere: Elsewhere) -> None:
    first = (datetime.now(UTC) + timedelta(days=3)).replace(hour=12, minute=0, second=0)
    series = ics(3).decode().replace("UID:3", "UID:3\r\nRRULE:FREQ=DAILY;COUNT=3")
    moved = f"RECURRENCE-ID:{first:%Y%m%dT%H%M%SZ}\r\nDTSTART:{first:%Y%m%d}T170000Z\r\nLOCATION:%s"
    both = series.replace("END:VCALENDAR", f"BEGIN:VEVENT\r\nUID:3\r\n{moved}\r\nEND:VEVENT\r\nEND:VCALENDAR")
    elsewhere.data = (both % "Hall").encode()
    subscribe(world, elsewhere)
    room(world).read_due()
    before = world.rows(select(t.event.c.starts_at))
    assert first.replace(hour=17, microsecond=0) in {row.starts_at for row in before}
    brought = read_again(world, elsewhere, (both % ("a" * 201)).encode())
    assert brought == Brought()
    assert world.rows(select(t.event.c.starts_at)) == before


def bring(world: World, *told: ToldEvent, department: str = "music", in_term: bool = False) -> Brought:
    return event_book.bring(
        world.ports, "choir.ics", told, department=department, audience="Choir", in_term=in_term, actor=BELL
    )


def told(uid: str, starts: datetime, original: datetime = ALONE) -> ToldEvent:
    wall = starts.replace(tzinfo=None)
    return ToldEvent(uid, original, wall, starts, starts + timedelta(hours=1), "Choir", "Hall")


def test_a_known_event_stays_while_nobody_knows_what_kind_of_day_it_falls_on(clocked: World) -> None:
    beyond = datetime(2027, 9, 3, 14, tzinfo=UTC)  # no term is known that far
    bring(clocked, told("a", beyond))
    again = bring(clocked, told("a", beyond), told("b", beyond), in_term=True)
    assert again == Brought(unchanged=1, left_out=1)
    assert bring(clocked, in_term=True).cancelled == 1


def test_one_that_is_past_and_is_moved_to_next_week_is_known_again(
    clocked: World, clock: PretendClock
) -> None:
    starts = clock.now + timedelta(hours=1)
    bring(clocked, told("a", starts))
    clock.advance(timedelta(days=1))
    assert bring(clocked) == Brought()  # it took place: it is not gone
    assert bring(clocked, told("a", starts + timedelta(days=7))) == Brought(moved=1)


def test_a_calendar_that_nobody_foresaw_is_told_and_stops_no_other(
    world: World, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumbles(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    subscribe(world, elsewhere)
    subscribe(world, elsewhere, name="band")
    monkeypatch.setattr("config.calendars.events_of_ics", stumbles)
    assert room(world).read_due() == []
    assert len(elsewhere.asked) == 2
    assert alarms(world) == {subscriptions.UNREADABLE}


def test_another_departments_calendar_of_the_same_name_is_left_alone(
    clocked: World, clock: PretendClock
) -> None:
    bring(clocked, told("a", clock.now + timedelta(days=3)))
    with pytest.raises(NotToBeChanged) as refused:
        bring(clocked, told("b", clock.now + timedelta(days=4)), department="office")
    assert refused.value.problem.code == "source_taken"
    assert titles(clocked) == ["Choir"]


def test_a_series_that_is_moved_whole_is_moved_and_neither_cancelled_nor_new(
    clocked: World, clock: PretendClock
) -> None:
    def weekly(hour: int) -> list[ToldEvent]:
        starts = [datetime(2026, 9, 8, hour, tzinfo=UTC) + timedelta(days=7 * week) for week in range(6)]
        return [told("a", one, one.replace(tzinfo=None)) for one in starts]

    bring(clocked, *weekly(14))
    before = clocked.rows(select(t.event.c.public_id))
    assert bring(clocked, *weekly(15)) == Brought(moved=6)
    assert clocked.rows(select(t.event.c.public_id)) == before
    assert bring(clocked, *weekly(15)) == Brought(unchanged=6)
    alone = told("a", datetime(2026, 9, 8, 16, tzinfo=UTC))  # now it is no series any more
    assert bring(clocked, alone) == Brought(moved=1, cancelled=5)


def test_a_series_that_is_moved_to_another_weekday_is_moved_too(clocked: World, clock: PretendClock) -> None:
    def weekly(first: datetime, uid: str = "a") -> list[ToldEvent]:
        starts = [first + timedelta(days=7 * week) for week in range(6)]
        return [told(uid, one, one.replace(tzinfo=None)) for one in starts]

    tuesday, thursday = datetime(2026, 9, 8, 14, tzinfo=UTC), datetime(2026, 9, 10, 14, tzinfo=UTC)
    bring(clocked, *weekly(tuesday), *weekly(thursday))
    before = clocked.rows(select(t.event.c.public_id))
    friday = thursday + timedelta(days=1)
    assert bring(clocked, *weekly(tuesday), *weekly(friday)) == Brought(moved=6, unchanged=6)
    assert clocked.rows(select(t.event.c.public_id)) == before
    # Another series is another, and what is gone of it is cancelled.
    assert bring(clocked, *weekly(tuesday), *weekly(thursday, "b")) == Brought(
        new=6, cancelled=6, unchanged=6
    )
