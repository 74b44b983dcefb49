"""`carillon consent` and `carillon optouts`, as the office types them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

pytestmark = pytest.mark.runs_on("sqlite")


@pytest.fixture
def family(school) -> dict[str, str]:
    """A pupil and a guardian of theirs, by the school's own ids."""
    pupil = next(
        one["id"] for one in school("groups", "show", "Year 7", "--json").json["members"] if not one["staff"]
    )
    told = school("people", "show", pupil, "--json").json
    return {
        "pupil": pupil,
        "guardian": told["guardians"][0]["id"],
        "address": told["guardians"][0]["addresses"],
    }


def test_consent_is_given_taken_back_shown_and_exported(school, family):
    who = family["guardian"]
    given = school(
        *("consent", "give", who, "--via", "email", "--source", "paper form"),
        *("--evidence", "folder 7, no. 214", "--on", "2026-09-03", "--json"),
    )
    assert given.json == {"person": who, "channel": "email", "purpose": "promotional", "said": "yes"}
    assert school("consent", "take-back", who, "--via", "email", "--source", "telephone call").code == 0
    history = school("consent", "show", who, "--json").json["history"]
    assert [(one["given"], one["stands"], one["evidence"]) for one in history] == [
        (True, False, "folder 7, no. 214"),
        (False, True, ""),
    ]
    shown = " ".join(school("consent", "show", who).out.split())
    assert "no, stands" in shown
    assert "themselv" in shown
    rows = list(csv.DictReader(io.StringIO(school("consent", "export").out.lstrip("\ufeff"))))
    assert [(row["person"], row["given"], row["stands"]) for row in rows] == [
        (who, "yes", ""),
        (who, "no", "yes"),
    ]
    assert school("consent", "export", "--csv", "out.csv").code == 0
    assert len(Path("out.csv").read_text(encoding="utf-8").splitlines()) == 3
    again = "\n".join(line.rsplit(",", 3)[0] for line in Path("out.csv").read_text("utf-8").splitlines())
    assert school("consent", "import", "-", "--json", stdin=again.encode()).json == {"kept": 2, "people": 1}


def test_a_guardian_speaks_for_a_pupil(school, family):
    told = ("--via", "sms", "--by", family["guardian"], "--source", "parents' evening")
    assert school("consent", "give", family["pupil"], *told).code == 0
    [one] = school("consent", "show", family["pupil"], "--json").json["history"]
    assert one["guardian"] == family["guardian"]


def test_a_file_with_faults_is_refused_whole_and_each_is_named(school, family):
    who = family["guardian"]
    rows = (
        f"person,channel,given,source,on\n{who},email,yes,form,\n{who},email,maybe,form,\n,email,no,form,\n"
    )
    ran = school("consent", "import", "-", "--json", stdin=rows.encode())
    assert ran.code == 2
    assert [(one["field"], one["code"]) for one in ran.json["errors"]] == [
        ("row 3.given", "bad_answer"),
        ("row 4.person", "missing"),
    ]
    assert school("consent", "show", who, "--json").json["history"] == []


@pytest.mark.parametrize(
    ("command", "code", "field"),
    [
        (("consent", "give", "G1", "--via", "fax", "--source", "x"), "unknown_channel", "channel"),
        (("consent", "give", "NOBODY", "--via", "sms", "--source", "x"), "unknown_person", "person"),
        (("consent", "give", "NOBODY", "--via", "sms", "--source", ""), "unknown_person", "person"),
        (("consent", "give", "G1", "--via", "sms", "--source", "x", "--on", "soon"), "bad_date", "on"),
        (("consent", "give", "G1", "--via", "rss", "--source", "x"), "not_personal", "channel"),
        (("consent", "show", "\udcff"), "bad_text", "who"),
        (("consent", "import", "nothing.csv"), "no_file", "text"),
        (("optouts", "add", "12", "--via", "sms", "--why", "x"), "too_short", "address"),
        (("optouts", "add", "+447911123456", "--via", "rss", "--why", "x"), "not_personal", "via"),
        (("optouts", "add", "+447911123456", "--via", "sms", "--why", "\x07"), "bad_text", "why"),
        (("optouts", "lift", "abcdefabcdef", "--via", "sms", "--why", "x"), "unknown_opt_out", "address"),
    ],
)
def test_what_is_typed_wrongly_gets_one_clear_error(school, command, code, field):
    ran = school(*command, "--json")
    assert (ran.code, ran.error["code"], ran.error["field"]) == (2, code, field)


@pytest.mark.parametrize(
    "head", ["person,channel", "person,channel,given,source,colour", "person,person,given,source", ""]
)
def test_a_file_with_other_columns_is_refused(school, head):
    ran = school("consent", "import", "-", "--json", stdin=f"{head}\na,b,c,d,e\n".encode())
    assert ran.code == 2
    assert ran.error["code"] in {"missing_column", "unknown_column", "column_twice"}


def test_opt_outs_are_kept_listed_masked_and_lifted(school):
    number = "+447911123456"
    added = school("optouts", "add", number, "--via", "sms", "--why", "asked on the telephone", "--json").json
    assert added == {"channel": "sms", "changed": True, "on_file": False}
    [one] = school("optouts", "list", "--json").json["opt_outs"]
    assert (one["address"], one["source"]) == ("", "the office: asked on the telephone")
    listed = school("optouts", "list").out
    assert number not in listed
    assert "not on file" in listed
    assert school("optouts", "lift", one["ref"], "--via", "sms", "--why", "asked at the desk").code == 0
    assert school("optouts", "list").out.strip() == "Nobody has asked for no more."
    assert "had not opted out" in school("optouts", "lift", number, "--via", "sms", "--why", "again").out
