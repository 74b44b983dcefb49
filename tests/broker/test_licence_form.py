"""A licence as a form: what an office fills in comes out whole, and every line that cannot be meant is named."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest

from broker.errors import InvalidLicence
from broker.licences.licence import Licence
from broker.licences.licence_form import LONGEST, as_form, as_toml, digest_of, read

OWNERS = [
    {"name": "Anna Bell", "post": "head", "trained": "2026-09-01", "valid_until": "2027-08-31",
     "leadership": True, "email": "head@school.example.org"},
    {"name": "Ken Ito", "post": "network “manager”", "trained": "2026-09-01", "valid_until": "2027-08-31"},
]  # fmt: skip
FORM: dict[str, Any] = {
    "policy": {"title": "Texts", "version": "3", "adopted": "2026-09-01", "review": "2027-08-31",
               "url": "https://school.example.org/policy", "digest": "ab" * 32},
    "liability": {"reviewer": "Governors", "assessed": "2026-09-01", "review": "2027-08-31",
                  "risks": [{"risk": "a wrong number", "mitigation": "asked each term"}]},
    "safe_use": {"owners": OWNERS},
    "technology": {"checked_by": "Ken Ito", "checked": "2026-09-01", "review": "2027-08-31",
                   "keeping": "the school's safe", "assured": ["automated"]},
}  # fmt: skip


def with_line(path: str, value: Any) -> dict[str, Any]:
    form: dict[str, Any] = json.loads(json.dumps(FORM))
    *above, last = path.split(".")
    holder: Any = form
    for part in above:
        holder = holder[int(part) if part.isdigit() else part]
    if value is None:
        del holder[last]
    else:
        holder[last] = value
    return form


def test_a_form_comes_back_as_it_was_in_toml_and_in_json() -> None:
    licence = read(FORM)
    assert read(as_form(licence)) == licence
    assert read(tomllib.loads(as_toml(licence, account="sms"))) == licence
    assert read(json.loads(json.dumps(as_form(licence)))) == licence
    assert len(digest_of(licence)) == 64


def test_a_form_that_is_given_out_empty_and_filled_in_by_angles_keeps_what_was_there() -> None:
    empty = tomllib.loads(as_toml(Licence(), account="sms", asks={"automated": "it is labelled"}))
    assert read(empty) == Licence()
    first = read({**empty, "policy": FORM["policy"]})
    assert first.policy == read(FORM).policy
    second = read({"liability": FORM["liability"]}, first)
    assert (second.policy, second.liability) == (read(FORM).policy, read(FORM).liability)


@pytest.mark.parametrize(
    ("path", "value", "code", "field"),
    [
        ("polcy", {}, "unknown_angle", "polcy"),
        ("policy", "yes", "not_a_table", "policy"),
        ("policy.titel", "x", "unknown_line", "policy.titel"),
        ("policy.title", None, "missing", "policy.title"),
        ("policy.title", "  ", "missing", "policy.title"),
        ("policy.title", 3, "not_a_line", "policy.title"),
        ("policy.title", "x" * (LONGEST + 1), "not_a_line", "policy.title"),
        ("policy.title", "a\nb", "not_a_line", "policy.title"),
        ("policy.title", "half \ud83d", "not_a_line", "policy.title"),
        ("policy.adopted", "1.9.2026", "not_a_day", "policy.adopted"),
        ("policy.adopted", 20260901, "not_a_day", "policy.adopted"),
        ("policy.adopted", "0001-01-01", "odd_day", "policy.adopted"),
        ("policy.review", "2026-09-01", "wrong_way_round", "policy.review"),
        ("policy.review", "2099-01-01", "too_far", "policy.review"),
        ("policy.url", "javascript:alert(1)", "not_an_address", "policy.url"),
        ("policy.digest", "beef", "not_a_digest", "policy.digest"),
        ("liability.risks", {}, "not_a_list", "liability.risks"),
        ("liability.risks.0.mitigation", None, "missing", "liability.risks.mitigation"),
        ("liability.review", "2026-08-01", "wrong_way_round", "liability.review"),
        ("safe_use.owners", [{"name": "x"}] * 51, "not_a_list", "safe_use.owners"),
        ("safe_use.owners.0.leadership", "yes", "not_a_bool", "safe_use.owners.leadership"),
        ("safe_use.owners.0.email", "head at school", "bad_email", "safe_use.owners.email"),
        ("safe_use.owners.1.name", "anna bell", "owner_twice", "safe_use.owners"),
        ("safe_use.owners.1.valid_until", "2030-01-01", "too_far", "safe_use.owners.valid_until"),
        ("technology.assured", "automated", "not_a_list", "technology.assured"),
        ("technology.keeping", "", "missing", "technology.keeping"),
    ],
)
def test_each_line_that_cannot_be_meant_is_named(path: str, value: Any, code: str, field: str) -> None:
    with pytest.raises(InvalidLicence) as caught:
        read(with_line(path, value))
    assert (caught.value.problem.code, caught.value.problem.field) == (code, field)
    assert caught.value.problem.message
