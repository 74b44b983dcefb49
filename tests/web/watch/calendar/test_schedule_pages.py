"""Schedules at a page: made with their dates shown first, changed, skipped, paused and ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from broker.actor import SYSTEM
from broker.announcement import Part
from broker.authority import rule_changes
from broker.diary import schedules
from broker.diary.recurrence_rule import read_rule
from broker.ports.calendar import OccurrenceRow, Outcome
from tests.support.diary import ZONE, Diary, send
from tests.support.watching import Watched

NEW = "/watch/calendar/schedules/new"


@pytest.fixture
def diary(watched: Watched) -> Diary:
    diary = Diary(watched)
    diary.school_year()
    return diary


def filled(diary: Diary, **more: str | list[str]) -> dict[str, Any]:
    """The music department's reminder, every Tuesday."""
    return {
        "name": "Choir, Tuesdays",
        "department": "office",
        "groups": ["Choir"],
        "people": "guardians",
        "ways": ["bell"],
        "short": "{pupil}: choir at 15:30.",
        "day": f"{diary.today + timedelta(days=1)}",
        "time": "08:00",
        "often": "weekly",
        "weekdays": ["TU"],
        "on": "term",
        "lasts": "4",
        **more,
    }


def test_a_new_schedule_shows_its_dates_before_it_is_kept(watched: Watched, diary: Diary) -> None:
    looked = send(watched, NEW, do="look", **filled(diary))
    assert looked.status_code == 200, looked.text
    assert "every Tuesday at 08:00" in looked.text
    assert "left out: half-term" in looked.text
    assert "FREQ" not in looked.text
    with watched.ledger.look() as tx:
        assert not tx.schedules.all()
    kept = send(watched, NEW, do="keep", **filled(diary))
    assert kept.status_code == 303
    with watched.ledger.look() as tx:
        (made,) = tx.schedules.all()
    assert (made.name, made.pattern.rule.text) == ("Choir, Tuesdays", "FREQ=WEEKLY;BYDAY=TU")
    page = watched.get(f"/watch/calendar/schedules/{made.public_id}")
    assert "every Tuesday at 08:00" in page
    assert "FREQ" not in page


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "it needs a name"),
        ("groups", ["Tuba"], "there is no group called"),
        ("ways", [], "no way is chosen"),
        ("short", "", "there is nothing to announce"),
        ("day", "", "no day is chosen"),
        ("time", "", "no time is chosen"),
        ("often", "", "it is not said how often"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    watched: Watched, diary: Diary, field: str, value: str | list[str], words: str
) -> None:
    asked = filled(diary) | {field: value}
    answer = send(watched, NEW, do="look", **asked)
    assert answer.status_code == 422
    assert words in answer.text.lower()
    assert 'class="wrong"' in answer.text
    if field != "name":
        assert 'value="Choir, Tuesdays"' in answer.text
    assert "carillon schedule" not in answer.text
    assert "--" not in answer.text.partition("<main")[2].replace("<!--", "")


def test_the_hour_that_does_not_exist_is_asked_about(watched: Watched, diary: Diary) -> None:
    year = diary.today.year + (diary.today.month >= 3)
    march = date(year, 3, 31)
    night = march - timedelta(days=(march.weekday() + 1) % 7)  # its last Sunday
    first = str(night - timedelta(days=7))
    asked = filled(diary, day=first, time="01:30", weekdays=["SU"], on="every")
    answer = send(watched, NEW, do="look", **asked)
    assert answer.status_code == 422
    assert "does not exist" in answer.text
    assert 'name="if_missing"' in answer.text
    answered = send(watched, NEW, do="look", **asked, if_missing="later", if_double="first")
    assert answered.status_code == 200, answered.text


def test_a_schedule_is_changed_after_its_dates_were_shown_again(watched: Watched, diary: Diary) -> None:
    made = diary.weekly()
    path = f"/watch/calendar/schedules/{made.public_id}/change"
    page = watched.get(path)
    assert "{pupil}: choir at 15:30." in page
    asked = filled(diary, often="fortnightly", short="{pupil}: choir at 16:00.", weekdays=["WE"])
    looked = send(watched, path, do="look", **asked)
    assert "every second week on Wednesday" in looked.text
    assert send(watched, path, do="keep", **asked).status_code == 303
    with watched.ledger.look() as tx:
        (changed,) = tx.schedules.all()
    assert changed.pattern.rule.text == "FREQ=WEEKLY;BYDAY=WE;INTERVAL=2"
    assert changed.draft.parts[Part.SHORT] == "{pupil}: choir at 16:00."


def test_a_date_is_skipped_and_put_back_and_moved(watched: Watched, diary: Diary) -> None:
    made = diary.weekly()
    at = f"/watch/calendar/schedules/{made.public_id}"
    first = made.pattern.starts.date()
    assert send(watched, f"{at}/skip", on=str(first)).status_code == 303
    assert "skipped" in watched.get(at)
    assert send(watched, f"{at}/put-back", on=str(first)).status_code == 303
    to = str(first + timedelta(days=1))
    assert send(watched, f"{at}/move", on=str(first), day=to, time="09:15").status_code == 303
    assert "moved from" in watched.get(at)
    wrong = send(watched, f"{at}/move", on=str(first), day="", time="")
    assert wrong.status_code == 422
    assert "This is not a time" in wrong.text


def test_a_schedule_is_paused_let_go_on_and_ended(watched: Watched, diary: Diary) -> None:
    made = diary.weekly()
    at = f"/watch/calendar/schedules/{made.public_id}"
    assert send(watched, f"{at}/pause").status_code == 303
    assert "Let it go on" in watched.get(at)
    assert made.name not in watched.get("/watch/calendar")
    assert send(watched, f"{at}/resume").status_code == 303
    assert send(watched, f"{at}/end", after="").status_code == 303
    assert "ended" in watched.get(at)
    assert made.name in watched.get("/watch/calendar/schedules?show=ended")
    assert made.name not in watched.get("/watch/calendar/schedules")


def test_nothing_is_done_to_one_that_has_ended_nor_to_its_namesake(watched: Watched, diary: Diary) -> None:
    made = diary.weekly()
    at = f"/watch/calendar/schedules/{made.public_id}"
    assert send(watched, f"{at}/end", after="").status_code == 303
    again = diary.weekly()
    assert send(watched, f"{at}/pause").status_code == 404
    watched.get(f"{at}/change", 404)
    with watched.ledger.look() as tx:
        assert tx.schedules.by_id(again.id) == again


def test_many_people_want_their_number_typed_or_a_second_person(watched: Watched, diary: Diary) -> None:
    rule_changes.change(diary.ports, "blast.size", "3", "the test", actor=SYSTEM)
    looked = send(watched, NEW, do="look", **filled(diary))
    assert "6 people" in looked.text
    assert "Each of them would wait for a second person" in looked.text
    assert "How many people are meant?" in looked.text
    wrong = send(watched, NEW, do="keep", **filled(diary, expect="5"))
    assert wrong.status_code == 422
    assert "It would tell 6 people, not 5" in wrong.text
    assert 'value="5"' in wrong.text
    assert send(watched, NEW, do="keep", **filled(diary, expect="6")).status_code == 303
    with watched.ledger.look() as tx:
        (made,) = tx.schedules.all()
    assert made.draft.expected == 6


def test_a_rule_that_no_form_makes_stays_as_it_is(watched: Watched, diary: Diary) -> None:
    made = diary.weekly()
    rule = read_rule("FREQ=WEEKLY;INTERVAL=3;COUNT=40", zone=ZONE, starts=made.pattern.starts)
    schedules.change(diary.ports, "Choir", pattern=replace(made.pattern, rule=rule), actor=SYSTEM)
    path = f"/watch/calendar/schedules/{made.public_id}/change"
    page = watched.get(path)
    assert "As it is: every 3 weeks on" in page
    assert "COUNT" not in page
    asked = filled(diary, often="as_is", time="09:00", day=str(made.pattern.starts.date()))
    assert send(watched, path, do="keep", **asked).status_code == 303
    with watched.ledger.look() as tx:
        (changed,) = tx.schedules.all()
    assert changed.pattern.rule == rule
    assert changed.pattern.starts.hour == 9


def test_what_was_not_announced_stands_in_the_calendar(watched: Watched, diary: Diary) -> None:
    made = diary.weekly()
    with watched.ledger.begin() as tx:
        at = tx.now
        missed = OccurrenceRow(made.id, diary.now, at, Outcome.MISSED, at, "nothing ran when it was due")
        tx.schedules.done([missed])
    html = watched.get(f"/watch/calendar/day?on={diary.today}")
    assert "was missed" in html
    assert "nothing ran when it was due" in html
    assert "was missed" in watched.get(f"/watch/calendar/schedules/{made.public_id}")
