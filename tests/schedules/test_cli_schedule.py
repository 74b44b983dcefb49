"""docs/recipes/music-department.md, walked: terms, a rehearsal every week, a date that is different."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import *  # noqa: F403 - a shell and a small school

pytestmark = pytest.mark.runs_on("sqlite")
TODAY = datetime.now(UTC).date()
TUESDAY = TODAY + timedelta(days=(1 - TODAY.weekday()) % 7 + 7)
CHOIR = ("--to", "Choir", "--starts", f"{TUESDAY} 08:00", "--every", "weekly", "--department", "music")
WORDS = "{pupil}: choir at 15:30 in the hall."


@pytest.fixture
def termed(school: Any, tmp_path: Path) -> Any:
    """A school in the middle of a term, whose half-term is three weeks away."""
    half = TUESDAY + timedelta(days=20)
    lines = [
        "kind,name,begins,ends",
        f"term,Autumn,{TODAY - timedelta(days=30)},{TODAY + timedelta(days=200)}",
        f"half-term,,{half},{half + timedelta(days=4)}",
        f"INSET,,{TUESDAY + timedelta(days=7)},",
    ]
    file = tmp_path / "terms.csv"
    file.write_text("\n".join(lines))
    ran = school("terms", "import", str(file), "--json")
    assert ran.code == 0, ran.out
    assert ran.json == {"spans": 3, "new": 3, "gone": 0, "problems": 0}
    return school


def test_the_terms_are_listed_and_every_day_is_of_a_kind(termed: Any) -> None:
    assert [one["kind"] for one in termed("terms", "--json").json["spans"]] == ["term", "inset", "half_term"]
    inset = str(TUESDAY + timedelta(days=7))
    assert termed("terms", "day", inset, "--json").json["days"][0]["kind"] == "inset"
    assert "INSET day" in termed("terms", "day", inset).out
    christmas = termed("terms", "day", "2026-12-25", "--json").json["days"][0]
    assert christmas["name"] == "Christmas Day"


def test_the_dates_are_shown_and_nothing_is_kept_without_a_yes(termed: Any) -> None:
    shown = termed("schedule", "add", "Choir", WORDS, *CHOIR)
    assert shown.code == 0, shown.err
    assert "left out: INSET day" in shown.out
    assert "left out: half-term" in shown.out
    assert "--yes" in shown.err
    assert termed("schedule", "--json").json == {"schedules": []}
    kept = termed("schedule", "add", "Choir", WORDS, *CHOIR, "--yes", "--json").json
    assert kept["kept"]
    assert len([one for one in kept["dates"] if one["at"]]) == 10


def test_a_whole_life_of_a_schedule(termed: Any) -> None:
    assert termed("schedule", "add", "Choir", WORDS, *CHOIR, "--yes").code == 0
    third = TUESDAY + timedelta(days=14)
    moved = termed(
        "schedule", "move", "Choir", str(third), "--to", f"{third + timedelta(days=1)} 09:00", "--json"
    )
    assert moved.json["moved_to"].startswith(str(third + timedelta(days=1)))
    assert termed("schedule", "cancel", "choir", str(TUESDAY), "--json").json["taken_back"] is False
    told = termed("schedule", "show", "Choir")
    assert "moved" in told.out
    assert "cancelled" in told.out
    coming = termed("schedule", "coming", "--days", "28", "--json").json["coming"]
    assert [one["left_out"] for one in coming][:2] == ["cancelled", "left out: INSET day"]
    assert termed("schedule", "put-back", "Choir", str(TUESDAY)).code == 0
    assert termed("schedule", "change", "Choir", "{pupil}: choir is at 16:00 now.").code == 0
    assert "16:00" in termed("schedule", "show", "Choir", "--json").json["parts"]["long"]
    assert termed("schedule", "pause", "Choir").code == 0
    assert termed("schedule", "--json").json["schedules"][0]["paused"]
    assert "paused" in termed("schedule").out
    assert termed("schedule", "resume", "Choir").code == 0
    assert termed("schedule", "end", "Choir", "--after", str(TUESDAY + timedelta(days=60))).code == 0
    assert termed("schedule", "end", "Choir").code == 0
    assert termed("schedule").out == "there are none\n"


def test_a_file_goes_with_it_and_somebody_else_says_yes_to_all_of_it(termed: Any, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("Bring: music, a pencil.")
    more = ("--attach", str(file), "--via", "email", "--operator", "Mrs Bell", "--yes")
    assert termed("schedule", "add", "Choir", WORDS, *CHOIR, *more).code == 0
    refused = termed("schedule", "approve", "Choir", "--operator", "Mr Reed", "--json")
    assert refused.error["code"] == "not_allowed"  # nobody is named as an approver
    named = ("--role", "approver", "--operator", "Mrs Bell")
    assert termed("operators", "add", "Mr Reed", *named).code == 0
    assert termed("operators", "add", "Mrs Bell", "--role", "author", "--operator", "Mr Reed").code == 0
    yes = ("schedule", "approve", "Choir", "--operator", "Mr Reed", "--json")
    assert termed(*yes, "--seen", "0000deadbeef").error["code"] == "changed_since"
    seen = termed("schedule", "show", "Choir", "--json").json["seen"]
    assert termed(*yes, "--seen", seen).json["approved"]
    assert "approved by Mr Reed" in termed("schedule", "show", "Choir").out


def test_other_files_come_in_place_of_those_it_has_and_end_the_yes_to_it(termed: Any, tmp_path: Path) -> None:
    first, other = tmp_path / "first.txt", tmp_path / "other.txt"
    first.write_text("Bring: music.")
    other.write_text("Bring: a pencil.")
    kept = ("--attach", str(first), "--via", "email", "--operator", "Mrs Bell", "--yes")
    assert termed("schedule", "add", "Choir", WORDS, *CHOIR, *kept).code == 0
    seen = [termed("schedule", "show", "Choir", "--json").json["seen"]]
    for more in (("--attach", str(other)), ("--no-files",)):
        changed = termed("schedule", "change", "Choir", *more, "--operator", "Mrs Bell", "--json")
        assert changed.code == 0, changed.err
        seen.append(termed("schedule", "show", "Choir", "--json").json["seen"])
    assert len(set(seen)) == 3
    both = ("--attach", str(other), "--no-files", "--json")
    assert termed("schedule", "change", "Choir", *both).error["code"] == "both"


def test_what_waits_for_its_time_is_coming_too(termed: Any) -> None:
    at = f"{TODAY + timedelta(days=3)} 12:00"
    said = termed("announce", "Concert tonight", "--to", "Choir", "--at", at, "--json").json["announcement"]
    assert [one.get("announcement") for one in termed("schedule", "coming", "--json").json["coming"]] == [
        said
    ]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("schedule", "add", "X", "words", "--to", "Choir", "--starts", "soon"), "bad_time"),
        (("schedule", "add", "X", "words", "--to", "Choir", "--starts", "2027-01-05"), "no_hour"),
        (("schedule", "add", "X", "words", "--to", "Choir", "--starts", "2027-01-05T08:00Z"), "with_zone"),
        (("schedule", "add", "X", "words", "--to", "Choir", "--starts", "9999-01-05 08:00"), "bad_year"),
        (("schedule", "add", "X", "words", *CHOIR[:4], "--every", "FREQ=SECONDLY"), "too_often"),
        (("schedule", "add", "X", "words", *CHOIR[:4], "--every", "often"), "bad_rule"),
        (("schedule", "add", "X", "words", *CHOIR[:4], "--lasts", "long"), "bad_length"),
        (("schedule", "add", "X", "words", "--to", "Chior", *CHOIR[2:4]), "unknown_group"),
        (("schedule", "add", "X", "{name}", *CHOIR[:4]), "unknown_placeholder"),
        (("schedule", "add", "X", *CHOIR[:4]), "empty_text"),
        (("schedule", "show", "Band"), "unknown_schedule"),
        (("schedule", "cancel", "Band", "tomorrow"), "bad_day"),
        (("terms", "day", "christmas"), "bad_day"),
        (("terms", "import", "nowhere.csv"), "no_file"),
    ],
)
def test_bad_input_is_one_clear_error(termed: Any, arguments: tuple[str, ...], code: str) -> None:
    ran = termed(*arguments, "--json")
    assert (ran.code, ran.error["code"]) == (2, code)
    assert ran.error["hint"]


def test_a_calendar_with_what_cannot_be_read_is_brought_only_on_request(school: Any, tmp_path: Path) -> None:
    file = tmp_path / "terms.csv"
    file.write_text("kind,begins,ends\nterm,2026-09-01,2026-12-18\nfête,2026-10-01,\n")
    refused = school("terms", "import", str(file), "--json")
    assert (refused.code, refused.error["code"]) == (2, "unknown_kind")
    assert school("terms", "--json").json["spans"] == []
    assert school("terms", "import", str(file), "--skip-bad").code == 0
    assert school("terms", "--json").json["known_until"] == str(date(2026, 12, 18))
