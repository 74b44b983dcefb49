"""Whose the calendar is: another department's schedule, event or calendar is not there."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from broker.actor import Actor, ActorKind
from broker.ports.approvals import OperatorRole
from tests.support.diary import Diary, send
from tests.support.staff import name
from tests.support.watching import Serve, Watched


@pytest.fixture
def of_music(serve: Serve) -> Watched:
    """Somebody of the music department alone, beside an office with a diary of its own."""
    watched = serve(CARILLON_DEPARTMENTS="office,music")
    watched.tower.bring(6)
    Diary(watched).school_year()
    name(watched, "Mrs Head", OperatorRole.ADMIN)
    name(watched, "Mr Reed", OperatorRole.AUTHOR, department="music")
    watched.sign_in(actor=Actor(ActorKind.PERSON, "Mr Reed"))
    return watched


def test_another_departments_schedules_and_events_are_not_there(of_music: Watched) -> None:
    office, music = Diary(of_music, "office"), Diary(of_music, "music")
    theirs, ours = office.weekly("Office hours", to="Choir"), music.weekly("Brass band", to="Choir")
    event = office.event("Office party")
    of_music.announce("Office post")
    for page in ("", "/week?on=" + str(office.today + timedelta(days=1)), "/term", "/schedules", "/events"):
        assert "Office" not in of_music.get(f"/watch/calendar{page}").replace("School office", ""), page
    assert "Brass band" in of_music.get("/watch/calendar/schedules")
    assert "Brass band" in of_music.get(f"/watch/calendar/schedules/{ours.public_id}")
    for path in (
        f"schedules/{theirs.public_id}",
        f"schedules/{theirs.public_id}/change",
        f"events/{event.public_id}",
        f"events/{event.public_id}/change",
        f"events/{event.public_id}/cancel",
    ):
        of_music.get(f"/watch/calendar/{path}", 404)
    for path in (f"schedules/{theirs.public_id}/end", f"events/{event.public_id}/cancel"):
        answer = send(
            of_music, f"/watch/calendar/{path}", page="/watch/calendar/schedules/new?department=music"
        )
        assert answer.status_code == 404, path


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("schedules/new", "name"),
        ("events/new", "title"),
        ("reminders/new", "name"),
        ("sources/new", "source"),
        ("events/bring", "source"),
    ],
)
def test_another_department_is_chosen_with_all_that_was_typed_kept(
    serve: Serve, path: str, field: str
) -> None:
    watched = serve(CARILLON_DEPARTMENTS="office,music")
    watched.tower.bring(6)
    name(watched, "Mrs Head", OperatorRole.ADMIN, OperatorRole.AUTHOR)
    watched.sign_in(actor=Actor(ActorKind.PERSON, "Mrs Head"))
    typed: dict[str, Any] = {
        "department": "office",
        field: "Spring concert",
        "groups": ["Choir"],
        "template": "Office only",
    }
    answer = send(watched, f"/watch/calendar/{path}", do="for:music", **typed)
    assert answer.status_code == 200, answer.text
    assert 'name="department" value="music"' in answer.text
    assert 'value="Spring concert"' in answer.text
    assert re.search(r'name="groups" value="Choir" checked', answer.text)
    assert send(watched, f"/watch/calendar/{path}", do="for:nobody", **typed).status_code == 404


def test_a_reader_changes_nothing(serve: Serve) -> None:
    watched = serve()
    watched.tower.bring(6)
    diary = Diary(watched)
    diary.school_year()
    made, event = diary.weekly(), diary.event()
    name(watched, "Mrs Head", OperatorRole.ADMIN)
    name(watched, "Ms Look", OperatorRole.AUDITOR)
    watched.sign_in(actor=Actor(ActorKind.PERSON, "Ms Look"))
    for page in (
        "",
        "/schedules",
        f"/schedules/{made.public_id}",
        "/events",
        f"/events/{event.public_id}",
        "/terms",
    ):
        html = watched.get(f"/watch/calendar{page}").partition("<main")[2]
        assert "<button" not in html.replace("<button>Go</button>", "").replace(
            "<button>Show</button>", ""
        ), page
    for page in ("schedules/new", "events/new", "reminders/new", "sources/new", "events/bring"):
        watched.get(f"/watch/calendar/{page}", 403)
