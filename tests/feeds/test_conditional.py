"""Who has it already is told so: the tables of RFC 9110 §13, and over HTTP."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.press import Press
from web.conditional import is_known, takes_gzip, validators

CHANGED = datetime(2026, 11, 2, 9, 30, 15, 400_000, tzinfo=UTC)
LATER = CHANGED + timedelta(hours=1)
SAME, BEFORE, AFTER = (
    "Mon, 02 Nov 2026 09:30:15 GMT",
    "Mon, 02 Nov 2026 09:30:14 GMT",
    "Mon, 02 Nov 2026 10:00:00 GMT",
)


@pytest.mark.parametrize(
    ("headers", "known"),
    [
        ({}, False),
        ({"if-none-match": '"abc"'}, True),
        ({"if-none-match": 'W/"abc"'}, True),
        ({"if-none-match": '"abc-gzip"'}, True),
        ({"if-none-match": '"x", W/"y" , "abc"'}, True),
        ({"if-none-match": "*"}, True),
        ({"if-none-match": '"abcd"'}, False),
        ({"if-none-match": "abc"}, False),
        ({"if-none-match": ""}, False),
        ({"if-none-match": '"' + "x" * 5_000 + '", "abc"'}, False),
        ({"if-modified-since": SAME}, True),
        ({"if-modified-since": AFTER}, True),
        ({"if-modified-since": BEFORE}, False),
        ({"if-modified-since": "Mon, 02 Nov 2026 09:30:15"}, True),
        ({"if-modified-since": "yesterday"}, False),
        ({"if-modified-since": "Mon, 99 Nov 2026 09:30:15 GMT"}, False),
        ({"if-modified-since": ""}, False),
        ({"if-none-match": '"other"', "if-modified-since": AFTER}, False),
        ({"if-none-match": '"abc"', "if-modified-since": BEFORE}, True),
    ],
)
def test_a_reader_who_has_this_version_is_known(headers: dict[str, str], known: bool):
    assert is_known(headers, "abc", CHANGED, now=LATER) is known


def test_no_date_is_given_or_believed_while_it_could_be_mistaken():
    just_now = CHANGED + timedelta(seconds=1)
    assert "Last-Modified" not in validators("abc", CHANGED, now=just_now, packed=False)
    assert not is_known({"if-modified-since": SAME}, "abc", CHANGED, now=just_now)
    assert is_known({"if-none-match": '"abc"'}, "abc", CHANGED, now=just_now)
    assert validators("abc", None, now=LATER, packed=False) == {"ETag": '"abc"'}
    assert not is_known({"if-modified-since": SAME}, "abc", None, now=LATER)
    assert validators("abc", CHANGED, now=LATER, packed=True) == {"ETag": '"abc-gzip"', "Last-Modified": SAME}


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ("gzip", True),
        ("gzip, deflate, br", True),
        ("br;q=1.0, GZIP;q=0.8", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, br", False),
        ("gzip;q=0.01", True),
        ("identity", False),
        ("", False),
    ],
)
def test_gzip_is_for_those_who_take_it(accepted: str, taken: bool):
    assert takes_gzip({"accept-encoding": accepted}) is taken


# --- over HTTP -------------------------------------------------------------------------------------------------------


def test_a_feed_is_given_once_and_then_said_to_be_the_same(press: Press):
    press.publish()
    press.age()
    for form, media_type in (("rss", "rss+xml"), ("atom", "atom+xml"), ("json", "feed+json")):
        path = f"/feeds/st-brides.{form}"
        first = press.get(path)
        assert first.headers["content-type"] == f"application/{media_type}"
        for headers in (
            {"If-None-Match": first.headers["etag"]},
            {"If-Modified-Since": first.headers["last-modified"]},
        ):
            again = press.get(path, headers)
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == first.headers["etag"]
            assert again.headers["cache-control"] == "public, no-cache"
            assert "set-cookie" not in again.headers


def test_a_change_is_a_new_version_by_tag_and_by_date(press: Press):
    press.publish()
    press.age()
    path = "/feeds/departments/music.rss"
    first = press.get(path)
    press.withdraw(press.publish())
    headers = {"If-None-Match": first.headers["etag"]}
    press.age(timedelta(minutes=1))
    # A withdrawal alone: the items are as before, the date is not.
    assert press.get(path, headers).status_code == 200
    assert press.get(path, {"If-Modified-Since": first.headers["last-modified"]}).status_code == 200


def test_a_packed_feed_is_the_same_feed(press: Press):
    press.publish()
    plain = press.get("/feeds/st-brides.atom", {"Accept-Encoding": "identity"})
    with press.http.stream(
        "GET", f"{press.url}/feeds/st-brides.atom", headers={"Accept-Encoding": "gzip"}
    ) as packed:
        raw = b"".join(packed.iter_raw())
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(raw) == plain.content


def test_head_tells_what_get_would_without_the_body(press: Press):
    press.publish()
    head, get = (press.get("/feeds/st-brides.rss", method=method) for method in ("HEAD", "GET"))
    assert head.status_code == 200
    assert head.content == b""
    told = ("content-length", "content-type", "etag", "link")
    assert [head.headers[name] for name in told] == [get.headers[name] for name in told]


NOWHERE = (
    "/feeds/nobody.rss",
    "/feeds/st-brides.xml",
    "/feeds/st-brides",
    "/feeds/departments/st-brides.rss",
    "/feeds/music.rss",
    "/feeds/departments/%2e%2e/st-brides.rss",
    "/feeds/groups/%00.rss",
    "/feeds/" + "x" * 5_000 + ".rss",
    "/feeds/st-brides.rss/",
)


def test_anything_else_is_nothing_here(press: Press):
    for path in NOWHERE:
        answer = press.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path


def test_feeds_are_read_and_nothing_else(press: Press):
    answer = press.get("/feeds/st-brides.rss", method="POST")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
