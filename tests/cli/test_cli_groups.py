"""`carillon groups`: which groups have a public feed."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.runs_on("sqlite")


def public(school) -> set[str]:
    return {group["slug"] for group in school("groups", "--json").json["groups"] if group["public"]}


def test_groups_are_listed_published_and_hidden(school):
    assert public(school) == set()
    ran = school("groups", "publish", "year 7")
    assert (ran.code, ran.out.strip()) == (0, "Year 7 has a public feed: /feeds/groups/year-7.rss")
    assert public(school) == {"year-7"}
    assert "year-7" in school("groups").out
    told = school("groups", "hide", "Year 7", "--json").json
    assert told == {"name": "Year 7", "slug": "year-7", "public": False}
    assert public(school) == set()


@pytest.mark.parametrize("name", ["Year 77", "x\n", "x" * 600, ""])
def test_a_group_that_is_not_there_is_one_clear_error(school, name):
    ran = school("groups", "publish", name, "--json")
    assert ran.code == 2
    assert set(ran.error) == {"code", "field", "message", "hint"}
    assert public(school) == set()


def test_a_kept_group_is_renamed_given_away_given_up_and_brought_back(school):
    school("groups", "keep", "Quartet")
    assert school("groups", "rename", "Quartet", "Quintet", "--json").json == {"name": "Quintet"}
    given = school("groups", "give", "Quintet", "--department", "office", "--json").json
    assert given["department"] == "office"
    number = school("groups", "retire", "Quintet", "--json").json["number"]
    assert school("groups", "bring-back", str(number), "--json").json == {"name": "Quintet"}
    assert school("groups", "bring-back", str(number), "--json").error["code"] == "not_found"
