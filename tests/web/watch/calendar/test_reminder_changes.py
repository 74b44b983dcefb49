"""A reminder is changed where it is read: it goes on as the same one, and nobody is reminded of an event twice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from broker.actor import SYSTEM
from broker.authority import operators
from broker.diary import reminders, reminding
from broker.ports.approvals import OperatorRole
from broker.ports.events import ReminderRule
from ledger.scrutiny.audit import audit
from tests.support.diary import REED, Diary, send
from tests.support.watching import BELL, Watched

LISTED = "/watch/calendar/reminders"


@pytest.fixture
def diary(watched: Watched) -> Diary:
    diary = Diary(watched)
    diary.school_year()
    return diary


def asked(**more: str) -> Mapping[str, str]:
    return {
        "name": "Text",
        "count": "1",
        "unit": "days",
        "clock": "16:00",
        "people": "guardians",
        "ways": "bell",
        "long": "{title} is tomorrow.",
        **more,
    }


def the_rule(watched: Watched) -> ReminderRule:
    with watched.ledger.look() as tx:
        (rule,) = tx.events.rules()
    return rule


def test_a_reminder_is_changed_as_it_stands_and_stays_the_same_one(watched: Watched, diary: Diary) -> None:
    rule, event = diary.rule(before=timedelta(days=2)), diary.event()
    path = f"{LISTED}/{rule.id}/change"
    page = watched.get(path)
    assert 'value="Text"' in page
    assert "{title}: {starts}, {place}." in page
    assert send(watched, path, page=path, **asked(name="The day before")).status_code == 303
    now = the_rule(watched)
    assert (now.id, now.name, now.before) == (rule.id, "The day before", timedelta(days=1))
    assert "goes out, 1 day before at 16:00" in watched.get(f"/watch/calendar/events/{event.public_id}")
    assert "The reminder is changed" in watched.get(f"{LISTED}?done=reminder_changed")


def test_whom_it_has_reminded_it_does_not_remind_anew(watched: Watched, diary: Diary) -> None:
    rule = diary.rule(before=timedelta(days=9))
    diary.event()
    assert reminding.make_due(diary.ports, actor=SYSTEM) == 1
    path = f"{LISTED}/{rule.id}/change"
    assert send(watched, path, page=path, **asked(count="8", clock="")).status_code == 303
    assert reminding.make_due(diary.ports, actor=SYSTEM) == 0


def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_changed(
    watched: Watched, diary: Diary
) -> None:
    rule = diary.rule()
    path = f"{LISTED}/{rule.id}/change"
    wrong = send(watched, path, page=path, **asked(count="99"))
    assert wrong.status_code == 422
    assert 'id="wrong-count"' in wrong.text
    assert 'value="99"' in wrong.text
    assert the_rule(watched).before == rule.before
    diary.rule("Mail")
    taken = send(watched, path, page=path, **asked(name="Mail"))
    assert taken.status_code == 422
    assert 'id="wrong-name"' in taken.text
    watched.get(f"{LISTED}/{rule.id + 99}/change", 404)


def test_a_yes_was_to_what_it_said_before_and_the_record_tells_of_the_change(
    watched: Watched, diary: Diary
) -> None:
    rule = diary.rule()
    for who, role in ((REED, OperatorRole.APPROVER), (BELL, OperatorRole.AUTHOR)):
        operators.add(diary.ports, who.id, frozenset({role}), None, actor=SYSTEM)
    reminders.approve_rule(diary.ports, rule.name, actor=REED)
    path = f"{LISTED}/{rule.id}/change"
    assert "has to say it again" in watched.get(path)
    assert send(watched, path, page=path, **asked()).status_code == 303
    assert the_rule(watched).approved is None
    with watched.ledger.begin() as tx:
        tx.record.seal()
    assert audit(watched.ledger).ok
