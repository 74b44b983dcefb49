"""Undo window, hours, size and switches: a table for each, over plain facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from broker.announcement import People, Purpose, Urgency
from broker.policy import ALLOW, Allow, Hold, Refuse, judge, together
from broker.rules.blast import not_stopped, size_meant
from broker.rules.book import rules_of
from broker.rules.case import AnnouncementCase
from broker.rules.undo import time_to_undo
from broker.rules.windows import in_its_hours

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)  # a Tuesday
ROUTINE = AnnouncementCase(
    now=NOON,
    rules=rules_of({"windows.open": "sms mon-fri 08:00-18:00; sms/promotional mon-fri 09:00-17:00"}),
    zone="Europe/London",
    department="music",
    channel="sms",
    account="texts",
    purpose=Purpose.SERVICE,
    urgency=Urgency.ROUTINE,
    due_at=NOON,
    expires_at=NOON + timedelta(days=1),
    accepted_at=NOON,
    announcement=1,
)


def case(**changes: Any) -> AnnouncementCase:
    changes = {k: rules_of(v) if k == "rules" else v for k, v in changes.items()}
    return replace(ROUTINE, **changes)


def later(**by: float) -> datetime:
    return NOON + timedelta(**by)


@pytest.mark.parametrize(
    ("changes", "until"),
    [
        ({}, later(seconds=60)),
        ({"now": later(seconds=59)}, later(seconds=60)),
        ({"now": later(seconds=60)}, None),
        ({"accepted_at": None, "announcement": None}, later(seconds=60)),  # asked before it is accepted
        ({"due_at": later(hours=1)}, None),  # there is time enough before it is due
        ({"due_at": later(seconds=30)}, later(seconds=60)),
        ({"rules": {"undo.window": "10 min"}}, later(minutes=10)),
        ({"rules": {"undo.window": "0"}}, None),
    ],
)
def test_a_routine_announcement_can_be_undone_for_a_while(
    changes: dict[str, Any], until: datetime | None
) -> None:
    verdict = time_to_undo(case(**changes))
    if until is None:
        assert verdict == ALLOW
    else:
        assert isinstance(verdict, Hold)
        assert (verdict.code, verdict.until, verdict.whole) == ("undo_window", until, True)


def test_an_urgent_one_skips_the_undo_window_and_that_is_kept() -> None:
    verdict = time_to_undo(case(urgency=Urgency.URGENT))
    assert isinstance(verdict, Allow)
    assert verdict.code == "undo_skipped"


def london(wall: str) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo("Europe/London")).astimezone(UTC)


@pytest.mark.parametrize(
    ("changes", "answer", "until"),
    [
        ({}, "allow", None),
        ({"now": london("2026-11-24 18:00")}, "hold", london("2026-11-25 08:00")),
        ({"now": london("2026-11-24 17:30"), "purpose": Purpose.PROMOTIONAL}, "hold", london("2026-11-25 09:00")),
        ({"due_at": london("2026-11-24 18:30")}, "hold", london("2026-11-25 08:00")),  # judged for when it is due
        ({"now": london("2026-11-24 18:00"), "expires_at": london("2026-11-25 08:00")}, "refuse", None),
        ({"now": london("2026-11-24 18:00"), "channel": "email"}, "allow", None),
        ({"now": london("2026-11-24 18:00"), "urgency": Urgency.URGENT}, "allow", None),
        ({"now": london("2026-11-24 22:00"), "people": People.PUPILS, "channel": "email", "rules": {}}, "hold",
         london("2026-11-25 07:00")),
    ],
)  # fmt: skip
def test_it_waits_until_its_hours_or_is_refused(
    changes: dict[str, Any], answer: str, until: datetime | None
) -> None:
    verdict = in_its_hours(case(**changes))
    assert type(verdict).__name__.lower() == answer
    if isinstance(verdict, Hold):
        assert (verdict.code, verdict.until, verdict.whole) == ("window_closed", until, False)
    if isinstance(verdict, Refuse):
        assert verdict.code == "window_too_late"
    if isinstance(verdict, Allow) and case(**changes).urgent:
        assert verdict.code == "window_skipped"
        assert verdict.evidence["windows"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"counted": 500}, ""),
        ({"counted": 501}, "size_unconfirmed"),
        ({"counted": 501, "second_person": True}, ""),
        ({"counted": 501, "expected": 501}, ""),
        ({"counted": 550, "expected": 501}, ""),  # a tenth more by now
        ({"counted": 552, "expected": 501}, "size_differs"),
        ({"counted": 30, "expected": 50}, ""),  # twenty may always
        ({"counted": 29, "expected": 50}, "size_differs"),
        ({"counted": 29, "expected": 50, "urgency": Urgency.URGENT}, "size_differs"),
        ({"counted": 501, "urgency": Urgency.URGENT}, "size_unconfirmed"),
        ({"counted": 61, "norm": 20}, "size_unconfirmed"),
        ({"counted": 60, "norm": 2}, ""),  # two classes are never asked about
        ({"counted": 90, "norm": 30}, ""),
        ({"counted": 91, "norm": 30}, "size_unconfirmed"),
        ({"counted": 91, "norm": 30, "rules": {"blast.ratio": "0"}}, ""),
        ({"counted": 5000, "rules": {"blast.size": "0"}}, ""),
        ({"counted": None}, ""),
    ],
)
def test_far_more_people_than_usual_want_a_typed_count_or_a_second_person(
    changes: dict[str, Any], code: str
) -> None:
    verdict = size_meant(case(**changes))
    assert verdict.code == code
    if isinstance(verdict, Hold):
        assert verdict.whole
        assert verdict.until == ROUTINE.expires_at


def test_a_count_that_was_typed_wrongly_is_refused_at_once() -> None:
    verdict = size_meant(case(counted=60, expected=59, announcement=None))
    assert isinstance(verdict, Refuse)
    assert (verdict.code, verdict.about, verdict.evidence["counted"]) == ("size_differs", "expect", 60)


@pytest.mark.parametrize("urgency", list(Urgency))
def test_a_switch_holds_everything_also_what_is_urgent(urgency: Urgency) -> None:
    verdict = not_stopped(case(stopped="a wrong list", urgency=urgency))
    assert isinstance(verdict, Hold)
    assert verdict.code == "stopped"
    assert "a wrong list" in verdict.why
    assert not_stopped(case()) is ALLOW


def test_what_holds_the_whole_announcement_is_told_before_what_holds_one_way_for_longer() -> None:
    whole = Hold(later(seconds=60), "undo_window", "wait", whole=True)
    longer = Hold(later(hours=9), "window_closed", "wait")
    told = replace(whole, besides=(longer,))
    assert together((longer, whole)) == told
    assert together((whole, longer)) == told
    assert told.told == "wait; besides: wait"


def test_notes_of_several_rules_are_kept_together() -> None:
    noted = judge(
        case(urgency=Urgency.URGENT, now=london("2026-11-24 20:00")),
        (time_to_undo, in_its_hours, not_stopped),
    )
    assert isinstance(noted, Allow)
    assert noted.code == "undo_skipped window_skipped"
    assert set(noted.evidence) == {"windows"}
