"""The calendar of a public group: an event keeps its UID, its SEQUENCE rises, and cancelled ones stay to say so."""

# ruff: noqa: DTZ001 - a wall time has no zone
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from broker.actor import SYSTEM
from broker.diary import event_book
from broker.diary.events import ToldEvent
from ledger import tables as t
from tests.support.press import Press

LONDON = ZoneInfo("Europe/London")
STARTS = (datetime.now(UTC) + timedelta(days=30)).replace(hour=14, minute=30, second=0, microsecond=0)


@pytest.fixture(autouse=True)
def _ask_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.calendar_feeds.ASK_EVERY", timedelta(seconds=-1))


def told(uid: str, starts: datetime, title: str = "Concert", *, cancelled: bool = False) -> ToldEvent:
    wall = starts.astimezone(LONDON).replace(tzinfo=None)
    ends = starts + timedelta(hours=2)
    return ToldEvent(uid, datetime(2000, 1, 1), wall, starts, ends, title, "Hall; stage", cancelled=cancelled)


def bring(press: Press, *events: ToldEvent, audience: str = "Choir") -> None:
    event_book.bring(press.house.ports, audience, events, department="music", audience=audience, actor=SYSTEM)


def events(press: Press) -> list[object]:
    calendar = Calendar.from_ical(press.get("/feeds/groups/choir.ics").content)
    return list(calendar.walk("VEVENT"))


@pytest.fixture
def choir(press: Press) -> Press:
    press.bring("Choir", "Band", public=("Choir",))
    bring(press, told("a", STARTS), told("b", STARTS + timedelta(days=1), "Caf\u00e9, \u201ctea\u201d"))
    return press


def test_a_public_group_has_a_calendar_in_the_schools_zone(choir: Press) -> None:
    got = choir.get("/feeds/groups/choir.ics")
    assert got.status_code == 200
    assert got.headers["content-type"].startswith("text/calendar")
    first, second = events(choir)
    assert str(first["UID"]).endswith("@st-brides.carillon")  # type: ignore[index]
    assert first["DTSTART"].params["TZID"] == "Europe/London"  # type: ignore[index]
    assert first["DTSTART"].dt == STARTS  # type: ignore[index]
    assert str(first["LOCATION"]) == "Hall; stage"  # type: ignore[index]
    assert str(second["SUMMARY"]) == "Caf\u00e9, \u201ctea\u201d"  # type: ignore[index]
    assert b"BEGIN:VTIMEZONE" in got.content


def test_what_takes_whole_days_is_told_as_days(choir: Press) -> None:
    midnight = (STARTS + timedelta(days=3)).astimezone(LONDON).replace(hour=0, minute=0)
    trip = told("c", midnight.astimezone(UTC), "Trip")
    bring(choir, replace(trip, ends_at=(midnight + timedelta(days=2)).astimezone(UTC)))
    (found,) = [one for one in events(choir) if str(one["SUMMARY"]) == "Trip"]  # type: ignore[index]
    assert found["DTSTART"].dt == midnight.date()  # type: ignore[index]
    assert found["DTEND"].dt == midnight.date() + timedelta(days=2)  # type: ignore[index]


def test_a_moved_one_keeps_its_uid_and_a_cancelled_one_stays_to_say_so(choir: Press) -> None:
    before = {str(one["SUMMARY"]): str(one["UID"]) for one in events(choir)}  # type: ignore[index]
    moved = STARTS + timedelta(days=2)
    bring(choir, told("a", moved), told("b", STARTS + timedelta(days=1), cancelled=True))
    cancelled, first = events(choir)
    assert str(first["UID"]) == before["Concert"]  # type: ignore[index]
    assert (first["SEQUENCE"], first["DTSTART"].dt) == (1, moved)  # type: ignore[index]
    assert (str(cancelled["STATUS"]), cancelled["SEQUENCE"]) == ("CANCELLED", 1)  # type: ignore[index]


def test_words_that_would_be_kept_from_the_public_give_way_to_the_groups_name(choir: Press) -> None:
    words = ["Solo: Ann Bell", "Tea, call 07911 123456", "Concert"]
    bring(choir, *(told(str(n), STARTS + timedelta(days=n), title) for n, title in enumerate(words)))
    shown = [one for one in events(choir) if str(one["STATUS"]) == "CONFIRMED"]  # type: ignore[index]
    assert [str(one["SUMMARY"]) for one in shown] == ["Choir", "Choir", "Concert"]  # type: ignore[index]
    assert ["LOCATION" in one for one in shown] == [False, False, True]  # type: ignore[operator]


def test_whoever_has_it_already_is_told_so(choir: Press) -> None:
    tag = choir.get("/feeds/groups/choir.ics").headers["etag"]
    assert choir.get("/feeds/groups/choir.ics", {"If-None-Match": tag}).status_code == 304
    bring(choir, told("a", STARTS + timedelta(hours=1)), told("b", STARTS + timedelta(days=1)))
    assert choir.get("/feeds/groups/choir.ics", {"If-None-Match": tag}).status_code == 200


def test_whoever_asks_by_date_alone_misses_nothing_that_left_it(choir: Press) -> None:
    later = {"If-Modified-Since": format_datetime(datetime.now(UTC), usegmt=True)}
    assert "Last-Modified" not in choir.get("/feeds/groups/choir.ics").headers
    assert choir.get("/feeds/groups/choir.ics", later).status_code == 200


def test_another_title_alone_is_a_change_of_the_event(choir: Press) -> None:
    earlier = datetime(2026, 1, 2, tzinfo=UTC)
    choir.sql(t.event.update().values(known_at=earlier, changed_at=None))
    titled = told("a", STARTS, "Winter concert"), told("b", STARTS + timedelta(days=1), "Café, “tea”")
    bring(choir, *titled)
    first, second = events(choir)
    assert first["LAST-MODIFIED"].dt > earlier  # type: ignore[index]
    assert first["SEQUENCE"] == 1  # type: ignore[index]
    assert second["LAST-MODIFIED"].dt == earlier  # type: ignore[index]


@pytest.mark.parametrize("name", ["band", "nothing", "choir.ics", "../choir"])
def test_what_is_not_public_and_what_is_not_there_are_the_same(choir: Press, name: str) -> None:
    bring(choir, told("c", STARTS), audience="Band")
    assert choir.get(f"/feeds/groups/{name}.ics").status_code == 404


def test_no_calendar_tells_of_another_groups_events(choir: Press) -> None:
    bring(choir, told("c", STARTS, "Band practice"), audience="Band")
    assert b"Band practice" not in choir.get("/feeds/groups/choir.ics").content
