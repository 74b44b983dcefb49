"""What music and the timetable system may hand in by mistake: one clear error each, and nothing half taken in."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import *  # noqa: F403 - a shell and a small school

pytestmark = pytest.mark.runs_on("sqlite")
DAY = datetime.now(UTC).date() + timedelta(days=20)
AT = f"{DAY:%Y%m%d}T153000"
GOOD = "BEGIN:VEVENT\nUID:good\nSUMMARY:Choir\nDTSTART:{at}\nEND:VEVENT\n"


def ics(*lines: str) -> bytes:
    """A calendar with one good event, and another one of these lines."""
    event = "\n".join(("BEGIN:VEVENT", "UID:bad", "SUMMARY:Band", *lines, "END:VEVENT", ""))
    return ("BEGIN:VCALENDAR\nVERSION:2.0\n" + GOOD.format(at=AT) + event + "END:VCALENDAR\n").encode()


WEEKLY = (f"DTSTART;TZID=Europe/London:{AT}", "RRULE:FREQ=WEEKLY")
CALENDARS = {
    "every second": (ics(WEEKLY[0], "RRULE:FREQ=SECONDLY"), "too_often"),
    "never": (ics(WEEKLY[0], "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), "impossible"),
    "ten thousand exceptions": (ics(*WEEKLY, "EXDATE:" + ",".join([AT] * 10_000)), "long_line"),
    "ten thousand exceptions a line": (ics(*WEEKLY, *[f"EXDATE:{AT}"] * 10_000), "too_many_dates"),
    "unclosed": (ics(*WEEKLY).replace(b"END:VEVENT\nEND:VCALENDAR", b"END:VCALENDAR"), "unbalanced"),
    "cut off": (ics(*WEEKLY)[:-40], "unclosed"),
    "unknown zone": (ics(f"DTSTART;TZID=Europe/Lundon:{AT}"), "unknown_zone"),
    "year 1": (ics("DTSTART:00010101T080000"), "bad_year"),
    "year 9999": (ics("DTSTART:99991231T235900Z"), "bad_year"),
    "until 9999": (ics(WEEKLY[0], "RRULE:FREQ=WEEKLY;UNTIL=99991231T000000Z"), "bad_year"),
    "a page": (b"\r\n<!DOCTYPE html><html>Sign in</html>", "web_page"),
    "a letter": (b"Dear all,", "missing_header"),  # what is no calendar is a table
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not_utf8"),
    "too large": (b"BEGIN:VCALENDAR\n" + b"X" * 20_000_000, "too_large"),
}
FIELDS = [
    "1",
    f"{DAY:%Y%m%d}",
    "3",
    "3",
    "1",
    "AB",
    "CD",
    "Ma",
    "",
    "",
    "",
    "R1",
    "R2",
    "",
    "7A",
    "Ill",
    "",
    "0",
    "7A",
    "C",
]


def gpu014(delimiter: str = ",", encoding: str = "utf-8", **fields: str) -> bytes:
    """A row of Untis, with other fields at these places."""
    cells = [fields.get(f"f{place}", cell) for place, cell in enumerate(FIELDS)]
    return delimiter.join(cell if cell.isdigit() else f'"{cell}"' for cell in cells).encode(encoding)


PUSHES = {
    "missing fields": (gpu014() + b"\r\n" + b"2,20261103,3\r\n", "missing_fields"),
    "no date": (gpu014(f1="yesterday"), "bad_date"),
    "no day": (gpu014(f1="20260230"), "bad_date"),
    "year 1": (gpu014(f1="00010101"), "bad_date"),
    "year 9999": (gpu014(f1="99991231"), "bad_date"),
    "a delimiter in a text": (gpu014(f16='Hall", "B'), "fields_moved"),
    "neither encoding": (gpu014() + b"\r\n\0", "nul"),
    "a page": (b"<!DOCTYPE html><html>Sign in</html>", "web_page"),
}


def found(ran: Any, code: str) -> str:
    """What is wrong with an answer that should be one clear error; "" for nothing."""
    if "Traceback" in ran.out + ran.err:
        return "a stack trace"
    if ran.code != 2:
        return f"exit {ran.code}: {ran.out[-300:]}"
    error = ran.error
    if set(error) < {"code", "field", "message", "hint"} or not all(error.values()):
        return f"not all said: {error}"
    return "" if error["code"] == code else f"{error}"


@pytest.mark.timeout(240)  # a command each, which on a busy machine takes seconds to start
def test_a_calendar_that_cannot_be_meant_is_one_clear_error_and_brings_nothing(
    school: Any, tmp_path: Path
) -> None:
    wrong = {}
    for name, (data, code) in CALENDARS.items():
        file = tmp_path / "choir.ics"
        file.write_bytes(data)
        began = time.process_time()
        ran = school("events", "import", str(file), "--to", "Choir", "--department", "music", "--json")
        wrong[name] = found(ran, code) or ("too slow" if time.process_time() - began > 3 else "")
    assert {name: why for name, why in wrong.items() if why} == {}
    assert school("events", "--json").json["events"] == []


def test_terms_that_cannot_be_meant_are_one_clear_error(school: Any, tmp_path: Path) -> None:
    files = {
        "terms.csv": b"kind,name,begins,ends\nterm,Autumn,2026-09-01,2026-12-18\nterm,Spring,0001-01-05,0001-03-25\n",
        "years.csv": b"kind,name,begins,ends\nterm,Autumn,9999-09-01,9999-12-18\n",
        "cut.ics": b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Autumn term\nDTSTART;VALUE=DATE:20260901\n",
    }
    wrong = {}
    for (name, data), code in zip(files.items(), ("bad_year", "bad_year", "unclosed"), strict=True):
        (tmp_path / name).write_bytes(data)
        wrong[name] = found(school("terms", "import", str(tmp_path / name), "--json"), code)
    assert {name: why for name, why in wrong.items() if why} == {}
    assert school("terms", "--json").json["spans"] == []


def test_a_file_of_changes_that_cannot_be_meant_is_one_clear_error_and_tells_nobody(
    school: Any, tmp_path: Path
) -> None:
    wrong = {}
    for name, (data, code) in PUSHES.items():
        file = tmp_path / "GPU014.TXT"
        file.write_bytes(data)
        wrong[name] = found(school("timetable", "push", str(file), "--json"), code)
    assert {name: why for name, why in wrong.items() if why} == {}
    assert school("status", "--json").json["announcements"] == []


def test_other_delimiters_encodings_and_letters_of_untis_are_read(
    school: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARILLON_TIMETABLES__UNTIS__VIA", "email")
    assert school("templates", "save", "Timetable", "{changes}", "--department", "office").code == 0
    file = tmp_path / "GPU014.TXT"
    for data in (
        gpu014(";", "iso-8859-1", f7="Französisch"),
        gpu014("\t", "utf-8-sig", f7="Französisch"),
        gpu014(f19="Q"),
    ):
        file.write_bytes(data)
        ran = school("timetable", "push", str(file), "--json")
        assert (ran.code, ran.json.get("rows")) == (0, 1), ran.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--every", "FREQ=WEEKLY;UNTIL=20270101T000000;COUNT=3"), "two_ends"),
        (("--every", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), "impossible"),
        (("--every", "FREQ=WEEKLY;UNTIL=99991231T000000Z"), "bad_year"),
        (("--every", "FREQ=WEEKLY;" + "X" * 3_000), "rule_too_long"),
        (("--starts", "0001-01-05 08:00"), "bad_year"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_one_clear_error(
    school: Any, arguments: tuple[str, ...], code: str
) -> None:
    starts = () if "--starts" in arguments else ("--starts", f"{DAY} 08:00")
    ran = school("schedule", "add", "X", "words", "--to", "Choir", *starts, *arguments, "--json")
    assert found(ran, code) == ""
