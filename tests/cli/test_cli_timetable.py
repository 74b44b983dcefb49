"""`carillon timetable`: a push, who is told of it, and what it says in JSON."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

pytestmark = pytest.mark.runs_on("sqlite")
KEYS = {"rows", "changes", "within_horizon", "notices", "held"}


def next_day() -> date:
    """A weekday within the horizon, whatever day the test runs on: the setting below looks ten school days ahead."""
    day = datetime.now(ZoneInfo("Europe/London")).date() + timedelta(days=1)
    return day + timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))


def gpu014(path: Path, *rows: tuple[str, str]) -> str:
    day = next_day().strftime("%Y%m%d")
    lines = [f'{n},"{day}",{n},3,{n},"A","B","Ma",,,,"R1","R2",,"{c}","Illness",,0,"{c}",{k},,\n'
             for n, (c, k) in enumerate(rows, 1)]  # fmt: skip
    path.write_text("".join(lines))
    return str(path)


@pytest.fixture
def timetabled(school, monkeypatch):
    monkeypatch.setenv("CARILLON_TIMETABLES__UNTIS__VIA", "email")
    monkeypatch.setenv("CARILLON_TIMETABLES__UNTIS__DAYS", "10")
    words = "Dear {guardian}, for {pupil}:\n\n{changes}"
    assert school("templates", "save", "Timetable", words, "--department", "office").code == 0
    changed = school("rules", "set", "adults.notices", "office/Timetable", "--why", "cover notices")
    assert changed.code == 0, changed.err
    return school


def a_class(school) -> str:
    groups = school("groups", "--json").json["groups"]
    return next(one["name"] for one in groups if one["kind"] in {"class", "form"})


def test_a_push_ends_with_what_it_came_to_and_the_same_file_is_told_once(timetabled, tmp_path):
    name = a_class(timetabled)
    file = gpu014(tmp_path / "GPU014.TXT", (name, "C"), ("No such class", "R"))
    ran = timetabled("timetable", "push", file, "--json")
    assert ran.code == 0, ran.out
    assert ran.json == {"rows": 2, "changes": 2, "within_horizon": 1, "notices": 1, "held": False}
    again = timetabled("timetable", "push", file, "--json")
    assert again.json == {"rows": 2, "changes": 0, "within_horizon": 0, "notices": 0, "held": False}
    announced = timetabled("status", "--json").json["announcements"][0]
    told = timetabled("timetable", "told", announced["id"], "--json").json["lines"]
    assert len(told) == 1
    assert told[0].endswith("period 1: Ma is cancelled")
    assert "Illness" not in timetabled("status", announced["id"], "--json").out
    status = timetabled("timetable", "status", "--json").json["sources"][0]
    assert (status["source"], status["told"], status["held"], status["silent"]) == (
        "untis",
        [1],
        False,
        False,
    )
    assert (status["rows"], status["changes"], status["within_horizon"]) == (2, 0, 0)
    assert status["announcement"] == announced["id"]
    said = timetabled("timetable", "status")
    assert "to tell" in said.out
    assert announced["id"] in said.out + said.err
    listed = timetabled("timetable", "sources", "--json").json["sources"][0]
    assert (listed["from"], listed["approved"]) == ("pushes", True)
    assert "untis" in timetabled("timetable", "sources").out


def test_far_more_than_usual_is_held_and_released(timetabled, tmp_path, monkeypatch):
    monkeypatch.setenv("CARILLON_TIMETABLES__UNTIS__MOST", "2")
    file = gpu014(tmp_path / "GPU014.TXT", *[(a_class(timetabled), "C")] * 4)
    held = timetabled("timetable", "push", file, "--json").json
    assert (held["held"], held["notices"]) == (True, 0)
    assert "release untis" in timetabled("timetable", "push", file).out
    assert timetabled("timetable", "release", "untis").code == 0
    assert timetabled("timetable", "push", file, "--json").json["notices"] == 1
    assert timetabled("timetable", "release", "untis", "--json").error["code"] == "not_held"
    kinds = [entry["kind"] for entry in timetabled("audit", "search", "--json").json["entries"]]
    assert "timetable.held" in kinds
    assert "timetable.released" in kinds


def test_what_cannot_be_told_is_one_clear_error(timetabled, tmp_path, monkeypatch):
    broken = tmp_path / "GPU014.TXT"
    broken.write_text("1,2,3\n")
    assert timetabled("timetable", "push", str(broken), "--json").error["code"] == "missing_fields"
    assert timetabled("timetable", "push", str(tmp_path / "none"), "--json").error["code"] == "no_file"
    file = gpu014(broken, (a_class(timetabled), "C"))
    assert timetabled("timetable", "push", file, "--source", "x", "--json").error["code"] == "unknown_source"
    monkeypatch.setenv("CARILLON_TIMETABLES__UNTIS__TEMPLATE", "Other")
    assert timetabled("timetable", "push", file, "--json").error["code"] == "unknown_template"


def test_a_school_without_settings_for_it_pushes_by_the_defaults(school, tmp_path):
    assert school("templates", "save", "Timetable", "{changes}", "--department", "office").code == 0
    assert school("rules", "set", "adults.notices", "office/Timetable", "--why", "cover").code == 0
    ran = school("timetable", "push", gpu014(tmp_path / "GPU014.TXT", (a_class(school), "C")), "--json")
    assert set(ran.json) == KEYS
