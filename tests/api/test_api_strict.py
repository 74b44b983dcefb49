"""What programs send is taken exactly, and every fault is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.api import Calling, announced
from web.api.strict import DEEPEST, MOST_BODY, NotUnderstood, check_json


def refused(school: Calling, raw: bytes | str) -> tuple[int, str, str]:
    body = raw.encode() if isinstance(raw, str) else raw
    answer = school.call("POST", "/announcements", content=body, headers=AS_JSON)
    told = answer.json()
    assert set(told) == {"code", "field", "message", "hint"}, told
    return answer.status_code, told["code"], told["field"]


AS_JSON = {"Content-Type": "application/json"}
GOOD = json.dumps(announced())
BAD: dict[str, tuple[bytes | str, tuple[int, str, str]]] = {
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
    "a time without its offset": (
        GOOD[:-1] + ', "send_at": "2027-01-01T10:00:00"}',
        (422, "wrong_type", "send_at"),
    ),
    "what is missing": ("{}", (422, "missing_field", "to")),
    "a list": ("[]", (422, "wrong_type", "body")),
    "nothing": ("", (422, "missing_field", "body")),
    "half of it": (GOOD[:-3], (422, "not_json", "body")),
    "too deep": (DEEPEST * 40 * "[", (422, "too_deep", "body")),
    "a NUL": ('{"to": "Choir\\u0000"}', (422, "nul_character", "to")),
    "a NUL in a list": ('{"to": "a", "ways": ["sms", "\\u0000"]}', (422, "nul_character", "ways")),
    "a NUL in a name": ('{"t\\u0000": "a"}', (422, "nul_character", "body")),
    "half a pair": ('{"to": "\\ud83d"}', (422, "lone_surrogate", "to")),
    "half a pair within": ('{"words": {"long": "\\udc00 a"}}', (422, "lone_surrogate", "long")),
    "a bare NUL": ('{"to": "Choir\0"}', (422, "not_json", "body")),
    "a time as a number": (GOOD[:-1] + ', "send_at": 1800000000}', (422, "wrong_type", "send_at")),
    "a time as digits": (GOOD[:-1] + ', "send_at": "1800000000"}', (422, "wrong_type", "send_at")),
    "a truth for a number": (GOOD[:-1] + ', "expect": true}', (422, "wrong_type", "expect")),
    "no UTF-8": (b'{"to": "\xff"}', (422, "not_utf8", "body")),
}


@pytest.mark.parametrize("what", BAD)
def test_it_is_refused_by_name(school: Calling, what: str) -> None:
    raw, told = BAD[what]
    assert refused(school, raw) == told


def test_a_body_is_given_up_when_it_is_too_long(school: Calling) -> None:
    why = json.dumps({"why": "x" * MOST_BODY})

    def in_pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield MOST_BODY // 10 * b" "

    for content in (why.encode(), in_pieces()):
        answer = school.call("POST", "/deliveries/1/requeue", content=content, headers=AS_JSON)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_body_of_which_nobody_knows_who_sends_it_is_not_read(school: Calling) -> None:
    def never() -> Iterator[bytes]:
        pytest.fail("it was read")
        yield b""

    headers = {**AS_JSON, "Transfer-Encoding": "chunked"}
    answer = school.client.post("/v1/announcements", content=never(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "no_token")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "", "json"]
)
def test_a_body_of_another_type_is_refused(school: Calling, kind: str) -> None:
    answer = school.call("POST", "/announcements", content=GOOD.encode(), headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, "wrong_media_type")
    assert answer.json()["field"] == "Content-Type"
    assert "application/json" in answer.json()["hint"]


def test_a_roster_has_a_type_of_its_own(school: Calling) -> None:
    answer = school.call("POST", "/imports", content=b"{}", headers=AS_JSON)
    assert (answer.status_code, answer.json()["code"]) == (415, "wrong_media_type")


def test_a_body_where_none_is_taken_is_not_passed_over_in_silence(school: Calling) -> None:
    answer = school.post(f"/announcements/{uuid4()}/withdraw", {"why": "the wrong hall"})
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (
        422,
        "unknown_field",
        "body",
    )


def test_a_nul_in_an_address_is_refused(school: Calling) -> None:
    for path, field in (("/people/Amy%00", "path.who"), ("/deliveries?channel=sms%00", "query.channel")):
        answer = school.get(path)
        assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (
            422,
            "nul_character",
            field,
        )


@pytest.mark.parametrize(
    ("key", "code"),
    [(None, "missing_field"), ("", "wrong_type"), (201 * "k", "wrong_type"), ("a b", "wrong_type")],
)
def test_an_announcement_wants_a_key_of_bounded_length(school: Calling, key: str | None, code: str) -> None:
    headers = {"Authorization": f"Bearer {school.token()}"} | (
        {"Idempotency-Key": key} if key is not None else {}
    )
    answer = school.client.post("/v1/announcements", json=announced(), headers=headers)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (
        422,
        code,
        "header.Idempotency-Key",
    )
    assert "the same when you ask again" in answer.json()["hint"]


@pytest.mark.parametrize(
    ("said", "code", "field"),
    [
        ({"ways": ["pigeon"]}, "unknown_channel", "ways"),
        ({"ways": ["sms", "sms"]}, "way_twice", "ways"),
        ({"words": {"long": "{teacher}: rehearsal"}}, "unknown_placeholder", "words.long"),
        ({"words": {"long": ""}}, "empty_text", "words"),
        ({"words": None}, "empty_text", "words"),
        ({"send_at": "2020-11-30T08:15:00+00:00"}, "past", "send_at"),
        ({"expires_at": "2020-11-30T08:15:00+00:00"}, "expires_first", "expires_at"),
    ],
)
def test_what_the_law_refuses_is_named_as_the_program_wrote_it(
    school: Calling, said: dict[str, Any], code: str, field: str
) -> None:
    answer = school.post("/announcements", announced(**said))
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, field)


def test_a_key_that_was_used_for_something_else_is_named_as_the_header_that_it_is(school: Calling) -> None:
    once = {"Idempotency-Key": "twice"}
    school.post("/announcements", announced(), headers=once)
    answer = school.post("/announcements", announced(to="everyone"), headers=once)
    assert (answer.status_code, answer.json()["field"]) == (409, "header.Idempotency-Key")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/announcements/", 404, "not_found"),
        ("PATCH", "/announcements", 405, "method_not_allowed"),
        ("HEAD", "/openapi.json", 200, ""),
        ("DELETE", "/openapi.json", 405, "method_not_allowed"),
        ("GET", "/announcements/7", 422, "wrong_type"),
    ],
)
def test_what_the_framework_refuses_has_the_same_shape(
    school: Calling, method: str, path: str, status: int, code: str
) -> None:
    answer = school.call(method, path)
    assert answer.status_code == status
    if code:
        assert set(answer.json()) == {"code", "field", "message", "hint"}
        assert (answer.json()["code"], bool(answer.json()["hint"])) == (code, True)
    if status == 405:
        assert answer.headers["Allow"] == {"/announcements": "GET, POST", "/openapi.json": "GET, HEAD"}[path]


def test_a_parameter_that_is_not_known_or_given_twice_is_refused(school: Calling) -> None:
    assert school.get("/deliveries?stat=sent").json()["field"] == "query.stat"
    assert school.get("/deliveries?limit=1&limit=2").json()["code"] == "duplicate_field"
    assert school.get("/deliveries?state=sent&state=queued").status_code == 200


def test_nothing_of_what_was_sent_is_repeated(school: Calling) -> None:
    answer = school.post("/announcements", announced(expect="+447911100001"))
    assert "447911" not in answer.text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(), st.lists, max_leaves=30
    )
)
def test_whatever_json_says_once_passes(value: object) -> None:
    check_json(json.dumps(value).encode())


@given(st.binary(max_size=200))
def test_whatever_comes_is_json_or_refused(raw: bytes) -> None:
    try:
        check_json(raw)
    except NotUnderstood:
        return
    json.loads(raw)
