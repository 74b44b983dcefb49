"""The calendar: what went out, what will, what waits, and what kind of day each is."""

from __future__ import annotations

from sqlalchemy import event

from tests.support.diary import Diary
from tests.support.watching import Watched

MOST_STATEMENTS = 12


def test_a_month_shows_what_went_out_and_what_will(watched: Watched) -> None:
    diary = Diary(watched)
    diary.school_year()
    watched.plan(watched.announce("Coach at eight"))
    diary.weekly("Choir")
    html = watched.get("/watch/calendar")
    assert "Coach at eight" in html
    assert "went out" in html


def test_every_view_takes_few_statements_however_many_schedules_there_are(watched: Watched) -> None:
    diary = Diary(watched)
    diary.school_year()
    for n in range(12):
        diary.weekly(f"Choir {n}")
    asked: list[str] = []
    event.listen(watched.ledger.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    for view in ("", "/week", "/day", "/term"):
        asked.clear()
        watched.get(f"/watch/calendar{view}")
        told = [one[:150] for one in asked if not one.startswith("BEGIN")]
        assert len(told) <= MOST_STATEMENTS, "\n".join(told)
