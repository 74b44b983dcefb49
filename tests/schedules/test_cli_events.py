"""docs/recipes/music-department.md, walked: events out of a table, reminders, one moved and one cancelled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.diary.subscriptions import masked
from tests.cli.conftest import *  # noqa: F403 - a shell and a small school

pytestmark = pytest.mark.runs_on("sqlite")
DAY = datetime.now(UTC).date() + timedelta(days=20)


@pytest.fixture
def music(school: Any, tmp_path: Path) -> Any:
    file = tmp_path / "concerts.csv"
    file.write_text(
        "title,begins,ends,place,group\n"
        f"Concert,{DAY} 19:00,{DAY} 21:00,Hall,Choir\n"
        f"Trip,{DAY + timedelta(days=3)} 08:00,,Coach park,Choir\n"
    )

    def run(*arguments: str) -> Any:
        return school(*(str(file) if one == "FILE" else one for one in arguments))

    ran = run("events", "import", "FILE", "--to", "Choir", "--department", "music", "--json")
    assert ran.code == 0, ran.out
    assert (ran.json["new"], ran.json["problems"]) == (2, 0)
    return run


def test_events_are_listed_moved_and_cancelled(music: Any) -> None:
    listed = music("events", "--json").json["events"]
    assert [(one["title"], one["place"], one["to"]) for one in listed] == [
        ("Concert", "Hall", "Choir"),
        ("Trip", "Coach park", "Choir"),
    ]
    first = listed[0]["id"]
    moved = music("events", "move", first, "--to", f"{DAY} 19:30", "--place", "Chapel", "--json").json
    assert (moved["place"], moved["sequence"]) == ("Chapel", 1)
    for place in ("Hall\nCall 07700 900123", "x" * 201):
        unmeant = music("events", "move", first, "--to", f"{DAY} 19:30", "--place", place, "--json")
        assert (unmeant.error["code"], unmeant.error["field"]) == ("bad_text", "place")
    assert music("events", "cancel", listed[1]["id"], "--json").json == {"cancelled": True}
    assert music("events", "cancel", listed[1]["id"], "--json").json == {"cancelled": False}
    assert "cancelled" in music("events").out


def test_one_event_is_typed_in(music: Any) -> None:
    starts = f"{DAY + timedelta(days=1)} 19:00"
    typed = (
        "events",
        "add",
        "Tea",
        "--to",
        "Choir",
        "--starts",
        starts,
        "--place",
        "Hall",
        "--department",
        "music",
    )
    assert music(*typed, "--json").json["title"] == "Tea"
    assert [one["title"] for one in music("events", "--json").json["events"]] == ["Concert", "Tea", "Trip"]
    past = music("events", "add", "Tea", "--to", "Choir", "--starts", "2020-01-07 19:00", "--json")
    assert past.error["code"] == "past"
    backwards = music(*typed, "--ends", f"{DAY} 19:00", "--json")
    assert backwards.error["code"] == "ends_first"


def test_a_calendar_brought_again_changes_nothing(music: Any) -> None:
    again = music("events", "import", "FILE", "--to", "Choir", "--department", "music", "--json").json
    assert (again["new"], again["unchanged"]) == (0, 2)


def test_reminders_are_kept_listed_and_taken_away(music: Any) -> None:
    words = "{pupil}: {title}, {starts}, {place}."
    kept = music(
        "events", "remind", "2 d", words, "--name", "Mail", "--via", "email", "--department", "music"
    )
    assert kept.code == 0, kept.err
    assert [one["text"] for one in music("events", "rules", "--json").json["rules"]] == [words]
    assert "Mail" in music("events", "rules").out
    assert music("events", "unremind", "Mail").code == 0
    assert music("events", "rules").out == "nobody is reminded of anything\n"


def test_a_reminder_may_name_a_time_of_day(music: Any) -> None:
    words = "{title}: {starts}."
    asked = ("--name", "Before", "--via", "email", "--department", "music")
    assert music("events", "remind", "2 d", words, "--at", "16:00", *asked).code == 0
    (rule,) = music("events", "rules", "--json").json["rules"]
    assert (rule["before"], rule["at"]) == ("2 d", "16:00")
    assert "2 d 16:00" in music("events", "rules").out


def test_a_reminder_is_changed_under_its_name(music: Any) -> None:
    asked = ("--name", "Mail", "--via", "email", "--department", "music")
    assert music("events", "remind", "2 d", "{title}: {starts}.", *asked).code == 0
    twice = music("events", "remind", "1 d", "{title} tomorrow.", *asked, "--json")
    assert twice.error["code"] == "known"
    assert music("events", "remind", "1 d", "{title} tomorrow.", *asked, "--replace").code == 0
    (rule,) = music("events", "rules", "--json").json["rules"]
    assert (rule["before"], rule["text"]) == ("1 d", "{title} tomorrow.")
    nobody = music("events", "remind", "1 d", "{title}.", "--name", "None", *asked[2:], "--replace", "--json")
    assert nobody.error["code"] == "not_found"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("events", "import", "nowhere.ics", "--to", "Choir"), "no_file"),
        (
            ("events", "import", "https://127.0.0.1/choir.ics", "--to", "Choir", "--source", "c"),
            "private_address",
        ),
        (("events", "import", "ftp://example.org/choir.ics", "--to", "Choir", "--source", "c"), "bad_url"),
        (("events", "import", "https://example.org/choir.ics", "--to", "Choir"), "no_source"),
        (("events", "add", "Tea", "--to", "Chior", "--starts", f"{DAY} 19:00"), "unknown_group"),
        (("events", "move", "7", "--to", f"{DAY} 19:30"), "bad_id"),
        (("events", "cancel", "0190f9c2-0000-7000-8000-000000000000"), "not_found"),
        (("events", "remind", "soon", "words", "--name", "X"), "bad_length"),
        (("events", "remind", "3 h", "{when}", "--name", "X"), "unknown_placeholder"),
        (("events", "remind", "3 h", "{title}", "--name", "X", "--at", "16:00"), "bad_length"),
        (("events", "remind", "2 d", "{title}", "--name", "X", "--at", "teatime"), "bad_time"),
        (("events", "unremind", "X"), "not_found"),
        (("events", "approve", "X"), "not_found"),
        (
            ("events", "subscribe", "https://127.0.0.1/c.ics", "--to", "Choir", "--source", "c"),
            "private_address",
        ),
        (("events", "subscribe", "choir.ics", "--to", "Choir", "--source", "c"), "bad_url"),
        (("events", "unsubscribe", "c"), "not_found"),
    ],
)
def test_bad_input_is_one_clear_error(music: Any, arguments: tuple[str, ...], code: str) -> None:
    ran = music(*arguments, "--json")
    assert (ran.code, ran.error["code"]) == (2, code)
    assert ran.error["hint"]


def test_a_calendar_that_cannot_be_read_is_not_subscribed_to(music: Any) -> None:
    asked = ("events", "subscribe", "https://127.0.0.1/c.ics", "--to", "Choir", "--source", "c")
    assert music(*asked).code == 2
    assert music("events", "calendars").out == "there are none\n"
    assert music("events", "calendars", "--json").json == {"calendars": []}


def test_a_calendars_address_is_shown_as_its_host_alone() -> None:
    assert masked("https://calendar.example.org/private-5f2c/basic.ics?key=1") == "calendar.example.org/…"
