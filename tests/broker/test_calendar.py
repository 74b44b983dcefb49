"""The term calendar: what kind of day a date is."""

from __future__ import annotations

from datetime import date

import pytest

from broker.diary.calendar import (
    CalendarRefused,
    DayKind,
    Span,
    SpanKind,
    TermCalendar,
    calendar_of,
    check_region,
    check_spans,
)
from broker.rosters.roster import RosterTerm, TermKind

AUTUMN = Span(SpanKind.TERM, "Autumn", date(2026, 9, 1), date(2026, 12, 18))
SPRING = Span(SpanKind.TERM, "Spring", date(2027, 1, 5), date(2027, 4, 9))
OCTOBER = Span(SpanKind.HALF_TERM, "", date(2026, 10, 26), date(2026, 10, 30))
INSET = Span(SpanKind.INSET, "", date(2026, 9, 1), date(2026, 9, 1))
SNOW = Span(SpanKind.CLOSED, "Snow", date(2027, 2, 2), date(2027, 2, 2))
CALENDAR = TermCalendar([SPRING, AUTUMN, OCTOBER, INSET, SNOW], region="GB-ENG")


@pytest.mark.parametrize(
    ("on", "kind", "name"),
    [
        (date(2026, 8, 31), DayKind.BANK_HOLIDAY, "Late Summer Bank Holiday"),
        (date(2026, 8, 30), DayKind.UNKNOWN, ""),
        (date(2026, 9, 1), DayKind.INSET, ""),
        (date(2026, 9, 2), DayKind.TERM, "Autumn"),
        (date(2026, 10, 28), DayKind.HALF_TERM, ""),
        (date(2026, 12, 18), DayKind.TERM, "Autumn"),
        (date(2026, 12, 19), DayKind.HOLIDAY, ""),
        (date(2026, 12, 25), DayKind.BANK_HOLIDAY, "Christmas Day"),
        (date(2027, 2, 2), DayKind.CLOSED, "Snow"),
        (date(2027, 3, 26), DayKind.BANK_HOLIDAY, "Good Friday"),
        (date(2027, 4, 10), DayKind.UNKNOWN, ""),
    ],
)
def test_every_day_is_of_a_kind(on: date, kind: DayKind, name: str) -> None:
    day = CALENDAR.day(on)
    assert (day.kind, day.name) == (kind, name)
    assert day.why


def test_without_any_term_nothing_is_known_but_bank_holidays() -> None:
    calendar = TermCalendar([], region="GB-ENG")
    assert calendar.day(date(2026, 11, 10)).kind is DayKind.UNKNOWN
    assert calendar.day(date(2026, 12, 25)).kind is DayKind.BANK_HOLIDAY
    assert TermCalendar([], region="").day(date(2026, 12, 25)).kind is DayKind.UNKNOWN


def told(name: str, kind: TermKind, begins: date, ends: date, parent: str | None = None) -> RosterTerm:
    return RosterTerm(name, name, kind, begins, ends, parent)


def test_a_roster_that_tells_grading_periods_tells_half_terms() -> None:
    roster = [
        told("2026/27", TermKind.SCHOOL_YEAR, date(2026, 9, 1), date(2027, 7, 20)),
        told("Autumn", TermKind.TERM, date(2026, 9, 1), date(2026, 12, 18), "2026/27"),
        told("Autumn 1", TermKind.GRADING_PERIOD, date(2026, 9, 1), date(2026, 10, 23), "Autumn"),
        told("Autumn 2", TermKind.GRADING_PERIOD, date(2026, 11, 2), date(2026, 12, 18), "Autumn"),
    ]
    calendar = calendar_of([], roster, region="")
    assert calendar.day(date(2026, 10, 28)).kind is DayKind.HALF_TERM
    assert calendar.day(date(2026, 11, 2)).kind is DayKind.TERM
    assert calendar.known_until == date(2026, 12, 18)


def test_terms_that_the_office_imported_stand_in_the_place_of_the_rosters() -> None:
    roster = [told("2026/27", TermKind.SCHOOL_YEAR, date(2026, 9, 1), date(2027, 7, 20))]
    assert calendar_of([INSET], roster, region="").day(date(2027, 5, 4)).kind is DayKind.TERM
    assert calendar_of([AUTUMN], roster, region="").day(date(2027, 5, 4)).kind is DayKind.UNKNOWN


@pytest.mark.parametrize(
    ("spans", "code"),
    [
        ([Span(SpanKind.TERM, "A", date(2026, 9, 2), date(2026, 9, 1))], "ends_first"),
        ([Span(SpanKind.TERM, "A", date(2026, 9, 2), date(2028, 9, 1))], "too_long"),
        ([Span(SpanKind.TERM, "A", date(1, 1, 1), date(1, 1, 2))], "bad_year"),
        ([Span(SpanKind.TERM, "A", date(9999, 12, 31), date(9999, 12, 31))], "bad_year"),
        ([AUTUMN, Span(SpanKind.TERM, "B", date(2026, 12, 18), date(2027, 4, 1))], "terms_overlap"),
        ([Span(SpanKind.INSET, "x" * 101, date(2026, 9, 1), date(2026, 9, 1))], "bad_name"),
        ([INSET] * 1_001, "too_many_spans"),
    ],
)
def test_a_calendar_that_cannot_be_meant_is_refused(spans: list[Span], code: str) -> None:
    with pytest.raises(CalendarRefused) as refused:
        check_spans(spans)
    assert refused.value.problem.code == code
    assert refused.value.problem.hint


def test_a_region_without_known_bank_holidays_is_refused_with_those_there_are() -> None:
    check_region("GB-SCT")
    check_region("")
    with pytest.raises(CalendarRefused) as refused:
        check_region("GB-XYZ")
    assert "GB-ENG" in refused.value.problem.hint
    with pytest.raises(CalendarRefused):
        check_region("Narnia")
