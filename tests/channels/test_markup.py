"""Markdown where nobody would see it rendered: the words, and nothing that stood for their looks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.markup import to_plain


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("The coach leaves at eight.", "The coach leaves at eight."),
        ("**Rehearsal** moves to *15:30*, ~~16:00~~.", "Rehearsal moves to 15:30, 16:00."),
        ("# Concert\n\nTonight.", "Concert\n\nTonight."),
        ("Bring\n\n* a folder\n* a drink\n\nand come.", "Bring\n\n- a folder\n- a drink\n\nand come."),
        ("3. third\n4. fourth", "3. third\n4. fourth"),
        ("* a\n  * b\n* c", "- a\n  - b\n- c"),
        ("one\ntwo", "one\ntwo"),
        ("See [the map](https://school.example/map).", "See the map (https://school.example/map)."),
        ("<https://school.example/map>", "https://school.example/map"),
        ("Write to <office@school.example>.", "Write to office@school.example."),
        ("| day | at |\n|---|---|\n| Monday | 8:15 |", "day | at\nMonday | 8:15"),
        ("> so\n> > it was", "so\nit was"),
        ("```\nroom 4\n```", "room 4"),
        ("5 * 3 is 15, room_4_b, <b>no tag</b> & Co", "5 * 3 is 15, room_4_b, <b>no tag</b> & Co"),
        ("{pupil} needs **a coat**", "{pupil} needs a coat"),
        ("", ""),
    ],
)
def test_markdown_becomes_the_words_alone(markdown: str, plain: str) -> None:
    assert to_plain(markdown) == plain


@given(st.lists(st.from_regex(r"[A-Za-z]{1,8}", fullmatch=True), min_size=1, max_size=20))
def test_plain_words_stay_as_they_are(words: list[str]) -> None:
    assert to_plain(" ".join(words)) == " ".join(words)


@given(st.text(max_size=300))
def test_whatever_is_typed_becomes_some_words(text: str) -> None:
    assert isinstance(to_plain(text), str)
