"""Untis files, tables and calendars of changes: read whole or refused by name, and no reason for an absence is kept."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.diary.timetable import ChangeKind, TimetableChange, begins, difference, keyed
from broker.diary.timetable_words import line
from sources.timetables import Format, Reading, read
from sources.timetables.errors import TimetableRefused
from sources.timetables.text import MOST_BYTES

ZONE = ZoneInfo("Europe/London")
ROW = '7,"20261124",2,3,124,"Bön","Zim","Ma",,,,"R3","R5",,"8A~8B","Ill",,2,"8A", ,202611230928,"x"'
CALENDAR = "\r\n".join(
    (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "BEGIN:VEVENT",
        "UID:1",
        "DTSTART;TZID=Europe/London:20261124T091500",
        "SUMMARY:Maths",
        "CATEGORIES:8A,8B",
        "STATUS:CANCELLED",
        "DESCRIPTION:ill",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    )
)


def changes(data: bytes | str, **how: object) -> list[TimetableChange]:
    raw = data.encode() if isinstance(data, str) else data
    return read(raw, Reading(**how), ZONE)[0]  # type: ignore[arg-type]


def refusal(data: bytes | str, **how: object) -> tuple[str, str]:
    with pytest.raises(TimetableRefused) as refused:
        changes(data, **how)
    return refused.value.problem.code, refused.value.problem.field


def test_a_row_of_untis_is_one_change_and_its_reason_is_not_in_it():
    (one,) = changes(ROW)
    assert (one.day, one.period, one.classes, one.kind) == (
        date(2026, 11, 24),
        "2",
        ("8A",),
        ChangeKind.COVER,
    )
    assert line(one, "8A") == "8A, Tue 24 Nov, period 2: Ma, with Zim, room R5"
    assert "Ill" not in repr(one)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "iso-8859-1", "utf-16"])
def test_delimiters_and_encodings_are_found_out(delimiter: str, encoding: str):
    (one,) = changes(ROW.replace(",", delimiter).encode(encoding))
    assert (one.teacher, one.classes) == ("Bön", ("8A",))


@pytest.mark.parametrize(
    ("letter", "kind"),
    [("C", ChangeKind.CANCELLED), ("R", ChangeKind.ROOM), ("Z", ChangeKind.OTHER), ("?", ChangeKind.OTHER)],
)
def test_a_letter_that_is_not_known_is_a_change_all_the_same(letter: str, kind: ChangeKind):
    (one,) = changes(ROW.replace('"8A", ,', f'"8A",{letter},'))
    assert one.kind is kind


def test_a_break_duty_and_a_row_without_classes_concern_no_pupil_but_are_counted():
    duty = ROW.replace('"8A", ,', '"8A",B,')
    nobody = ROW.replace('"8A~8B"', "").replace('"8A", ,', ", ,")
    assert read(f"{duty}\n\n{nobody}\n".encode(), Reading(), ZONE) == ([], 2)


def test_an_older_untis_without_the_last_fields_is_read():
    (one,) = changes(",".join(ROW.split(",")[:15]))
    assert one.classes == ("8A", "8B")


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        (f"{ROW}\n{ROW[:40]}", "missing_fields", "row 2"),
        (ROW.replace("20261124", "20261341"), "bad_date", "row 1 field 2"),
        (ROW.replace("20261124", "99991231"), "bad_date", "row 1 field 2"),
        (ROW.replace("20261124", ""), "bad_date", "row 1 field 2"),
        (f"{ROW}\n" + ",".join(ROW.split(",")[:-1]), "missing_fields", "row 2"),
        (ROW.replace('"Bön",', ""), "fields_moved", "row 1"),
        (ROW.replace('"Ill"', "Ill, and worse"), "fields_moved", "row 1"),
        (f"{ROW}\n" + ROW.replace('"Ill"', "Ill, and worse").replace('"8A",', ","), "fields_moved", "row 2"),
        (b"\0\1\2" * 10, "nul", "file"),
        ('"' + "x" * 200_000, "bad_csv", "row 1"),
    ],
)
def test_a_file_that_is_cut_off_or_damaged_is_refused_whole(data: str | bytes, code: str, field: str):
    assert refusal(data) == (code, field)


def test_too_much_is_refused_before_it_is_parsed():
    assert refusal(b"x" * (MOST_BYTES + 1))[0] == "too_large"


def test_a_named_encoding_is_held_to():
    assert refusal(ROW.encode("iso-8859-1"), encoding="utf-8")[0] == "wrong_encoding"
    assert refusal(ROW, encoding="no-such")[0] == "wrong_encoding"


def test_a_table_says_by_its_headers_what_is_what():
    table = "Date;Form;What;Lesson;Hour\n24/11/2026;8A, 8B;Ausfall;Maths;3\n2026-11-25;9C;else;Art;\n"
    columns = {"day": "date", "classes": "form", "kind": "what", "subject": "lesson", "period": "hour"}
    one, two = changes(table, format=Format.CSV, columns=columns, kinds={"ausfall": "cancelled"})
    assert line(one, "8B") == "8B, Tue 24 Nov, period 3: Maths is cancelled"
    assert (two.day, two.classes, two.kind) == (date(2026, 11, 25), ("9C",), ChangeKind.OTHER)
    assert refusal(table, format=Format.CSV) == ("missing_header", "row 1")
    assert refusal("day,classes\nsoon,8A\n", format=Format.CSV) == ("bad_date", "row 2")
    assert refusal("", format=Format.CSV) == ("missing_header", "row 1")


def test_a_calendar_of_changes_is_read_and_what_describes_them_is_not():
    (one,) = changes(CALENDAR, format=Format.ICS)
    assert line(one, "8A") == "8A, Tue 24 Nov, 09:15: Maths is cancelled"
    assert "ill" not in repr(one)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("END:VEVENT\r\n", "", "unbalanced"),
        ("END:VEVENT\r\nEND:VCALENDAR\r\n", "", "unclosed"),
        ("TZID=Europe/London", "TZID=Europe/Lundon", "unknown_zone"),
        ("BEGIN:VEVENT", "BEGIN:VTODO\r\n" * 9 + "BEGIN:VEVENT", "too_deep"),
        ("SUMMARY:Maths", "RRULE:FREQ=SECONDLY", "recurring"),
        ("DTSTART;TZID=Europe/London:20261124T091500", "DTSTART:soon", "bad_event"),
        ("20261124", "99991231", "bad_date"),
        ("20261124", "00010101", "bad_date"),
        ("BEGIN:VCALENDAR", "BEGIN:NOTHING", "no_calendar"),
        ("SUMMARY:Maths", "SUMMARY:Maths\r\nUID:2\r\nDTSTART:20261124T0915", "bad_event"),
    ],
)
def test_a_calendar_that_cannot_be_meant_is_refused(old: str, new: str, code: str):
    assert refusal(CALENDAR.replace(old, new), format=Format.ICS)[0] == code


def test_a_zone_that_is_misspelt_is_refused_with_what_may_be_meant():
    with pytest.raises(TimetableRefused) as refused:
        changes(CALENDAR.replace("Europe/London", "Europe/Lundon"), format=Format.ICS)
    assert refused.value.problem.hint == "did you mean Europe/London?"
    (one,) = changes(
        CALENDAR.replace("Europe/London:20261124T091500", "America/New_York:20261124T041500"),
        format=Format.ICS,
    )
    assert one.period == "09:15"


def test_two_rows_of_one_lesson_that_are_for_two_classes_are_both_told():
    two = changes(f"{ROW}\n" + ROW.replace('"8A", ,', '"8B", ,'))
    assert {one.classes for one in keyed(two).values()} == {("8A",), ("8B",)}


def test_when_a_lesson_begins_is_said_by_the_school_or_by_the_source():
    assert begins("2", {"2": time(9, 15)}) == time(9, 15)
    assert begins("09:15") == begins("9:15") == time(9, 15)
    assert begins("2") is begins("25:00") is begins("") is None


def test_the_same_lesson_is_the_same_change_and_halves_of_a_class_are_two():
    cover, room = changes(ROW)[0], changes(ROW.replace('"R5"', '"R6"'))[0]
    assert cover.key == room.key
    assert cover.digest != room.digest
    assert len(keyed([cover, room, cover])) == 2


def test_when_one_half_of_a_class_changes_the_other_stays_what_it_was():
    one, two, three = (changes(ROW.replace('"R5"', f'"R{n}"'))[0] for n in (5, 6, 7))
    before = {key: change.digest for key, change in keyed([one, two]).items()}
    for now in ([one, three], [three, one], [two, three], [one, two, three], [two], [one]):
        found = difference(before, keyed(now, before))
        assert len(found.altered) == (1 if len(now) == 2 else 0)
        assert len(found.added) == (1 if len(now) == 3 else 0)
        assert len(found.gone) == (1 if len(now) == 1 else 0)


@given(st.binary(max_size=400), st.sampled_from(list(Format)))
def test_whatever_comes_is_read_or_refused(data: bytes, format_: Format):
    with suppress(TimetableRefused):
        read(data, Reading(format_), ZONE)


@given(st.text(max_size=60))
def test_no_field_of_a_source_leaves_its_line_or_fills_a_gap(field: str):
    row = ROW.replace("Zim", field.replace('"', "").replace("\0", ""))
    try:
        found = changes(row.encode("utf-8", "surrogatepass"), delimiter=",")
    except TimetableRefused:
        return
    for one in found:
        said = line(one, "8A")
        assert said.isprintable()
        assert "{" not in said
        assert len(said) < 600
