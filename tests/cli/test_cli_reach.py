"""`carillon reach`: who is not reached, by name, and the papers for them."""

from __future__ import annotations

import csv
import io
import os
import stat
from pathlib import Path

import pytest

pytestmark = pytest.mark.runs_on("sqlite")


def test_the_statement_is_one_json_object_with_who_and_why(school):
    ran = school("reach", "--to", "everyone", "--via", "sms", "--json")
    assert ran.code == 0, ran.out
    told = ran.json
    assert told["pupils"] == 60
    assert told["reached"] + len(told["unreached"]) == 60
    assert 0 < len(told["unreached"]) < 60
    assert all(set(one) == {"name", "group", "why"} and all(one.values()) for one in told["unreached"])
    assert "no mobile number on file" in {one["why"] for one in told["unreached"]}
    assert told["ways"]["sms"]["people"] == told["reached"]


def test_more_ways_leave_fewer_and_public_ones_count_for_nobody(school):
    both = school("reach", "--to", "everyone", "--via", "sms,email", "--json").json
    assert len(both["unreached"]) < len(
        school("reach", "--to", "everyone", "--via", "sms", "--json").json["unreached"]
    )
    assert "7" in school("reach", "--to", "Year 7").out


def test_it_is_asked_before_carillon_was_ever_started_with_these_accounts(school, monkeypatch):
    for name, value in {"CHANNEL": "rss", "DEPARTMENT": "drama"}.items():
        monkeypatch.setenv(f"CARILLON_ACCOUNTS__STAGE__{name}", value)
    monkeypatch.setenv("CARILLON_DEPARTMENTS", "office,music,drama")
    ran = school("reach", "--to", "Year 7", "--via", "sms,rss", "--department", "drama", "--json")
    assert (ran.code, ran.json["public"]) == (0, ["rss"])
    assert "stage" in ran.err
    assert "stage" not in school("reach", "--to", "Year 7").err, "it is told once"


def test_a_way_without_an_account_says_where_to_look(school):
    error = school("reach", "--to", "Year 7", "--via", "twitter", "--json").error
    assert error["code"] == "no_account"
    assert "carillon channels" in error["hint"]


def test_an_expression_with_a_slip_is_one_clear_error(school):
    for expression, code in (
        ("Year 7 +", "bad_audience"),
        ("Year 77", "unknown_group"),
        ("(Year 7", "bad_audience"),
    ):
        ran = school("reach", "--to", expression, "--json")
        assert (ran.code, ran.error["code"]) == (2, code)
        assert ran.error["hint"]
    for wrong in ((), ("--to", "Choir", "x"), ("nonsense",), ("--to", "Choir", "--via", "pigeon")):
        assert school("reach", *wrong, "--json").code == 2


def test_the_remainder_is_written_as_slips_phones_and_csv(school, tmp_path: Path):
    ran = school(
        *("reach", "--to", "everyone", "--via", "sms", "--slips", "slips.html", "--phones", "phones.html"),
        *("--csv", "rest.csv", "--text", "{pupil} of {class}: school closes at noon. <b>", "--json"),
    )
    assert ran.code == 0, ran.out
    left = ran.json["unreached"]
    rows = list(csv.reader(io.StringIO((tmp_path / "rest.csv").read_text("utf-8-sig"))))
    assert rows[0] == ["name", "group", "why"]
    assert [row[0] for row in rows[1:]] == [one["name"] for one in left]
    slips = (tmp_path / "slips.html").read_text()
    assert slips.count('<li class="slip">') == len(left)
    first = left[0]
    assert f"{first['name'].split()[0]} of {first['group']}: school closes at noon. &lt;b&gt;" in slips
    assert first["why"] not in slips
    assert "to ring about" in (tmp_path / "phones.html").read_text()
    for name in ("slips.html", "phones.html", "rest.csv"):
        assert stat.S_IMODE(os.stat(tmp_path / name).st_mode) == 0o600


def test_what_cannot_be_on_a_slip_or_written_is_one_clear_error(school):
    ran = school("reach", "--to", "everyone", "--slips", "s.html", "--text", "Dear {name}", "--json")
    assert (ran.code, ran.error["code"]) == (2, "unknown_placeholder")
    ran = school("reach", "--to", "everyone", "--slips", "no/such/folder.html", "--json")
    assert (ran.code, ran.error["code"]) == (2, "cannot_write")


def test_an_announcement_is_stated_from_the_ledger(school):
    said = school("announce", "Snow: no school.", "--to", "everyone", "--via", "sms", "--json").json
    told = school("reach", said["announcement"], "--json").json
    assert (told["pupils"], told["reached"]) == (0, 0)  # no worker has planned it
    assert school("reach", said["announcement"]).code == 0
    ran = school("reach", "01930000-0000-7000-8000-000000000000", "--json")
    assert (ran.code, ran.error["code"]) == (2, "not_found")


def test_a_week_without_messages_says_so(school):
    assert school("reach", "--week", "--json").json == {"messages": 0, "families": []}
    assert "0 messages in seven days" in school("reach", "--week").out
    assert "0 messages in seven days" in school("reach", "--to", "Year 7", "--week").out
    assert school("reach", "--to", "Year 77", "--week", "--json").error["code"] == "unknown_group"


def test_a_dry_run_says_how_many_lack_a_personal_part(school):
    ran = school(
        *("announce", "{guardian}: {pupil} of {class} plays.", "--to", "everyone", "--people", "pupils"),
        *("--via", "email", "--dry-run", "--json"),
    )
    assert ran.code == 0, ran.out
    notes = ran.json["channels"]["email"]["notes"]
    assert "nobody told is a guardian: instead of {guardian} stands “parent or carer”" in notes
    words = ran.json["channels"]["email"]["example"]["text"]
    assert "{" not in words
    assert "Parent or carer: " in words
