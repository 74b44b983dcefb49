"""Striking somebody out of words: however their name and number are written, and nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.privacy.strike import pattern, striker, whole_names

NAMES = whole_names("Ann", "Lee-Jones", "Annie")
MOBILE = ("mobile", "+447911123456")
EMAIL = ("email", "ann.lee@example.org")
STRIKE = striker(pattern(NAMES, [MOBILE, EMAIL], ["P-0417"]), "X")


@pytest.mark.parametrize(
    ("words", "struck"),
    [
        ("Ask Ann Lee-Jones.", "Ask X."),
        ("Ask ann  LEE-JONES's mother", "Ask X's mother"),
        ("Lee-Jones, Ann (7B)", "X (7B)"),
        ("Annie\nLee-Jones", "X"),
        ("Joann Lee-Jones stays", "Joann Lee-Jones stays"),
        ("Ann Lee stays", "Ann Lee stays"),
        ("Ann alone stays", "Ann alone stays"),
        ("ring 07911 123456 now", "ring X now"),
        ("ring +44 7911 123 456", "ring X"),
        ("ring 0044 (0)7911-123456", "ring X"),
        ("ring 079111234567", "ring 079111234567"),
        ("ring 17911123456", "ring 17911123456"),
        ("write to Ann.Lee@Example.org!", "write to X!"),
        ("write to joann.lee@example.org", "write to joann.lee@example.org"),
        ("see P-0417, not P-04170", "see X, not P-04170"),
    ],
)
def test_what_is_theirs_goes_and_what_is_not_stays(words: str, struck: str) -> None:
    assert STRIKE(words) == struck


@pytest.mark.parametrize("given", ["Zoë", "Zoe\u0308"])
@pytest.mark.parametrize("apostrophe", "'’‘`´")
@pytest.mark.parametrize("hyphen", "-\u2010\u2011\u2013")
def test_a_name_is_struck_as_telephones_type_it(given: str, apostrophe: str, hyphen: str) -> None:
    for first, last in (("Zoë", "O'Brien-Roe"), ("Zoe\u0308", "O’Brien\u2011Roe")):
        strike = striker(pattern(whole_names(first, last, None)), "X")
        assert strike(f"Ask {given} O{apostrophe}Brien{hyphen}Roe.") == "Ask X."
    assert striker(pattern(["Zoe"]), "X")("Zoe\u0308 stays, Zoe goes") == "Zoe\u0308 stays, X goes"


def test_a_short_id_is_a_number_like_any_other() -> None:
    assert striker(pattern((), (), ["12"]))("12 pupils, P12") == "12 pupils, P12"


def test_somebody_of_one_name_is_struck_by_it() -> None:
    assert (
        striker(pattern(whole_names("Plato", "", None)))("Plato spoke, platonic")
        == "erased person spoke, platonic"
    )


def test_nothing_is_found_of_nobody() -> None:
    assert striker(pattern((), ()))("whatever 07911 123456") == "whatever 07911 123456"


NAME = st.text(st.characters(categories=("L", "M", "P", "Zs")), min_size=1, max_size=20)


@given(NAME, NAME, st.text(max_size=40), st.text(max_size=40))
def test_a_whole_name_never_survives_among_other_words(
    first: str, last: str, before: str, after: str
) -> None:
    names = whole_names(first, last, None)
    words = f"{before} {first} {last} {after}"
    struck = striker(pattern(names), "\u2588")(words)
    if first.strip() and last.strip() and (first + last)[0].isalnum() and last[-1].isalnum():
        assert f" {first} {last} " not in struck
