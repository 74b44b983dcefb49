"""One person's data at the command line: masked, revealed with a reason, previewed, erased, copied, held."""

from __future__ import annotations

import csv
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Shell


@pytest.fixture
def guardian(tmp_path: Path, imported: Path) -> dict[str, str]:
    """Somebody of the sample school who has a number and looks after one who is here."""
    with (imported / "school" / "users.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    return next(
        row for row in rows if row["role"] in {"parent", "guardian"} and row["sms"].startswith(("0", "+"))
    )


def test_a_number_is_masked_until_a_reason_is_given_and_the_record_has_it(
    school: Shell, guardian: dict[str, str]
) -> None:
    who = guardian["sourcedId"]
    digits = "".join(c for c in guardian["sms"] if c.isdigit())[-6:]
    assert digits not in school("people", "show", who).out
    assert school("people", "reveal", who).code == 2  # no reason
    shown = school("people", "reveal", who, "--why", "rang from another number", "--json").json
    assert any(one["address"].endswith(digits) for one in shown["addresses"])
    assert school("audit", "verify").code == 0


def test_an_erasure_is_shown_first_and_wants_the_id_typed(school: Shell, guardian: dict[str, str]) -> None:
    who = guardian["sourcedId"]
    looked = school("people", "erase", who, "--dry-run", "--json").json
    assert looked["erased"] is False
    assert looked["hindered"] is None
    assert looked["rows"]["mobile numbers and emails"] >= 1
    assert school("people", "erase", who, "--json").error["code"] == "not_confirmed"
    assert school("people", "erase", who, "--confirm", "yes", "--json").error["code"] == "not_confirmed"
    assert school("people", "show", who).code == 0
    done = school("people", "erase", who, "--confirm", who, "--because", "objection", "--json")
    assert (done.code, done.json["erased"]) == (0, True)
    assert school("people", "show", who, "--json").error["code"] == "unknown_person"
    assert school("audit", "verify").code == 0


def test_no_roster_brings_them_back_until_somebody_says_so(
    school: Shell, imported: Path, guardian: dict[str, str]
) -> None:
    who, roster = guardian["sourcedId"], str(imported / "school")
    school("people", "erase", who, "--confirm", who)
    again = school("people", "import", roster, "--yes", "--json").json
    assert [one["code"] for one in again["problems"] if one["code"] == "erased"] == ["erased"]
    assert school("people", "readmit", "nobody", "--json").error["code"] == "not_erased"
    assert school("people", "readmit", who).code == 0
    school("people", "import", roster, "--yes")
    assert school("people", "show", who).code == 0


def test_a_copy_is_a_page_and_a_file_for_ones_own_eyes(
    school: Shell, guardian: dict[str, str], tmp_path: Path
) -> None:
    who, folder = guardian["sourcedId"], tmp_path / "request"
    told = school("people", "export", who, "--to", str(folder), "--why", "letter of 3 March", "--json").json
    files = sorted(folder.iterdir())
    assert [str(file) for file in files] == sorted(told["files"])
    assert {file.suffix for file in files} == {".html", ".json"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    page = next(file for file in files if file.suffix == ".html").read_text()
    assert guardian["familyName"] in page
    again = school("people", "export", who, "--to", str(folder), "--why", "again", "--json")
    assert again.error["code"] == "file_there"


def test_what_is_held_is_listed_and_stops_an_erasure(school: Shell, guardian: dict[str, str]) -> None:
    who = guardian["sourcedId"]
    number = school("holds", "place", "--who", who, "--why", "a claim", "--json").json["hold"]
    assert school("people", "erase", who, "--confirm", who, "--json").error["code"] == "held"
    listed: list[dict[str, Any]] = school("holds", "list", "--json").json["holds"]
    assert [(one["hold"], one["person"], one["why"]) for one in listed] == [(number, who, "a claim")]
    assert school("holds", "place", "--why", "x", "--json").error["code"] == "one_subject"
    assert school("holds", "lift", str(number)).code == 0
    assert school("holds", "lift", str(number), "--json").error["code"] == "no_hold"
    assert school("holds", "list").out.strip() == "nothing is held"


def test_how_long_what_is_kept_is_shown_and_done(school: Shell) -> None:
    shown = school("keeping", "show", "--json").json
    assert shown["kept"]["content"] == "730 d"
    assert school("rules", "set", "keeping.content", "40 d", "--why", "the governors").code == 0
    assert school("keeping", "show", "--json").json["kept"]["content"] == "40 d"
    assert school("keeping", "run", "--json").json == {"went": {}}
    pruned = school("keeping", "prune-record", "--json").json
    assert pruned["entries"] == 0
    assert "SQLite" in pruned["said"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("people", "reveal", "no such person", "--why", "x"), "unknown_person"),
        (("people", "erase", "\u202e", "--dry-run"), "bad_text"),
        (("people", "export", "no such person", "--to", "x", "--why", "y"), "unknown_person"),
        (("holds", "place", "--announcement", "nonsense", "--why", "x"), "bad_id"),
        (("holds", "lift", "0"), "wrong_use"),
        (("people", "erase", "x", "--because", "nonsense"), "wrong_use"),
    ],
)
def test_nonsense_is_one_clear_error(school: Shell, words: tuple[str, ...], code: str) -> None:
    ran = school(*words, "--json")
    assert (ran.code, ran.error["code"]) == (2, code)
