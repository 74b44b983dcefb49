"""When a reminder goes out that names a time of day: that many days before, by the school's clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from broker.announcement import Part, People, Step
from broker.diary.reminders import furthest, when
from broker.diary.reminding import to_come
from broker.ports.events import EventRow, ReminderRule

LONDON = "Europe/London"
KNOWN = datetime(2026, 9, 1, tzinfo=UTC)


def event(wall: str) -> EventRow:
    at = datetime.fromisoformat(wall)
    starts = at.replace(tzinfo=ZoneInfo(LONDON)).astimezone(UTC)
    return EventRow(
        1, UUID(int=1), "music", "Choir", "", "a", at, "Concert", "Hall", at, starts, starts + timedelta(hours=1),
        KNOWN, "Mr Reed",
    )  # fmt: skip


def rule(number: int, before: timedelta, clock: time | None = None) -> ReminderRule:
    return ReminderRule(
        number,
        "music",
        f"R{number}",
        "",
        before,
        People.GUARDIANS,
        (Step(("sms",)),),
        {Part.LONG: "{title}"},
        clock=clock,
    )


@pytest.mark.parametrize(
    ("wall", "days", "clock", "told"),
    [
        ("2026-11-05 19:00", 2, time(16), "2026-11-03T16:00:00+00:00"),
        ("2026-11-05 08:45", 1, time(16), "2026-11-04T16:00:00+00:00"),
        # The clocks went back in between, and it is four o'clock all the same.
        ("2026-10-26 19:00", 2, time(16), "2026-10-24T15:00:00+00:00"),
        # Half past one is missing that night in March: an hour later; in October it comes twice: the first.
        ("2027-03-29 19:00", 1, time(1, 30), "2027-03-28T01:30:00+00:00"),
        ("2026-10-26 19:00", 1, time(1, 30), "2026-10-25T00:30:00+00:00"),
    ],
)
def test_a_time_of_day_is_the_schools_own(wall: str, days: int, clock: time, told: str) -> None:
    assert when(rule(1, timedelta(days=days), clock), event(wall), LONDON).isoformat() == told


def test_reminders_to_come_stand_in_the_order_of_their_times() -> None:
    rules = [rule(1, timedelta(days=1), time(18)), rule(2, timedelta(hours=20)), rule(3, timedelta(days=2))]
    found = to_come([event("2026-11-05 08:00")], rules, {}, now=KNOWN, zone=LONDON)
    assert [each.rule.id for each in found] == [3, 2, 1]
    assert furthest(rules) == timedelta(days=2)
    assert furthest([]) == timedelta()
