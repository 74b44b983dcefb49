"""What programs send is taken exactly, and every fault is named."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.api import Calling, announced
from web.api.strict import DEEPEST, MOST_BODY, NotUnderstood, check_json


def refused(school: Calling, raw: bytes | str) -> tuple[int, str, str]:
    body = raw.encode() if isinstance(raw, str) else raw
    answer = school.call("POST", "/announcements", content=body, headers={"Content-Type": "application/json"})
    told = answer.json()
    assert set(told) == {"code", "field", "message", "hint"}, told
    return answer.status_code, told["code"], told["field"]


GOOD = json.dumps(announced())
BAD = {
    "a field twice": ('{"to": "Choir", "to": "everyone"}', (422, "duplicate_field", "to")),
    "a field twice within": ('{"words": {"long": "a", "long": "b"}}', (422, "duplicate_field", "long")),
    "no number": (GOOD[:-1] + ', "expect": NaN}', (422, "not_a_number", "body")),
    "no end": (GOOD[:-1] + ', "expect": -Infinity}', (422, "not_a_number", "body")),
    "5,000 digits": (GOOD[:-1] + ', "expect": ' + 5_000 * "9" + "}", (422, "number_too_long", "body")),
    "an unknown field": (GOOD[:-1] + ', "cost": 1}', (422, "unknown_field", "cost")),
    "an unknown field within": ('{"to": "a", "words": {"text": "b"}}', (422, "unknown_field", "words.text")),
    "a number for a text": ('{"to": 7}', (422, "wrong_type", "to")),
    "a text for a number": (GOOD[:-1] + ', "expect": "4"}', (422, "wrong_type", "expect")),
    "a word that is none": (GOOD[:-1] + ', "urgency": "now"}', (422, "wrong_type", "urgency")),
    "a time without its offset": (GOOD[:-1] + ', "send_at": "2027-01-01T10:00:00"}', (422, "wrong_type", "send_at")),
    "what is missing": ("{}", (422, "missing_field", "to")),
    "a list": ("[]", (422, "wrong_type", "body")),
    "nothing": ("", (422, "missing_field", "body")),
    "half of it": (GOOD[:-3], (422, "not_json", "body")),
    "too deep": (DEEPEST * 40 * "[", (422, "too_deep", "body")),
    "no UTF-8": (b'{"to": "\xff"}', (422, "not_utf8", "body")),
}


@pytest.mark.parametrize("what", BAD)
def test_it_is_refused_by_name(school: Calling, what: str) -> None:
    raw, told = BAD[what]
    assert refused(school, raw) == told


def test_a_body_is_given_up_when_it_is_too_long(school: Calling) -> None:
    why = json.dumps({"why": "x" * MOST_BODY})
    answer = school.call("POST", "/deliveries/1/requeue", content=why.encode())
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_parameter_that_is_not_known_or_given_twice_is_refused(school: Calling) -> None:
    assert school.get("/deliveries?stat=sent").json()["field"] == "query.stat"
    assert school.get("/deliveries?limit=1&limit=2").json()["code"] == "duplicate_field"
    assert school.get("/deliveries?state=sent&state=queued").status_code == 200


def test_nothing_of_what_was_sent_is_repeated(school: Calling) -> None:
    answer = school.post("/announcements", announced(expect="+447911100001"))
    assert "447911" not in answer.text


@given(st.recursive(st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(), st.lists, max_leaves=30))
def test_whatever_json_says_once_passes(value: object) -> None:
    check_json(json.dumps(value).encode())


@given(st.binary(max_size=200))
def test_whatever_comes_is_json_or_refused(raw: bytes) -> None:
    try:
        check_json(raw)
    except NotUnderstood:
        return
    json.loads(raw)
