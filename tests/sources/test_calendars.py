"""Calendars from outside: read in the school's zone, bounded, and refused by name."""

# ruff: noqa: DTZ001 - a wall time has no zone
from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from broker.diary.calendar import Span, SpanKind
from broker.diary.events import ALONE, ToldCalendar
from sources.calendars import (
    LIMITS,
    CalendarUnreadable,
    events_of_csv,
    events_of_ics,
    looks_like_ics,
    spans_of_csv,
    spans_of_ics,
)

LONDON = "Europe/London"
YEAR = (date(2026, 9, 1), date(2027, 9, 1))


def ics(*lines: str) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""]).encode()


def event(*lines: str, uid: str = "a") -> list[str]:
    return ["BEGIN:VEVENT", f"UID:{uid}", "SUMMARY:Choir", *lines, "END:VEVENT"]


def read(*lines: str) -> ToldCalendar:
    return events_of_ics(ics(*event(*lines)), zone=LONDON, begins=YEAR[0], ends=YEAR[1])


CHOIR = ("DTSTART;TZID=Europe/London:20261013T153000", "DTEND;TZID=Europe/London:20261013T163000")


def test_an_event_is_read_with_its_place_and_nothing_else() -> None:
    told = read(
        *CHOIR, "LOCATION:Hall\\, stage", "DESCRIPTION:Mr Bell is ill", "ATTENDEE:mailto:a@example.org"
    )
    (one,) = told.events
    assert (one.title, one.place, one.cancelled, one.original) == ("Choir", "Hall, stage", False, ALONE)
    assert one.starts_at == datetime(2026, 10, 13, 14, 30, tzinfo=UTC)
    assert one.wall == datetime(2026, 10, 13, 15, 30)
    assert "ill" not in repr(told)
    assert "example.org" not in repr(told)


def test_a_series_is_each_of_its_times_and_one_moved_keeps_its_identity() -> None:
    lines = [
        *event(*CHOIR, "RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE;TZID=Europe/London:20261020T153000"),
        *event(
            "RECURRENCE-ID;TZID=Europe/London:20261027T153000", "DTSTART;TZID=Europe/London:20261028T090000"
        ),
    ]
    told = events_of_ics(ics(*lines), zone=LONDON, begins=YEAR[0], ends=YEAR[1])
    assert [(one.original.day, one.wall.day, one.starts_at.hour) for one in told.events] == [
        (13, 13, 14),
        (27, 28, 9),  # the clocks went back between
        (3, 3, 15),
    ]


def test_a_time_without_a_zone_is_the_schools_and_one_of_another_zone_is_translated() -> None:
    assert read("DTSTART:20261013T153000").events[0].starts_at.hour == 14
    assert read("DTSTART;TZID=Europe/Berlin:20261013T153000").events[0].wall.hour == 14
    assert read("DTSTART:20261013T153000Z").events[0].wall.hour == 16
    trip = read("DTSTART;VALUE=DATE:20261013").events[0]  # a whole day, from midnight to midnight
    assert (trip.wall, trip.ends_at - trip.starts_at) == (datetime(2026, 10, 13), timedelta(days=1))


def test_cancelled_is_told() -> None:
    assert read(*CHOIR, "STATUS:CANCELLED").events[0].cancelled


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (("DTSTART;TZID=Europe/Lundon:20261013T153000",), "unknown_zone"),
        (("DTSTART;TZID=/etc/passwd:20261013T153000",), "unknown_zone"),
        ((), "no_start"),
        (("DTSTART:yesterday",), "bad_time"),
        (("DTSTART:00010101T000000",), "bad_year"),
        (("DTSTART:99991231T235959Z",), "bad_year"),
        (("DTSTART:20261013T153000", "DTEND:20261012T153000"), "ends_first"),
        (("DTSTART:20261013T153000", "DTEND;VALUE=DATE:20261014"), "day_and_time"),
        (("DTSTART:20261013T153000", "DTEND:20261013T163000Z"), "two_zones"),
        (("DTSTART:20261013T153000", "DURATION:P9999W"), "bad_duration"),
        (("DTSTART:20261025T013000",), "double_hour"),
        (("DTSTART:20270328T013000",), "missing_hour"),
        ((*CHOIR, "RRULE:FREQ=SECONDLY"), "too_often"),
        ((*CHOIR, "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), "may_never_hold"),
        ((*CHOIR, "RRULE:FREQ=WEEKLY;UNTIL=99991231T000000Z"), "bad_year"),
        ((*CHOIR, "RRULE:FREQ=WEEKLY", "RRULE:FREQ=DAILY"), "two_rules"),
        ((*CHOIR, "RRULE:FREQ=WEEKLY", "EXDATE:" + ",".join(["20261013T153000Z"] * 1_001)), "too_many_dates"),
        ((*CHOIR, "LOCATION:" + "x" * 201), "text_too_long"),
    ],
)
def test_an_event_that_cannot_be_meant_is_named_and_left_out(lines: tuple[str, ...], code: str) -> None:
    began = time.process_time()
    told = read(*lines)
    assert (told.events, [problem.code for problem in told.problems]) == ((), [code])
    assert time.process_time() - began < 1


def test_an_unknown_zone_comes_with_a_suggestion() -> None:
    (problem,) = read("DTSTART;TZID=Europe/Lundon:20261013T153000").problems
    assert problem.hint == "did you mean Europe/London?"


@pytest.mark.parametrize("until", ["20261027T153000", "20261027", "20261027T153000Z"])
def test_an_until_of_any_kind_beside_a_start_with_a_zone_is_read(until: str) -> None:
    assert len(read(*CHOIR, f"RRULE:FREQ=WEEKLY;UNTIL={until}").events) == 3


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "no_calendar"),
        (b"dear all,", "no_calendar"),
        (b"\r\n<!DOCTYPE html><html>Sign in</html>", "web_page"),
        (b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", "no_calendar"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nEND:VCALENDAR\r\n", "unbalanced"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\n", "unclosed"),
        (b"BEGIN:VCALENDAR\r\nSUMMARY:\xff\r\nEND:VCALENDAR\r\n", "not_utf8"),
        (b"BEGIN:VCALENDAR\0\r\nEND:VCALENDAR\r\n", "nul"),
        (b"BEGIN:VCALENDAR\r\n" * 6 + b"END:VCALENDAR\r\n" * 6, "too_deep"),
        (b"BEGIN:VCALENDAR\r\nX:" + b"x" * 70_000 + b"\r\nEND:VCALENDAR\r\n", "long_line"),
        (b"BEGIN:VCALENDAR\r\nX:y\r\n" + b" folded\r\n" * 12_000 + b"END:VCALENDAR\r\n", "long_line"),
        (b"BEGIN:VCALENDAR\r\n" + b"\r\n" * 100_001 + b"END:VCALENDAR\r\n", "too_many_lines"),
        (b"BEGIN:VCALENDAR\r\nno line at all\r\nEND:VCALENDAR\r\n", "bad_calendar"),
        (b"x" * (LIMITS.file_bytes + 1), "too_large"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_whole_by_name(data: bytes, code: str) -> None:
    began = time.process_time()
    with pytest.raises(CalendarUnreadable) as refused:
        events_of_ics(data, zone=LONDON, begins=YEAR[0], ends=YEAR[1])
    assert refused.value.problem.code == code
    assert refused.value.problem.hint
    assert time.process_time() - began < 1


def test_a_zone_with_its_makers_name_before_it_is_read_without_a_word_of_the_parsers() -> None:
    (one,) = read("DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20261013T153000").events
    assert one.wall.hour == 14  # and a warning would be an error here


def test_more_events_or_times_than_a_schools_are_refused() -> None:
    small = replace(LIMITS, events=2, times=10)
    with pytest.raises(CalendarUnreadable, match="more than 2 events"):
        events_of_ics(ics(*event(*CHOIR) * 3), zone=LONDON, begins=YEAR[0], ends=YEAR[1], limits=small)
    with pytest.raises(CalendarUnreadable, match="more than 10 times"):
        events_of_ics(
            ics(*event(*CHOIR, "RRULE:FREQ=DAILY")), zone=LONDON, begins=YEAR[0], ends=YEAR[1], limits=small
        )


def test_series_that_take_too_long_are_refused_after_a_set_of_them() -> None:
    rare = ("DTSTART:20000229T080000", "RRULE:FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29")
    lines = [line for n in range(150) for line in event(*(rare if n < 2 else CHOIR), uid=str(n))]
    small = replace(LIMITS, expanding=timedelta(milliseconds=1))
    with pytest.raises(CalendarUnreadable, match="too long") as refused:
        events_of_ics(ics(*lines), zone=LONDON, begins=YEAR[0], ends=YEAR[1], limits=small)
    assert refused.value.problem.code == "too_slow"
    told = events_of_ics(ics(*lines), zone=LONDON, begins=YEAR[0], ends=YEAR[1])
    assert len(told.events) == 148


def test_a_year_of_a_thousand_events_is_expanded_in_two_seconds() -> None:
    lines = [
        line
        for n in range(1_000)
        for line in event(*CHOIR, *(["RRULE:FREQ=WEEKLY"] * (n % 4 == 0)), uid=str(n))
    ]
    began = time.process_time()
    told = events_of_ics(ics(*lines), zone=LONDON, begins=YEAR[0], ends=YEAR[1])
    assert len(told.events) > 10_000
    assert time.process_time() - began < 4  # 2 on a quiet machine, which the bench holds


def test_terms_are_known_by_the_words_of_their_titles() -> None:
    def day(title: str, begins: str, ends: str) -> list[str]:
        return [
            *("BEGIN:VEVENT", f"SUMMARY:{title}", f"DTSTART;VALUE=DATE:{begins}"),
            *(f"DTEND;VALUE=DATE:{ends}", "END:VEVENT"),
        ]

    spans, problems = spans_of_ics(
        ics(
            *day("Autumn Term 2026", "20260901", "20261219"),
            *day("October half-term", "20261026", "20261031"),
            *day("INSET day (staff only)", "20260901", "20260902"),
            *day("School closed", "20270202", "20270203"),
            *day("Term ends", "20261218", "20261219"),
            *day("Harvest festival", "20261002", "20261003"),
        )
    )
    assert spans == [
        Span(SpanKind.TERM, "Autumn Term 2026", date(2026, 9, 1), date(2026, 12, 18)),
        Span(SpanKind.HALF_TERM, "October half-term", date(2026, 10, 26), date(2026, 10, 30)),
        Span(SpanKind.INSET, "INSET day (staff only)", date(2026, 9, 1), date(2026, 9, 1)),
        Span(SpanKind.CLOSED, "School closed", date(2027, 2, 2), date(2027, 2, 2)),
    ]
    assert [(problem.where, problem.code) for problem in problems] == [
        ("event 5", "unknown_kind"),
        ("event 6", "unknown_kind"),
    ]


def test_terms_as_a_table() -> None:
    spans, problems = spans_of_csv(
        "Kind;Name;Begins;Ends\r\nterm;Autumn;01/09/2026;2026-12-18\r\nINSET;;2026-09-01;\r\nfête;;2026-09-01;\r\n"
        "term;;31/02/2027;\r\n".encode()
    )
    assert spans == [
        Span(SpanKind.TERM, "Autumn", date(2026, 9, 1), date(2026, 12, 18)),
        Span(SpanKind.INSET, "", date(2026, 9, 1), date(2026, 9, 1)),
    ]
    assert [(problem.where, problem.code) for problem in problems] == [
        ("row 4", "unknown_kind"),
        ("row 5", "bad_day"),
    ]


def test_events_as_a_table() -> None:
    told = events_of_csv(
        b"title,begins,ends,place,group,uid,cancelled\n"
        b"Concert,2026-12-09 19:00,2026-12-09 21:00,Hall,Choir,,\n"
        b"Trip,2026-11-05 08:00,,,,trip-1,yes\n"
        b"Concert,2026-12-09 18:00,,Hall,Choir,,\n"
        b"Night,2026-10-25 01:30,,,,,\n"
        b",2026-11-05 08:00,,,,,\n"
        b"Tea,2026-11-05,,,,,\n"
        b"Backwards,2026-11-05 08:00,2026-11-04 08:00,,,,\n",
        zone=LONDON,
        begins=YEAR[0],
        ends=YEAR[1],
    )
    assert [(one.title, one.place, one.group, one.cancelled) for one in told.events] == [
        ("Trip", "", "", True),
        ("Concert", "Hall", "Choir", False),
    ]
    assert told.events[0].original == ALONE
    assert told.events[1].original == datetime(2026, 12, 9)
    assert [problem.code for problem in told.problems] == [
        "event_twice",
        "double_hour",
        "no_title",
        "no_hour",
        "ends_first",
    ]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "missing_header"),
        (b"name,when\n", "missing_header"),
        (b"title,begins,title\n", "duplicate_header"),
        (b'title,begins\n"Choir,2026-11-05 08:00\n', "bad_csv"),
        (b"title,begins\nChoir,2026-11-05 08:00,too,many\n", "ragged_row"),
        (b"title,begins\n\xff,\n", "not_utf8"),
        (b"title,begins\n\0,\n", "nul"),
        (b"title,begins\n" + b"a,b\n" * 5_001, "too_many_rows"),
    ],
)
def test_a_table_that_cannot_be_trusted_is_refused_whole_by_name(data: bytes, code: str) -> None:
    with pytest.raises(CalendarUnreadable) as refused:
        events_of_csv(data, zone=LONDON, begins=YEAR[0], ends=YEAR[1])
    assert refused.value.problem.code == code


def test_a_calendar_is_known_by_how_it_begins() -> None:
    assert looks_like_ics(b"\xef\xbb\xbfBEGIN:VCALENDAR\r\n")
    assert not looks_like_ics(b"title,begins\n")
