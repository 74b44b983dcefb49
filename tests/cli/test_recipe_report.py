"""docs/recipes/a-report-of-your-own.md, command by command, as the office would type it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

pytestmark = pytest.mark.runs_on("sqlite")

PAGE = Path(__file__).parents[2] / "docs" / "recipes" / "a-report-of-your-own.md"
REPORTS = ("contacts.csv", "staff.csv", "bare.csv")  # in the order of the page


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def commands() -> list[list[str]]:
    lines = "".join(blocks("sh")).replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines]


@pytest.fixture
def office(shell, tmp_path):
    """A shell in a folder with the page's reports."""
    for name, content in zip(REPORTS, blocks("csv"), strict=True):
        (tmp_path / name).write_text(content, encoding="utf-8")
    return shell


def test_every_command_of_the_page_works_in_its_order(office):
    said = []
    for command in commands():
        ran = office(*command)
        assert ran.code == 0, (command, ran.err)
        said.append((command, ran.out))
    outs = {" ".join(command[:3]): out for command, out in reversed(said)}  # of several, the first
    assert "Mobile#2" in outs["people mapping columns"]
    assert "Mobile (1 of 2)" in outs["people mapping try"]
    assert "07911" not in outs["people mapping try"]
    imports = [out for command, out in said if command[:2] == ["people", "import"]]
    assert "nothing was changed" in imports[0]
    assert "imported: 7 new" in imports[1]
    assert "nothing to change" in imports[2]
    assert "imported: 1 new" in imports[3]
    assert "nothing to change" in imports[4]
    assert any("the first row" in out for _, out in said), "of the report without headers"
    assert "Nobody on the staff" in outs["people twice"]


def test_what_the_page_says_of_the_reach_is_so(office):
    for command in commands():
        if command[0] != "reach":
            assert office(*command).code == 0
    told = office("reach", "--to", "Year 7 + Year 9", "--via", "sms,email", "--json").json
    assert (told["pupils"], told["reached"]) == (4, 2)
    why = {one["name"]: one["why"] for one in told["unreached"]}
    assert set(why) == {"Ann Lind", "Cal Roy"}
    assert "cannot be used" in why["Ann Lind"]
    assert "guardian" in why["Cal Roy"]


def test_the_json_of_an_import_ends_with_people_groups_and_problems(office):
    assert office(*next(one for one in commands() if one[:3] == ["people", "mapping", "make"])).code == 0
    told = office("people", "import", "contacts.csv", "--mapping", "office-contacts", "--yes", "--json").json
    assert {name: told["people"][name] for name in ("new", "changed", "leaving", "unchanged")} == {
        "new": 7,
        "changed": 0,
        "leaving": 0,
        "unchanged": 0,
    }
    assert told["groups"]["new"] == 4
    assert told["groups"]["by_name"]["7B"]["new"] == 3
    assert told["problems"] == [
        {
            "file": "contacts.csv",
            "row": 5,
            "column": "Mobile (1 of 2)",
            "code": "landline",
            "message": told["problems"][0]["message"],
        }
    ]
