"""`carillon groups link`, `links` and `unlink`."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.runs_on("sqlite")


def test_a_private_link_is_made_listed_and_taken_back(school):
    made = school("groups", "link", "year 7", "--for", "the Moodle course", "--json").json
    assert re.fullmatch(r"/feeds/private/[\w-]{43}", made["page"])
    assert made["ics"] == made["page"] + ".ics"
    (listed,) = school("groups", "links", "--json").json["links"]
    assert (listed["group"], listed["for"], listed["made_by"]) == ("Year 7", "the Moodle course", "Mrs Bell")
    assert made["page"].rpartition("/")[2] not in str(listed)
    ran = school("groups", "unlink", str(made["link"]))
    assert (ran.code, ran.out.strip()) == (0, "link 1 to Year 7 opens nothing any more")
    assert "by Mrs Bell" in school("groups", "links").out
    assert "unlink" in school("groups", "link", "Year 7", "--for", "x").err


@pytest.mark.parametrize(
    "words",
    [("link", "Nobody", "--for", "x"), ("link", "Year 7", "--for", ""), ("unlink", "9"), ("link", "Year 7")],
)
def test_what_cannot_be_done_is_one_clear_error(school, words):
    ran = school("groups", *words, "--json")
    assert ran.code == 2
    assert set(ran.error) == {"code", "field", "message", "hint"}
