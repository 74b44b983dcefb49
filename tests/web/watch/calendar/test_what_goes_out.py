"""The calendar: what went out, what will, what waits, and what kind of day each is."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import event as listening

from broker import intake
from broker.actor import SYSTEM
from broker.announcement import Draft, Part, People, Step
from broker.authority import rule_changes
from tests.support.diary import Diary, words_of
from tests.support.watching import BELL, Watched

MOST_STATEMENTS = 12


def test_a_month_shows_what_went_out_and_what_will(watched: Watched) -> None:
    diary = Diary(watched)
    diary.school_year()
    watched.plan(watched.announce("Coach at eight"))
    diary.weekly("Choir")
    html = watched.get("/watch/calendar")
    assert "Coach at eight" in html
    assert "went out" in html


def test_each_line_says_how_it_stands(watched: Watched) -> None:
    diary = Diary(watched)
    diary.school_year()
    rule_changes.change(diary.ports, "approval.needed", "any/any/any", "the test", actor=SYSTEM)
    parts = {Part.TITLE: "Sale of cakes", Part.SHORT: "At six."}
    draft = Draft("office", "everyone", People.GUARDIANS, (Step(("bell",)),), parts)
    intake.accept(diary.ports, draft, actor=BELL)
    taken_back = watched.announce("Wrong coach")
    intake.withdraw(diary.ports, taken_back.public_id, actor=SYSTEM)
    text = words_of(watched.get("/watch/calendar/day"))
    assert "Sale of cakes waits for a yes everyone" in text
    assert "Wrong coach taken back" in text


def test_a_day_with_more_than_fits_says_how_many_more(watched: Watched) -> None:
    for n in range(7):
        watched.announce(f"Post {n}")
    text = words_of(watched.get("/watch/calendar"))
    assert "and 3 more" in text
    assert "Post 6" not in text
    assert "Post 6" in watched.get("/watch/calendar/day")


def test_a_reminder_and_an_event_stand_on_their_days(watched: Watched) -> None:
    diary = Diary(watched)
    diary.school_year()
    diary.rule(before=timedelta(days=2))
    event = diary.event(days=5)
    on = event.wall.date()
    week = words_of(watched.get(f"/watch/calendar/week?on={on}"))
    assert "19:00 Concert takes place Choir, Hall" in week
    reminded = watched.get(f"/watch/calendar/day?on={on - timedelta(days=2)}")
    assert "Reminder: Concert" in reminded


def test_a_day_off_has_its_name_and_a_schedule_leaves_it_out(watched: Watched) -> None:
    diary = Diary(watched)
    diary.school_year()
    diary.weekly("Choir")
    half = diary.today + timedelta(days=22)
    html = watched.get(f"/watch/calendar/week?on={half}")
    assert "Half-term" in html
    assert "Choir" not in html.partition("<main")[2]


def test_every_view_takes_few_statements_however_many_schedules_there_are(watched: Watched) -> None:
    diary = Diary(watched)
    diary.school_year()
    for n in range(12):
        diary.weekly(f"Choir {n}")
    asked: list[str] = []
    listening.listen(watched.ledger.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    for view in ("", "/week", "/day", "/term"):
        asked.clear()
        watched.get(f"/watch/calendar{view}")
        told = [one[:150] for one in asked if not one.startswith("BEGIN")]
        assert len(told) <= MOST_STATEMENTS, "\n".join(told)
