"""How long a post is to X: after twitter-text's own conformance cases, and never shorter than X has it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.twitter.weight import links, weight
from sandbox.x_shapes import weight as counted_at_x


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("This is a test.", 15),
        ("http://test.com", 23),
        ("https://test.com", 23),
        ("test.com", 23),
        ("Test https://test.com test https://test.com test.com test", 86),
        ("https://www.stcecilias.sch.uk/music/concerts/2026/autumn?part=2#hall", 23),
        ("See stcecilias.sch.uk/music.", 28),
        ("(http://test.com)", 25),
        ("example.com中国語", 29),
        ("HTTPS://www.ExaMPLE.COM/index.html", 23),
        ("english text 日本語 😷 https://example.com", 46),
        ("저찀쯿쿿", 8),
        ("H🐱☺", 5),
        ("𐀀", 2),
        ("café", 4),
        ("cafe\u0301", 4),
        ("‘a’ – “b” …", 12),
        ("👨‍👩‍👧‍👦", 2),
        ("👍🏽", 2),
        ("❤️", 2),
        ("1️⃣", 2),
        ("🇬🇧🇨🇾", 4),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", 2),
        ("e.g. at 3.30pm", 14),
        ("music@stcecilias.sch.uk", 23),
        ("1 < 2 & 3", 9),
        ("a\nb", 3),
    ],
)
def test_a_text_counts_as_x_counts_it(text: str, expected: int) -> None:
    assert weight(text) == expected


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1:8000/a", "http://☃.net/", "https://a.example", "hall.Please", "https://[::1]/"]
)
def test_what_may_or_may_not_be_a_link_to_x_counts_as_the_longer(text: str) -> None:
    assert weight(text) == max(23, len(text))


def test_what_x_charges_for_as_a_link_is_counted() -> None:
    assert [links(text) for text in ("no link", "a.b@school.org", "school.org and https://x.com/a")] == [
        0,
        0,
        2,
    ]


@given(st.text("abc .,é日😷👍", max_size=120))
def test_plain_words_count_the_same_for_the_stand_in(text: str) -> None:
    if not links(text):
        assert weight(text) == counted_at_x(text)


@pytest.mark.parametrize(
    "piece", ["a", "a.", "a-", "http://", "1.a", "a.aa", "https://a.", "👍\u200d", "@a."]
)
def test_a_hostile_text_is_counted_at_once(piece: str) -> None:
    began = time.thread_time()
    weight(piece * (5_000 // len(piece)))
    assert time.thread_time() - began < 0.5
