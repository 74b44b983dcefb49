"""What is told of a timetable, for any succession of exports: always what stands there, never the same twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.diary.timetable import ChangeKind, TimetableChange, horizon, keyed, too_many
from broker.diary.timetable_outlook import Outlook
from broker.ports.timetables import ToldLine

LONDON = ZoneInfo("Europe/London")
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
NOW = datetime(2026, 11, 23, 8, tzinfo=LONDON)
GROUPS = {"7a": (1, "7A"), "7b": (2, "7B")}

changes = st.builds(
    TimetableChange,
    day=st.sampled_from([MONDAY, TUESDAY]),
    period=st.sampled_from("12"),
    classes=st.sampled_from([("7a",), ("7b",), ("7a", "7b"), ("9z",), ("7a", "9z")]),
    kind=st.sampled_from([ChangeKind.ROOM, ChangeKind.CANCELLED]),
    subject=st.just("Maths"),
    new_room=st.sampled_from(["R1", "R2"]),
    number=st.sampled_from(["0", "12"]),
    teacher=st.sampled_from(["", "A"]),
)


def outlook(export: Sequence[TimetableChange], known: dict[str, str]) -> Outlook:
    there = keyed(export, known)
    return Outlook(NOW, LONDON, TUESDAY, there, GROUPS, frozenset({1, 2}), day_ends=time(15))


@given(st.lists(st.lists(changes, max_size=6), min_size=1, max_size=6))
def test_what_each_class_was_told_last_is_always_what_stands_there(exports: list[list[TimetableChange]]):
    told: dict[tuple[str, int], ToldLine] = {}
    known: dict[str, str] = {}
    for export in exports:
        seen = outlook(export, known)
        for news in seen.news(list(told.values())):
            line = news.line
            assert (line.key, line.group) not in told or told[line.key, line.group].line.digest != line.digest
            told[line.key, line.group] = ToldLine(line, 1, waiting=False, left=True)
        known = {key: change.digest for key, change in seen.there.items()}
        assert seen.news(list(told.values())) == []
        for name, (group, _) in GROUPS.items():
            stands = {(one.key, one.said) for one in export if name in one.classes}
            unclear = {one.key for one in export if "9z" in one.classes}  # whoever that is
            heard = {
                (line.key.partition(".")[0], line.digest)
                for line in (each.line for each in told.values())
                if line.group == group and line.digest
            }
            assert stands <= heard
            assert {side for side in heard - stands if side[0] not in unclear} == set()


@given(st.lists(changes, max_size=6), st.randoms(use_true_random=False))
def test_in_whatever_order_the_rows_stand_it_is_the_same(export: list[TimetableChange], random: Random):
    first = outlook(export, {})
    mixed = list(export)
    random.shuffle(mixed)
    assert [news.line for news in outlook(mixed, {}).news(())] == [news.line for news in first.news(())]


@pytest.mark.parametrize(
    ("today", "days", "last"),
    [
        (date(2026, 11, 23), 1, date(2026, 11, 24)),
        (date(2026, 11, 27), 1, date(2026, 11, 30)),  # Friday: Monday is next
        (date(2026, 11, 28), 1, date(2026, 11, 30)),
        (date(2026, 10, 23), 1, date(2026, 11, 2)),  # half-term between
        (date(2026, 10, 23), 2, date(2026, 11, 3)),
        (date(2026, 11, 23), 0, date(2026, 11, 23)),
    ],
)
def test_the_next_school_day_is_beyond_the_weekend_and_the_holidays(today: date, days: int, last: date):
    def is_school_day(day: date) -> bool:
        return day.weekday() < 5 and not date(2026, 10, 26) <= day <= date(2026, 10, 30)

    assert horizon(today, is_school_day, days) == last


def test_far_more_than_usual_is_five_times_as_much_and_more_than_what_is_never_too_much():
    assert not too_many(60, [], floor=60)
    assert too_many(61, [], floor=60)
    assert not too_many(100, [20, 21, 22], floor=60)
    assert too_many(106, [20, 21, 22], floor=60)
    assert not too_many(5, [1, 1, 1], floor=60)
