"""Every page of the calendar opens, empty and full, for whom it is and for nobody else."""

from __future__ import annotations

from tests.support.diary import Diary
from tests.support.watching import Watched

PAGES = (
    "", "/week", "/day", "/term", "/schedules", "/schedules?show=ended", "/schedules/new", "/events", "/events/new",
    "/reminders", "/reminders/new", "/terms", "/sources", "/sources/new", "?on=2031-05-05", "/week?on=2026-03-29",
)  # fmt: skip


def test_an_empty_calendar_says_what_to_do_next(watched: Watched) -> None:
    for page in PAGES:
        html = watched.get(f"/watch/calendar{page}")
        assert "<h1>" in html, page
        assert "carillon " not in html, page


def test_a_full_calendar_opens(watched: Watched) -> None:
    diary = Diary(watched)
    diary.school_year()
    diary.weekly()
    diary.rule()
    event = diary.event()
    for page in PAGES:
        assert "<h1>" in watched.get(f"/watch/calendar{page}"), page
    for more in ("", "/change", "/cancel"):
        assert "Concert" in watched.get(f"/watch/calendar/events/{event.public_id}{more}"), more


def test_what_is_not_there_is_not_found(watched: Watched) -> None:
    for page in ("?on=2026-13-01", "/day?on=x", "/term?on=9999-12-31", "/schedules/x", "/events/x"):
        watched.get(f"/watch/calendar{page}", 404)


def test_nobody_sees_it_who_is_not_signed_in(watched: Watched) -> None:
    watched.client.cookies.clear()
    for page in PAGES:
        watched.get(f"/watch/calendar{page}", 401)
