"""Recurrences: bounded, on the wall clock, over the term calendar; both clock changes."""

# ruff: noqa: DTZ001 - a wall time has no zone
from __future__ import annotations

import time as clock
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.diary.calendar import DayKind, Span, SpanKind, TermCalendar
from broker.diary.recurrence import (
    Double,
    Missing,
    Pattern,
    Trouble,
    ask_about_hours,
    occurrence,
    occurrences,
    the_date,
    upcoming,
)
from broker.diary.recurrence_rule import BadRecurrence, Rule, expanded, read_rule

LONDON = "Europe/London"
NO_TERMS = TermCalendar([], region="")
IN_TERM = frozenset({DayKind.TERM})
CALENDAR = TermCalendar(
    [
        Span(SpanKind.TERM, "Autumn", date(2026, 9, 1), date(2026, 12, 18)),
        Span(SpanKind.HALF_TERM, "", date(2026, 10, 26), date(2026, 10, 30)),
        Span(SpanKind.TERM, "Spring", date(2027, 1, 5), date(2027, 4, 9)),
    ],
    region="GB-ENG",
)


def made(rule: str, starts: datetime, **more: object) -> Pattern:
    return replace(Pattern(starts, LONDON, read_rule(rule, zone=LONDON, starts=starts)), **more)  # type: ignore[arg-type]


CHOIR = made("FREQ=WEEKLY;BYDAY=TU", datetime(2026, 9, 1, 15, 30), on=IN_TERM)


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("FREQ=SECONDLY", "too_often"),
        ("FREQ=MINUTELY;INTERVAL=5", "too_often"),
        ("FREQ=HOURLY", "too_often"),
        ("BYDAY=TU", "no_frequency"),
        ("FREQ=FORTNIGHTLY", "no_frequency"),
        ("every Tuesday", "bad_rule"),
        ("FREQ=DAILY;FREQ=DAILY", "part_twice"),
        ("FREQ=DAILY;INTERVAL=0", "bad_number"),
        ("FREQ=DAILY;INTERVAL=99999999999", "bad_number"),
        ("FREQ=DAILY;COUNT=0", "bad_number"),
        ("FREQ=DAILY;COUNT=1000000", "bad_number"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "two_ends"),
        ("FREQ=DAILY;BYHOUR=1,2,3", "time_in_rule"),
        ("FREQ=WEEKLY;BYDAY=XX", "bad_weekday"),
        ("FREQ=MONTHLY;BYDAY=9MO", "bad_weekday"),
        ("FREQ=WEEKLY;WKST=NO", "bad_weekday"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "may_never_hold"),
        ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "impossible"),
        ("FREQ=YEARLY;BYMONTH=4,6;BYMONTHDAY=31", "impossible"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=WE", "may_never_hold"),
        ("FREQ=MONTHLY;BYMONTHDAY=1;BYSETPOS=2", "may_never_hold"),
        ("FREQ=MONTHLY;BYDAY=3TU;BYMONTHDAY=3", "may_never_hold"),
        ("FREQ=YEARLY;BYYEARDAY=366", "unknown_part"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "bad_number"),
        ("FREQ=DAILY;UNTIL=20200101", "impossible"),
        ("FREQ=DAILY;UNTIL=99991231T235959Z", "bad_year"),
        ("FREQ=DAILY;UNTIL=00010101", "bad_year"),
        ("FREQ=DAILY;UNTIL=20261399", "bad_until"),
        ("FREQ=DAILY;UNTIL=soon", "bad_until"),
        ("FREQ=DAILY;" + "X" * 300, "rule_too_long"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name_and_at_once(rule: str, code: str) -> None:
    began = clock.process_time()
    with pytest.raises(BadRecurrence) as refused:
        read_rule(rule, zone=LONDON, starts=datetime(2026, 9, 1, 15, 30))
    assert refused.value.problem.code == code
    assert refused.value.problem.hint
    assert clock.process_time() - began < 1


@pytest.mark.parametrize("year", [1, 1999, 2200, 9999])
def test_a_year_that_cannot_be_meant_is_refused(year: int) -> None:
    with pytest.raises(BadRecurrence) as refused:
        read_rule("FREQ=WEEKLY", zone=LONDON, starts=datetime(year, 1, 1, 8))
    assert refused.value.problem.code == "bad_year"


@given(
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 60),
    st.sampled_from(["", "MO", "TU,FR", "1TU", "-5SU", "5MO"]),
    st.lists(st.integers(1, 12), max_size=2),
    st.lists(st.sampled_from([1, 29, 30, 31, -1, -31]), max_size=2),
    st.sampled_from(["", "1", "-4"]),
)
@settings(max_examples=150, deadline=None)
def test_no_rule_keeps_anybody_waiting(
    frequency: str, step: int, days: str, months: list[int], month_days: list[int], place: str
) -> None:
    parts = {
        "INTERVAL": str(step),
        "BYDAY": days,
        "BYMONTH": ",".join(map(str, months)),
        "BYMONTHDAY": ",".join(map(str, month_days)),
        "BYSETPOS": place,
    }
    text = ";".join([f"FREQ={frequency}", *(f"{name}={value}" for name, value in parts.items() if value)])
    starts = datetime(2027, 2, 28, 8)
    began = clock.process_time()
    try:
        rule = read_rule(text, zone=LONDON, starts=starts)
    except BadRecurrence:
        pass
    else:
        upcoming(Pattern(starts, LONDON, rule), NO_TERMS, now=datetime(2027, 1, 1, tzinfo=UTC))
    assert clock.process_time() - began < 1


def test_the_rehearsal_of_a_term_leaves_out_half_term_and_says_why() -> None:
    dates = upcoming(CHOIR, CALENDAR, now=datetime(2026, 10, 19, tzinfo=UTC), count=3)
    assert [(one.wall.date().isoformat(), one.at is not None) for one in dates] == [
        ("2026-10-20", True),
        ("2026-10-27", False),
        ("2026-11-03", True),
        ("2026-11-10", True),
    ]
    assert dates[1].left_out is not None
    assert dates[1].left_out.why == "half-term"


def test_the_wall_time_stays_when_the_clocks_change() -> None:
    dates = [one for one in upcoming(CHOIR, CALENDAR, now=datetime(2026, 10, 19, tzinfo=UTC)) if one.at]
    assert {one.wall.time().isoformat() for one in dates} == {"15:30:00"}
    assert [one.at.hour for one in dates[:2] if one.at] == [14, 15]


def test_until_means_the_end_of_its_day_and_an_instant_the_schools_clock() -> None:
    starts = datetime(2026, 9, 1, 15, 30)
    for until in ("20260908", "20260908T153000", "20260908T143000Z"):
        rule = read_rule(f"FREQ=WEEKLY;UNTIL={until}", zone=LONDON, starts=starts)
        found = upcoming(Pattern(starts, LONDON, rule), NO_TERMS, now=datetime(2026, 8, 1, tzinfo=UTC))
        assert [one.wall.day for one in found] == [1, 8]


def test_a_moved_one_keeps_its_identity_and_a_cancelled_one_stays_to_be_seen() -> None:
    original, to = datetime(2026, 10, 20, 15, 30), datetime(2026, 10, 28, 9)
    gone = datetime(2026, 11, 3, 15, 30)
    pattern = replace(CHOIR, moved={original: to, gone: None})
    dates = upcoming(pattern, CALENDAR, now=datetime(2026, 10, 19, tzinfo=UTC), count=2)
    assert [(one.original, one.wall, one.at is not None, one.cancelled) for one in dates] == [
        (datetime(2026, 10, 27, 15, 30), datetime(2026, 10, 27, 15, 30), False, False),
        (original, to, True, False),  # by hand into half-term: whoever did it knows
        (gone, gone, False, True),
        (datetime(2026, 11, 10, 15, 30), datetime(2026, 11, 10, 15, 30), True, False),
    ]
    assert the_date(pattern, date(2026, 10, 28)) == original


def test_what_has_ended_has_no_more() -> None:
    pattern = replace(CHOIR, ended=datetime(2026, 10, 1))
    assert upcoming(pattern, CALENDAR, now=datetime(2026, 9, 30, tzinfo=UTC)) == []


@pytest.mark.parametrize(
    ("starts", "code", "answer"),
    [
        (datetime(2026, 10, 4, 1, 30), "double_hour", {"double": Double.FIRST}),
        (datetime(2027, 2, 7, 1, 30), "missing_hour", {"missing": Missing.SKIP}),
    ],
)
def test_the_missing_and_the_double_hour_are_asked_about(
    starts: datetime, code: str, answer: dict[str, object]
) -> None:
    pattern = made("FREQ=WEEKLY;COUNT=10", starts)
    now = starts.replace(tzinfo=UTC) - timedelta(days=1)
    with pytest.raises(BadRecurrence) as asked:
        ask_about_hours(pattern, NO_TERMS, now=now)
    assert asked.value.problem.code == code
    assert "--if-" in asked.value.problem.hint
    ask_about_hours(replace(pattern, **answer), NO_TERMS, now=now)  # type: ignore[arg-type]


def test_the_answers_say_which_instant_is_meant() -> None:
    night = made("FREQ=DAILY", datetime(2026, 10, 1, 1, 30))
    double, missing = datetime(2026, 10, 25, 1, 30), datetime(2027, 3, 28, 1, 30)

    def at(original: datetime, **answer: object) -> str:
        one = occurrence(replace(night, **answer), NO_TERMS, original)  # type: ignore[arg-type]
        return one.at.strftime("%H:%M") if one.at else str(one.trouble or one.cancelled)

    assert at(double) == Trouble.DOUBLE_HOUR
    assert at(double, double=Double.FIRST) == "00:30"
    assert at(double, double=Double.SECOND) == "01:30"
    assert at(missing) == Trouble.MISSING_HOUR
    assert at(missing, missing=Missing.LATER) == "01:30"  # 02:30 on the clock
    assert at(missing, missing=Missing.SKIP) == "True"


@pytest.mark.parametrize("now", [datetime(2026, 10, 20, tzinfo=UTC), datetime(2027, 3, 25, tzinfo=UTC)])
def test_two_looks_that_meet_find_each_once(now: datetime) -> None:
    """A scheduler looks from where it looked last: nothing twice, nothing between two looks, on any night."""
    night = made("FREQ=DAILY", datetime(2026, 9, 1, 1, 30), missing=Missing.LATER, double=Double.FIRST)
    edges = [now + timedelta(minutes=17) * n for n in range(600)]
    found = [o for a, b in pairwise(edges) for o in occurrences(night, NO_TERMS, begins=a, ends=b)]
    whole = list(occurrences(night, NO_TERMS, begins=edges[0], ends=edges[-1]))
    assert [one.original for one in found] == [one.original for one in whole]
    assert len({one.original for one in found}) == len(found) in (7, 8)


def test_a_day_is_named_by_its_date_where_only_one_falls_on_it() -> None:
    assert the_date(CHOIR, date(2026, 9, 8)) == datetime(2026, 9, 8, 15, 30)
    with pytest.raises(BadRecurrence) as refused:
        the_date(CHOIR, date(2026, 9, 9))
    assert refused.value.problem.code == "no_such_date"


def test_once_is_a_rule_too() -> None:
    pattern = Pattern(datetime(2026, 12, 1, 8), LONDON, Rule())
    assert [one.wall for one in upcoming(pattern, NO_TERMS, now=datetime(2026, 11, 1, tzinfo=UTC))] == [
        pattern.starts
    ]
    assert upcoming(pattern, NO_TERMS, now=datetime(2026, 12, 2, tzinfo=UTC)) == []


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=WEEKLY",
        "FREQ=WEEKLY;BYDAY=MO,WE,FR",
        "FREQ=WEEKLY;BYDAY=SU,TU;INTERVAL=2;WKST=SU",
        "FREQ=WEEKLY;INTERVAL=3",
        "FREQ=DAILY;INTERVAL=5",
        "FREQ=DAILY;BYDAY=SA",
        "FREQ=WEEKLY;UNTIL=20290101",
        "FREQ=MONTHLY;BYDAY=1TU",
        "FREQ=WEEKLY;COUNT=150",
    ],
)
def test_a_rule_of_years_is_the_same_wherever_one_begins_to_count(rule: str) -> None:
    starts = datetime(2026, 9, 2, 8)
    pattern = Pattern(starts, LONDON, read_rule(rule, zone=LONDON, starts=starts))
    whole = list(takewhile(lambda one: one < datetime(2030, 6, 1), expanded(pattern.rule, starts)))
    for n in range(0, 1_200, 17):
        begins = datetime(2026, 8, 1, tzinfo=UTC) + timedelta(days=n)
        found = [
            one.original
            for one in occurrences(pattern, NO_TERMS, begins=begins, ends=begins + timedelta(days=30))
        ]
        within = [
            wall
            for wall in whole
            if begins <= wall.replace(tzinfo=ZoneInfo(LONDON)).astimezone(UTC) < begins + timedelta(days=30)
        ]
        assert found == within
