"""`carillon people show | block | unblock` and groups kept by hand, as the office types them."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.runs_on("sqlite")


@pytest.fixture
def ids(school) -> dict[str, list[str]]:
    """Pupils of Year 7, by the school's own ids."""
    found = school("groups", "show", "Year 7", "--json").json["members"]
    return {"pupils": [one["id"] for one in found if not one["staff"]]}


def test_a_group_is_kept_filled_shown_and_given_up(school, ids):
    one, two, *_ = ids["pupils"]
    assert school("groups", "keep", "Chamber Choir", "--department", "music").code == 0
    assert school("groups", "add", "Chamber Choir", one, two, "--json").json["added"] == 2
    told = school("groups", "show", "chamber choir", "--json").json
    assert (told["pupils"], told["staff"]) == (2, 0)
    assert {member["id"] for member in told["members"]} == {one, two}
    assert school("groups", "remove", "Chamber Choir", one).code == 0
    listed = {row["name"]: row for row in school("groups", "--json").json["groups"]}
    assert (listed["Chamber Choir"]["people"], listed["Chamber Choir"]["department"]) == (1, "music")
    musics = school("groups", "--department", "music", "--json").json["groups"]
    assert "Chamber Choir" in {row["name"] for row in musics}
    assert {row["department"] for row in musics} == {"music"}
    assert school("groups", "retire", "Chamber Choir").code == 0
    assert school("groups", "show", "Chamber Choir", "--json").error["code"] == "unknown_group"


def test_a_group_of_others_is_shown_with_count_and_members(school):
    alone = school("groups", "show", "Year 7", "--json").json["pupils"]
    made = school("groups", "define", "Trip", "Year 7 + Year 8 − Year 8", "--json")
    assert made.json["expression"] == "Year 7 + Year 8 − Year 8"
    assert school("groups", "show", "Trip", "--json").json["pupils"] == alone
    assert "Trip" in school("groups").out
    ran = school("groups", "define", "Trip", "Trip + Year 7", "--json")
    assert (ran.code, ran.error["code"], ran.error["field"]) == (2, "audience_loop", "expression")


def test_a_list_of_ids_becomes_the_members_and_tells_what_is_wrong_with_row(school, ids, tmp_path: Path):
    one, two, *_ = ids["pupils"]
    school("groups", "keep", "Quartet")
    Path("quartet.csv").write_text(f"id,name\n{one},x\nNOBODY,y\n\n{two}\n", encoding="utf-8")
    ran = school("groups", "import", "Quartet", "quartet.csv", "--yes", "--json")
    assert (ran.json["added"], ran.json["removed"]) == (2, 0)
    assert ran.json["problems"] == [
        {
            "file": "quartet.csv",
            "row": 3,
            "column": "id",
            "code": "unknown_person",
            "message": "nobody at the school has this id",
        }
    ]
    assert school("groups", "import", "Quartet", "quartet.csv", "--json").error["code"] == "not_confirmed"
    ran = school("groups", "import", "Quartet", "-", "--yes", "--json", stdin=f"{two}\n".encode())
    assert (ran.json["added"], ran.json["removed"]) == (0, 1)
    assert (
        school("groups", "import", "Year 7", "quartet.csv", "--yes", "--json").error["code"] == "from_roster"
    )
    assert school("groups", "import", "Quartet", "no.csv", "--yes", "--json").error["code"] == "no_file"


def test_a_family_is_shown_masked_and_a_block_is_set_and_lifted(school, ids):
    pupil = next(one for one in ids["pupils"] if school("people", "show", one, "--json").json["guardians"])
    before = school("people", "show", pupil, "--json").json
    guardian = before["guardians"][0]["id"]
    assert not before["guardians"][0]["blocked"]
    assert "•" in str(before) or "\\u2022" in str(before) or not before["guardians"][0]["addresses"]
    ran = school("people", "block", guardian, pupil, "--why", "order of the court", "--json")
    assert ran.json == {"guardian": guardian, "pupil": pupil, "blocked": True, "changed": True}
    told = school("people", "show", pupil, "--json").json["guardians"]
    assert next(tie for tie in told if tie["id"] == guardian)["by_hand"]
    assert "BLOCKED" in school("people", "show", pupil).out
    assert school("people", "unblock", guardian, pupil, "--why", "lifted").code == 0
    assert school("people", "show", pupil, "--json").json == before


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("people", "show", "Nobody At All"), "unknown_person"),
        (("people", "block", "x", "y", "--why", " "), "bad_text"),
        (("people", "block", "x", "y"), "wrong_use"),
        (("groups", "add", "Year 7", "x"), "from_roster"),
        (("groups", "add", "Nothing", "x"), "unknown_group"),
        (("groups", "keep", "everyone"), "bad_name"),
        (("groups", "keep", "X", "--department", "cooking"), "unknown_department"),
        (("groups", "show", "Year 7 & ("), "bad_audience"),
        (("groups", "show", "Yaer 7"), "unknown_group"),
    ],
)
def test_what_cannot_be_done_is_one_clear_error(school, argv, code):
    ran = school(*argv, "--json")
    assert (ran.code, ran.error["code"]) == (2, code)
    assert set(ran.error) == {"code", "field", "message", "hint"}
