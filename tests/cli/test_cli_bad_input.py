"""Whatever is typed wrongly gets one clear error in one shape, exit 2, and nothing is written."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from broker.announcement import People

pytestmark = pytest.mark.runs_on("sqlite")

ANNOUNCE = ("announce", "--to", "Choir")
LONG = "x" * 2_000

# what is wrong: the command line, the code, the field
BAD = {
    "a control character": ((*ANNOUNCE, "ring\x07"), "control_character", "text"),
    "a lone surrogate": ((*ANNOUNCE, "half \udcff"), "lone_surrogate", "text"),
    "a bidi override": ((*ANNOUNCE, "abc \u202e def"), "bidi_override", "text"),
    "a flood of combining marks": ((*ANNOUNCE, "a" + "\u0301" * 9), "too_many_marks", "text"),
    "an empty text": ((*ANNOUNCE, ""), "empty_text", "text"),
    "an invisible text": ((*ANNOUNCE, "\u200b \u2060"), "invisible_text", "text"),
    "no text at all": (ANNOUNCE, "empty_text", "text"),
    "a text given twice": ((*ANNOUNCE, "a", "--file", "b"), "text_twice", "text"),
    "a text too long for a text message": ((*ANNOUNCE, LONG, "--via", "sms"), "text_too_long", "text"),
    "a short text too long": ((*ANNOUNCE, "fine", "--short", LONG), "text_too_long", "short"),
    "a quote that no way can show": (
        (*ANNOUNCE, "fine", "--short", "Well done!", "--quote", "20"),
        "quote_unused",
        "quote",
    ),
    "a quote that is too long": ((*ANNOUNCE, "fine", "--quote", LONG), "text_too_long", "quote"),
    "a title of two lines": ((*ANNOUNCE, "fine", "--title", "a\nb"), "title_lines", "title"),
    "an unknown group": (("announce", "hi", "--to", "Coir"), "unknown_group", "to"),
    "a group that is no text": (("announce", "hi", "--to", "Cho\udcffir"), "bad_audience", "to"),
    "an unclosed bracket": (("announce", "hi", "--to", "(Choir"), "bad_audience", "to"),
    "nobody": (("announce", "hi", "--to", ""), "bad_audience", "to"),
    "an unknown channel": ((*ANNOUNCE, "hi", "--via", "fax"), "unknown_channel", "via"),
    "no channel": ((*ANNOUNCE, "hi", "--via", ""), "no_way", "via"),
    "a channel twice": ((*ANNOUNCE, "hi", "--via", "sms,sms"), "way_twice", "via"),
    "a past time": ((*ANNOUNCE, "hi", "--at", "2020-01-01 08:00"), "past", "at"),
    "no time": ((*ANNOUNCE, "hi", "--at", "teatime"), "bad_time", "at"),
    "an impossible day": ((*ANNOUNCE, "hi", "--at", "2027-02-30 08:00"), "bad_time", "at"),
    "the missing hour": ((*ANNOUNCE, "hi", "--at", "2027-03-28 01:30"), "missing_hour", "at"),
    "the double hour": ((*ANNOUNCE, "hi", "--at", "2027-10-31 01:30"), "double_hour", "at"),
    "a far future": ((*ANNOUNCE, "hi", "--at", "2190-01-01 08:00"), "too_far", "at"),
    "a misspelt zone": ((*ANNOUNCE, "hi", "--zone", "Europe/Londn"), "unknown_zone", "zone"),
    "a zone that is a path": ((*ANNOUNCE, "hi", "--zone", "../../etc/passwd"), "unknown_zone", "zone"),
    "expiry before start": ((*ANNOUNCE, "hi", "--expires", "2020-01-01 08:00"), "expires_first", "expires"),
    "an unknown department": ((*ANNOUNCE, "hi", "--department", "sport"), "unknown_department", "department"),
    "a department that is no text": (
        (*ANNOUNCE, "hi", "--department", "\udcff"),
        "unknown_department",
        "department",
    ),
    "a key with a line break": ((*ANNOUNCE, "hi", "--key", "a\nb"), "bad_key", "key"),
    "a language that is none": ((*ANNOUNCE, "hi", "--language", "e n"), "bad_language", "language"),
    "urgent promotion": ((*ANNOUNCE, "hi", "--urgent", "--promotional"), "urgent_promotion", "urgent"),
    "people that are none": ((*ANNOUNCE, "hi", "--people", "parents"), "wrong_use", "people"),
    "a file for texts alone": (
        (*ANNOUNCE, "hi", "--via", "sms", "--attach", "roster.csv"),
        "no_way_for_files",
        "attach",
    ),
    "an attachment that is not there": ((*ANNOUNCE, "hi", "--attach", "no.pdf"), "no_file", "attach"),
    "an attachment that is a folder": ((*ANNOUNCE, "hi", "--attach", "."), "unreadable_file", "attach"),
    "an attachment that never ends": ((*ANNOUNCE, "hi", "--attach", "/dev/zero"), "not_a_file", "attach"),
    "a file that is not there": ((*ANNOUNCE, "--file", "no.md"), "no_file", "text"),
    "an operator without a name": ((*ANNOUNCE, "hi", "--operator", " "), "bad_operator", "operator"),
    "an operator that is no text": ((*ANNOUNCE, "hi", "--operator", "\udcff"), "bad_operator", "operator"),
    "no audience": (("announce", "hi"), "wrong_use", "to"),
    "an unknown command": (("anounce", "hi"), "wrong_use", ""),
    "an unknown option": ((*ANNOUNCE, "hi", "--loud"), "wrong_use", "--loud"),
    "an id that is none": (("status", "4711"), "bad_id", "id"),
    "an id of nothing": (("status", "01a20000-0000-7000-8000-000000000000"), "not_found", "id"),
    "withdrawing nothing": (("withdraw", "01a20000-0000-7000-8000-000000000000"), "not_found", "id"),
    "requeueing nothing": (("requeue", "99"), "not_found", "id"),
    "settling nothing": (("settle", "99"), "not_found", "id"),
    "a number too large": (("requeue", "9" * 30), "bad_number", "delivery"),
    "a number that is none": (("requeue", "abc"), "bad_number", "delivery"),
    "a number below one": (("settle", "0"), "bad_number", "delivery"),
    "a reason that is no text": (("settle", "1", "--why", "\udcff"), "bad_text", "why"),
    "an account that is none": (("accounts", "pause", "smss", "--why", "x"), "not_found", "name"),
    "an account that is no text": (("accounts", "resume", "\udcff"), "bad_text", "name"),
    "a pause without a reason": (("accounts", "pause", "sms"), "wrong_use", "why"),
    "deliveries of a channel that is none": (
        ("deliveries", "--channel", "fax"),
        "unknown_channel",
        "channel",
    ),
    "deliveries in a state that is none": (("deliveries", "--state", "lost"), "wrong_use", "state"),
    "deliveries asked for twice": (("deliveries", "--failed", "--state", "sent"), "states_twice", "state"),
    "a roster that is not there": (("people", "import", "no.zip", "--yes"), "not_found", "no.zip"),
    "an import that nobody confirms": (("people", "import", "roster.csv"), "not_confirmed", "yes"),
}


@pytest.fixture
def untouched(school, tmp_path):
    """The shell; afterwards the ledger must be as it was."""
    before = school("audit", "verify", "--json").json
    yield school
    after = school("audit", "verify", "--json").json
    assert (after["entries"], after["head"]) == (before["entries"], before["head"])
    assert school("status", "--json").json == {"announcements": []}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_one_clear_error_and_nothing_is_written(untouched, tmp_path, what):
    (tmp_path / "roster.csv").write_text(PEOPLE, encoding="utf-8")
    argv, code, field = BAD[what]
    ran = untouched(*argv, "--json")
    assert ran.code == 2
    assert set(ran.json) == {"error"}
    assert set(ran.error) == {"code", "field", "message", "hint"}
    assert (ran.error["code"], ran.error["field"]) == (code, field)
    assert ran.error["message"]
    assert ran.error["hint"]
    assert len(ran.out.splitlines()) == 1
    assert "Traceback" not in ran.out + ran.err


PEOPLE = "id,role,given_name,family_name,mobile\n1,pupil,Ann,Bell,\n"
IMPORT = ("people", "import")


def test_a_roster_that_is_refused_makes_no_ledger(shell, tmp_path):
    for name, data in {
        "utf16.csv": PEOPLE.encode("utf-16"),
        "nul.csv": PEOPLE.replace("Ann", "A\0n").encode(),
        "quote.csv": PEOPLE.replace("Ann", '"Ann').encode(),
        "twice.csv": PEOPLE.replace("mobile", "role").encode(),
        "huge.csv": PEOPLE.replace("Ann", "A" * 200_000).encode(),
    }.items():
        (tmp_path / name).write_bytes(data)
        ran = shell(*IMPORT, name, "--yes", "--json")
        assert ran.code == 2, name
        assert set(ran.error) == {"code", "field", "message", "hint"}
    with zipfile.ZipFile(tmp_path / "climbs.zip", "w") as file:
        file.writestr("../people.csv", PEOPLE)
    assert shell(*IMPORT, "climbs.zip", "--yes", "--json").code == 2
    assert not (tmp_path / "var").exists()


def test_a_reused_key_with_another_body_is_a_conflict(school):
    first = school(*ANNOUNCE, "one", "--key", "k", "--json")
    again = school(*ANNOUNCE, "one", "--key", "k", "--json")
    other = school(*ANNOUNCE, "two", "--key", "k", "--json")
    assert (first.code, again.code, other.code) == (0, 0, 2)
    assert first.json["created"]
    assert not again.json["created"]
    assert again.json["announcement"] == first.json["announcement"]
    assert other.error["code"] == "key_conflict"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("grüß".encode("latin-1"), "not_utf8"),
        (b"x" * 300_000, "too_large"),
        ("text".encode("utf-16"), "not_utf8"),
        (b"", "empty_text"),
    ],
)
def test_a_text_from_standard_input_or_a_file_is_bounded_and_strictly_utf8(untouched, tmp_path, data, code):
    (tmp_path / "text.md").write_bytes(data)
    assert untouched(*ANNOUNCE, "-", "--json", stdin=data).error["code"] == code
    assert untouched(*ANNOUNCE, "--file", "text.md", "--json").error["code"] == code


def test_without_json_an_error_is_plain_words_beside_the_answer(school):
    ran = school("announce", "hi", "--to", "Coir")
    assert ran.code == 2
    assert ran.out == ""
    assert "there is no group called “Coir”" in ran.err
    assert "did you mean Choir?" in ran.err


def test_writing_wants_a_named_operator(school, monkeypatch):
    monkeypatch.delenv("CARILLON_OPERATOR")
    monkeypatch.setenv("USER", "root")
    for argv in (
        (*ANNOUNCE, "hi"),
        ("withdraw", "01a20000-0000-7000-8000-000000000000"),
        ("requeue", "1"),
        ("settle", "1"),
        ("accounts", "pause", "sms", "--why", "x"),
        ("accounts", "resume", "sms"),
    ):
        ran = school(*argv, "--json")
        assert ran.code == 2
        assert ran.error["code"] == "no_operator"
        assert "CARILLON_OPERATOR" in ran.error["hint"]


def test_every_fault_of_the_settings_is_told_at_once(shell, monkeypatch):
    monkeypatch.setenv("CARILLON_SCHOOL__ZONE", "Europe/Londn")
    monkeypatch.setenv("CARILLON_COLOUR", "blue")
    ran = shell("status", "--json")
    assert ran.code == 2
    assert {problem["field"] for problem in ran.json["errors"]} == {
        "CARILLON_SCHOOL__ZONE",
        "CARILLON_COLOUR",
    }


def test_people_are_named_as_the_glossary_names_them(school):
    said = school(*ANNOUNCE, "hi", "--people", "nobody", "--json").error["message"]
    assert all(people.value in said for people in People)


def test_a_named_pipe_without_a_writer_is_no_file(untouched, tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    assert untouched(*ANNOUNCE, "--file", "pipe", "--json").error["code"] == "not_a_file"
