"""How pupils' names come into a wording."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.naming import fill, heading, join_names, lead, names_of, unknown_placeholder


@pytest.mark.parametrize(
    ("names", "joined"),
    [
        ((), ""),
        (("Amy",), "Amy"),
        (("Amy", "Ben"), "Amy and Ben"),
        (("Amy", "Ben", "Cal", "Dee"), "Amy, Ben, Cal and Dee"),
    ],
)
def test_names_are_joined_as_english_joins_them(names, joined):
    assert join_names(names) == joined


def test_a_family_of_four_is_named_before_a_text_that_names_nobody():
    assert (
        fill("School is closed.", ("Amy", "Ben", "Cal", "Dee"))
        == "For Amy, Ben, Cal and Dee: School is closed."
    )


def test_one_pupil_needs_no_lead():
    assert lead(("Amy",)) == ""
    assert fill("School is closed.", ("Amy",)) == "School is closed."


def test_the_placeholder_takes_the_names_and_no_lead():
    assert fill("Bring {pupil} at 4. {pupil} plays first.", ("Amy", "Ben")) == (
        "Bring Amy and Ben at 4. Amy and Ben plays first."
    )


def test_without_names_it_says_your_child_with_a_capital_where_a_sentence_begins():
    assert fill("{pupil} is in. Tell {pupil}. {pupil} knows.\n{pupil} too", ()) == (
        "Your child is in. Tell your child. Your child knows.\nYour child too"
    )


def test_a_name_is_never_read_as_a_placeholder():
    assert fill("Hello {pupil}", ("{pupil}",)) == "Hello {pupil}"


@given(st.text(), st.lists(st.text(), max_size=4))
def test_any_wording_and_any_names_can_be_filled(text, names):
    assert fill(text, names) == fill(text, tuple(names))


def test_a_child_without_a_name_leaves_no_hole_in_the_sentence():
    assert fill("Hello {pupil}!", ["Amy", "", "Ben"]) == "Hello Amy, Ben and another child!"
    assert fill("Hello {pupil}!", [" "]) == "Hello your child!"
    assert fill("Hello", ["", "Amy"]) == "For Amy and another child: Hello"
    assert fill("Hello", ["", " "]) == "Hello"


def test_a_name_is_said_once_and_children_without_any_name_are_not_named():
    assert names_of(["Ann", "Ben", "Ann", ""]) == ("Ann", "Ben", "")
    assert names_of(["", " "]) == ()


def test_guardians_and_classes_are_joined_each_once():
    text = "Dear {guardian}, {pupil} of {class} may come."
    assert fill(text, ("Amy", "Ben"), ("Mary Lee", "Tom Lee"), ("7B", "9A")) == (
        "Dear Mary Lee and Tom Lee, Amy and Ben of 7B and 9A may come."
    )
    assert fill("{class}: come.", ("Amy", "Ben"), (), ("7B", "7B")) == "For Amy and Ben: 7B: come."


def test_a_part_that_somebody_lacks_is_plain_words_and_never_a_gap():
    text = "{guardian}! Dear {guardian}: {pupil} of {class} may come.\n{class}"
    assert fill(text, ()) == (
        "Parent or carer! Dear parent or carer: your child of the class may come.\nThe class"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Dear {guardain}", ("{guardain}", "{guardian}")),
        ("{Pupil} may come", ("{Pupil}", "{pupil}")),
        ("Bring {xyz}", ("{xyz}", "")),
        ("{pupil} {class} {guardian} {} { } {2} {a b} {{", None),
    ],
)
def test_what_looks_like_a_part_and_is_none_is_found(text, found):
    assert unknown_placeholder(text) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Choir today", "Choir today"),
        ("{pupil}: choir today in the hall.", "Choir today in the hall."),
        ("{guardian}, choir is cancelled", "Choir is cancelled"),
        ("Choir for {pupil} of {class}", "Choir for your child of the class"),
        ("{pupil}", "Your child"),
        ("Bring {money}", "Bring {money}"),
    ],
)
def test_a_list_names_an_announcement_without_the_gap_that_it_begins_with(text: str, told: str) -> None:
    assert heading(text) == told
