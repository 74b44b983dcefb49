"""Events and their reminders at a page: added, changed and cancelled, with what is told to whom shown before."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from broker import fanout
from broker.actor import SYSTEM
from broker.delivery import State
from broker.diary import reminding
from ledger import tables as t
from tests.support.diary import Diary, send, send_file, words_of
from tests.support.watching import Watched

NEW = "/watch/calendar/events/new"


@pytest.fixture
def diary(watched: Watched) -> Diary:
    diary = Diary(watched)
    diary.school_year()
    return diary


def filled(diary: Diary, **more: str | list[str]) -> dict[str, Any]:
    return {
        "title": "Spring concert",
        "department": "office",
        "groups": ["Choir"],
        "day": f"{diary.today + timedelta(days=6)}",
        "time": "19:00",
        "until_time": "21:00",
        "place": "Hall",
        **more,
    }


def reminded(watched: Watched, diary: Diary) -> UUID:
    """An event of which everybody was reminded; its id."""
    diary.rule(before=timedelta(days=9))
    event = diary.event()
    assert reminding.make_due(diary.ports, actor=SYSTEM) == 1
    with watched.ledger.look() as tx:
        (made,) = tx.events.reminded([event.id])
        assert made.announcement is not None
        said = tx.announcements.by_public_id(made.announcement)
    assert said is not None
    fanout.plan(diary.ports, said.public_id, actor=SYSTEM)
    watched.move(said, State.SENT, 6)
    return event.public_id


def test_an_event_is_added_with_its_reminders_told(watched: Watched, diary: Diary) -> None:
    diary.rule("Text", before=timedelta(days=2))
    answer = send(watched, NEW, **filled(diary))
    assert answer.status_code == 303, answer.text
    with watched.ledger.look() as tx:
        (row,) = tx.events.between(tx.now, tx.now + timedelta(days=30))
    assert (row.title, row.place, row.audience, row.ends_at - row.starts_at) == (
        "Spring concert",
        "Hall",
        "Choir",
        timedelta(hours=2),
    )
    page = watched.get(f"/watch/calendar/events/{row.public_id}")
    assert "goes out, 2 days before" in page
    assert "Spring concert" in watched.get(f"/watch/calendar/day?on={row.wall.date()}")
    remind_on = row.wall.date() - timedelta(days=2)
    assert "Reminder: Spring concert" in watched.get(f"/watch/calendar/day?on={remind_on}")


def test_a_form_that_is_sent_twice_adds_one_event(watched: Watched, diary: Diary) -> None:
    first = send(watched, NEW, **filled(diary, key="0190f9c2"))
    again = send(watched, NEW, **filled(diary, key="0190f9c2"))
    assert first.headers["Location"] == again.headers["Location"]
    assert send(watched, NEW, **filled(diary, key="0190f9c2", title="Another")).status_code == 422


def test_an_event_of_whole_days_stands_on_each_of_them(watched: Watched, diary: Diary) -> None:
    first, last = diary.today + timedelta(days=6), diary.today + timedelta(days=8)
    asked = filled(diary, all_day="yes", day=str(first), until_day=str(last), time="", until_time="")
    assert send(watched, NEW, **asked).status_code == 303
    for on in (first, first + timedelta(days=1), last):
        assert "Spring concert" in watched.get(f"/watch/calendar/day?on={on}")
    assert "Spring concert" not in watched.get(f"/watch/calendar/day?on={last + timedelta(days=1)}")
    assert "Spring concert" in watched.get(f"/watch/calendar/day?on={last}")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("title", "", "it is not said what takes place"),
        ("day", "", "no day is chosen"),
        ("day", "2020-01-01", "this time is past"),
        ("time", "", "no time is chosen"),
        ("until_time", "18:00", "it ends before it begins"),
        ("groups", ["Tuba"], "there is no group called"),
    ],
)
def test_what_is_wrong_with_an_event_stands_beside_its_field(
    watched: Watched, diary: Diary, field: str, value: str | list[str], words: str
) -> None:
    answer = send(watched, NEW, **(filled(diary) | {field: value}))
    assert answer.status_code == 422
    assert words in answer.text.lower()
    assert 'class="wrong"' in answer.text
    assert 'value="Hall"' in answer.text


def test_the_hour_that_comes_twice_is_asked_about(watched: Watched, diary: Diary) -> None:
    year = diary.today.year + (diary.today.month >= 10)
    october = diary.today.replace(year=year, month=10, day=31)
    night = october - timedelta(days=(october.weekday() + 1) % 7)
    asked = filled(diary, day=str(night), time="01:30", until_time="")
    answer = send(watched, NEW, **asked)
    assert answer.status_code == 422
    assert "comes twice" in answer.text
    second = f"{night}T01:30:00+00:00"
    assert f'value="{second}"' in answer.text
    assert send(watched, NEW, **asked, meant=second).status_code == 303


def test_a_change_shows_what_is_told_to_whom_before_it_is_done(watched: Watched, diary: Diary) -> None:
    event = reminded(watched, diary)
    path = f"/watch/calendar/events/{event}/change"
    asked = filled(diary, title="Concert", time="18:00", until_time="20:00", place="Chapel", to="Choir")
    looked = send(watched, path, page=path, do="look", **asked)
    assert looked.status_code == 200, looked.text
    assert "6 people" in looked.text
    assert "Change: Concert is now on" in looked.text
    assert "Chapel" in looked.text
    with watched.ledger.look() as tx:
        assert not tx.events.owed(limit=9)
    assert send(watched, path, page=path, do="keep", **asked).status_code == 303
    with watched.ledger.look() as tx:
        (owed,) = tx.events.owed(limit=9)
        row = tx.events.by_public_id(event)
    assert owed.words in looked.text
    assert row is not None
    assert row.place == "Chapel"


def test_a_title_is_mended_and_nobody_hears_who_was_never_told(watched: Watched, diary: Diary) -> None:
    event = diary.event("Sprng concert")
    path = f"/watch/calendar/events/{event.public_id}/change"
    asked = filled(diary, day=str(event.wall.date()), to="Choir")
    looked = send(watched, path, page=path, do="look", **asked)
    assert "Nobody has been told of it yet" in looked.text
    assert send(watched, path, page=path, do="keep", **asked).status_code == 303
    with watched.ledger.look() as tx:
        row = tx.events.by_public_id(event.public_id)
        assert not tx.events.owed(limit=9)
    assert row is not None
    assert row.title == "Spring concert"


def test_cancelling_says_who_is_told_and_asks_once_more(watched: Watched, diary: Diary) -> None:
    event = reminded(watched, diary)
    path = f"/watch/calendar/events/{event}/cancel"
    looked = watched.get(path)
    assert "Cancelled: Concert on" in looked
    assert "6 people" in looked
    assert send(watched, path, page=path).status_code == 303
    assert "cancelled" in watched.get(f"/watch/calendar/events/{event}")
    watched.get(path, 404)


def test_a_reminder_is_made_and_taken_away(watched: Watched, diary: Diary) -> None:
    event = diary.event()
    page = watched.get(f"/watch/calendar/events/{event.public_id}")
    assert "Nobody is reminded of it" in page
    new = "/watch/calendar/reminders/new"
    asked: dict[str, Any] = {
        "name": "Text",
        "department": "office",
        "count": "2",
        "unit": "days",
        "people": "guardians",
        "ways": ["bell"],
        "short": "{pupil}: {title}, {starts}, {place}.",
    }
    wrong = send(watched, new, page=new, **(asked | {"short": "{title} at {when}"}))
    assert wrong.status_code == 422
    assert "nothing belongs where {when} stands" in wrong.text.lower()
    assert send(watched, new, page=new, **(asked | {"count": "99"})).status_code == 422
    assert send(watched, new, page=new, **asked).status_code == 303
    assert "goes out, 2 days before" in watched.get(f"/watch/calendar/events/{event.public_id}")
    with watched.ledger.look() as tx:
        (rule,) = tx.events.rules()
    assert rule.before == timedelta(days=2)
    listed = "/watch/calendar/reminders"
    assert send(watched, f"{listed}/{rule.id}/retire", page=listed).status_code == 303
    with watched.ledger.look() as tx:
        assert not tx.events.rules()


def test_an_event_of_a_calendar_says_where_to_change_it(watched: Watched, diary: Diary) -> None:
    event = diary.event()
    with watched.ledger.begin() as tx:
        tx.hand.connection.execute(update(t.event).values(source="choir"))
    assert "Change it there" in watched.get(f"/watch/calendar/events/{event.public_id}")


def test_whose_event_it_is_can_be_changed_with_what_is_told_shown_before(
    watched: Watched, diary: Diary
) -> None:
    event = reminded(watched, diary)
    path = f"/watch/calendar/events/{event}/change"
    assert 'name="groups" value="Choir" checked' in watched.get(path)
    with watched.ledger.look() as tx:
        row = tx.events.by_public_id(event)
    assert row is not None
    same = filled(diary, title="Concert", day=str(row.wall.date()))
    looked = send(watched, path, page=path, do="look", **(same | {"groups": [], "to": "everyone - Choir"}))
    assert looked.status_code == 200, looked.text
    text = words_of(looked.text)
    assert "It was for Choir" in text
    assert "It is for everyone - Choir" in text
    assert "6 people were reminded of it already, and will be told once" in text
    assert "is now for everybody without Choir." in text
    same |= {"groups": [], "everyone": "yes"}
    wider = words_of(send(watched, path, page=path, do="look", **same).text)
    assert "6 people were reminded of it already, and need not hear of this change" in wider
    assert send(watched, path, page=path, do="keep", **same).status_code == 303
    with watched.ledger.look() as tx:
        row = tx.events.by_public_id(event)
        assert not tx.events.owed(limit=9)
    assert row is not None
    assert row.audience == "everyone"


def test_the_calendar_that_an_event_comes_from_says_whose_it_is(watched: Watched, diary: Diary) -> None:
    event = diary.event()
    with watched.ledger.begin() as tx:
        tx.hand.connection.execute(update(t.event).values(source="choir"))
    path = f"/watch/calendar/events/{event.public_id}/change"
    page = watched.get(path)
    assert "said by the calendar “choir”" in page
    assert 'name="groups"' not in page
    asked = filled(diary, title="Concert", day=str(event.wall.date()), groups=[], to="everyone")
    assert send(watched, path, page=path, do="keep", **asked).status_code == 303
    with watched.ledger.look() as tx:
        row = tx.events.by_public_id(event.public_id)
    assert row is not None
    assert (row.audience, row.ends_at - row.starts_at) == ("Choir", timedelta(hours=2))


def test_what_somebody_changed_meanwhile_is_not_written_over_and_a_notice_is_led_to(
    watched: Watched, diary: Diary
) -> None:
    event = reminded(watched, diary)
    path = f"/watch/calendar/events/{event}/change"
    asked = filled(diary, title="Concert", place="Chapel", was="0")
    assert send(watched, path, page=path, do="keep", **asked).status_code == 303
    late = send(watched, path, page=path, do="keep", **(asked | {"place": "Hall"}))
    assert late.status_code == 422
    assert "Somebody has changed this event since you opened it" in late.text
    assert 'value="Hall"' in late.text
    assert 'name="was" value="1"' in late.text
    reminding.make_due(diary.ports, actor=SYSTEM)
    with watched.ledger.look() as tx:
        row = tx.events.by_public_id(event)
        assert row is not None
        (notice,) = tx.events.notices(row.id)
    assert row.place == "Chapel"
    assert f"watch/{notice}" in watched.get(f"/watch/calendar/events/{event}")


CSV = "title,begins,ends,place,group,uid\nRehearsal,{day} 15:30,{day} 16:30,Hall,,a1\n"


def test_a_file_of_events_shows_what_it_changes_before_it_is_taken(watched: Watched, diary: Diary) -> None:
    path = "/watch/calendar/events/bring"
    day = diary.today + timedelta(days=3)
    asked = {"department": "office", "groups": "Choir", "source": "choir"}
    data = CSV.format(day=day).encode()
    looked = send_file(watched, path, path, "choir.csv", data, **asked)
    assert looked.status_code == 200, looked.text
    assert "1 date in the year ahead" in looked.text
    with watched.ledger.look() as tx:
        assert not tx.events.between(tx.now, tx.now + timedelta(days=30))
    carried = re.search(r'name="carried" value="([^"]+)"', looked.text)
    assert carried is not None
    assert send(watched, path, page=path, do="keep", carried=carried[1], **asked).status_code == 303
    assert "Rehearsal" in watched.get("/watch/calendar/events")
    again = send_file(watched, path, path, "choir.csv", data.replace(b"15:30", b"15:00"), **asked)
    assert "<dt>Changed</dt><dd>1</dd>" in again.text
    assert send(watched, path, page=path, do="keep", **asked).status_code == 422
    assert send_file(watched, path, path, "choir.csv", b"\xff\xfe", **asked).status_code == 422


def test_a_reminder_goes_out_two_days_before_at_four(watched: Watched, diary: Diary) -> None:
    new = "/watch/calendar/reminders/new"
    asked = {
        "name": "Before",
        "department": "office",
        "people": "guardians",
        "ways": "bell",
        "short": "{title}!",
    }
    odd = send(watched, new, page=new, count="3", unit="hours", clock="16:00", **asked)
    assert odd.status_code == 422
    assert "whole days before" in odd.text
    assert send(watched, new, page=new, count="2", unit="days", clock="16:00", **asked).status_code == 303
    event = diary.event(days=5, clock="09:30")
    page = watched.get(f"/watch/calendar/events/{event.public_id}")
    assert "goes out, 2 days before at 16:00" in page
    on = event.wall.date() - timedelta(days=2)
    assert "16:00" in watched.get(f"/watch/calendar/day?on={on}")
