"""What comes from elsewhere: calendars that are read again, the timetable's sources, and what to do about each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from broker.actor import SYSTEM
from broker.diary import subscriptions
from broker.ports.calendar import SubscriptionRow
from tests.support.diary import Diary, send
from tests.support.watching import Serve, Watched

SOURCES = "/watch/calendar/sources"
SECRET = "https://calendar.example.org/private-4711/choir.ics"


def subscribed(watched: Watched, **more: object) -> SubscriptionRow:
    with watched.ledger.look() as tx:
        now = tx.now
    asked = SubscriptionRow(0, "choir", "office", SECRET, "Choir", False, timedelta(hours=1), "Mrs Bell", now)
    row = subscriptions.subscribe(watched.tower.house.ports, asked, actor=SYSTEM)
    with watched.ledger.begin() as tx:
        tx.subscriptions.keep(replace(row, **more))  # type: ignore[arg-type]
    return row


def test_a_calendar_stands_with_its_state_and_never_with_its_secret(watched: Watched) -> None:
    subscribed(watched, why="it answers with nothing that can be read")
    html = watched.get(SOURCES)
    assert "calendar.example.org/…" in html
    assert "4711" not in html
    assert "could not be read the last time" in html
    assert "it answers with nothing that can be read" in html


def test_a_calendar_that_cannot_be_read_now_is_not_kept(watched: Watched) -> None:
    Diary(watched).school_year()
    new = f"{SOURCES}/new"
    asked = {
        "source": "choir",
        "department": "office",
        "url": "http://127.0.0.1/choir.ics",
        "groups": "Choir",
    }
    answer = send(watched, new, page=new, every="1", **asked)
    assert answer.status_code == 422
    assert 'class="wrong"' in answer.text
    with watched.ledger.look() as tx:
        assert not tx.subscriptions.all()
    assert send(watched, new, page=new, **(asked | {"url": "choir.ics"})).status_code == 422
    assert send(watched, new, page=new, **(asked | {"source": ""})).status_code == 422


def test_a_calendar_is_left(watched: Watched) -> None:
    row = subscribed(watched)
    assert send(watched, f"{SOURCES}/{row.id}/leave", page=SOURCES).status_code == 303
    assert "No calendar is read yet" in watched.get(SOURCES)
    assert send(watched, f"{SOURCES}/{row.id}/leave", page="/watch/calendar/schedules/new").status_code == 404


def test_a_timetable_that_waits_says_why_and_is_let_go(serve: Serve) -> None:
    watched = serve(CARILLON_TIMETABLES__UNTIS__TEMPLATE="Timetable")
    watched.tower.bring(3)
    watched.sign_in()
    assert "nothing has come yet" in watched.get(SOURCES)
    with watched.ledger.begin() as tx:
        now = tx.now
        tx.timetables.take_turn("untis", every=timedelta(minutes=5))
        row = tx.timetables.source("untis")
        held = replace(
            row, pushed_at=now, read_at=now, held_at=now, held_count=80, held_why="80 changes at once"
        )
        tx.timetables.keep_source(held)
    html = watched.get(SOURCES)
    assert "80 changes at once" in html
    assert "Let 80 changes go" in html
    assert "not approved" in html
    released = "/watch/calendar/timetable/untis/release"
    assert send(watched, released, page=SOURCES).status_code == 303
    assert "let go: it is told with the next reading" in watched.get(SOURCES)
    assert send(watched, "/watch/calendar/timetable/other/release", page=SOURCES).status_code == 404
