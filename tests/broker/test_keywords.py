"""What a text asks for: a few words in several languages, however they are typed; everything else is for a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.incoming.keywords import Asked, keyword_of


@pytest.mark.parametrize(
    "text",
    [
        *(
            "STOP",
            "stop",
            " Stop. ",
            "“Stop!”",
            "STOP ALL",
            "stop-all",
            "Un-subscribe",
            "quit",
            "Please stop!",
        ),
        *("OPT OUT", "opt-out", "ｓｔｏｐ", "s\u200btop", "STOPIO", "ARRÊT", "توقف"),
    ],
)
def test_a_stop_is_a_stop_however_it_is_typed(text: str) -> None:
    found = keyword_of(text)
    assert found is not None
    assert (found.asked, found.alone) == (Asked.STOP, True)


@pytest.mark.parametrize(
    ("text", "asked"), [("start", Asked.START), ("UNSTOP", Asked.START), ("help", Asked.HELP)]
)
def test_start_and_help_are_heard(text: str, asked: Asked) -> None:
    found = keyword_of(text)
    assert found is not None
    assert found.asked is asked


@pytest.mark.parametrize(
    "text",
    ["", "Yes", "Amy will stop at home today", "the bus stop is closed", "OK!", "helpful, thanks", "🙂"],
)
def test_what_a_parent_writes_is_for_a_person_to_read(text: str) -> None:
    assert keyword_of(text) is None


def test_a_short_text_that_begins_with_stop_is_a_stop_and_is_read_by_a_person_too() -> None:
    found = keyword_of("Stop hitting me")
    assert found is not None
    assert (found.asked, found.alone) == (Asked.STOP, False)


def test_what_the_provider_took_for_a_stop_is_one_and_is_read_when_the_words_say_something_else() -> None:
    found = keyword_of("Basta, grazie", told="STOP")
    assert found is not None
    assert (found.asked, found.alone) == (Asked.STOP, False)
    assert keyword_of("Basta, grazie", told="SOMETHING NEW") is None


@given(st.text(max_size=2000), st.text(max_size=20))
def test_whatever_is_sent_nothing_breaks(text: str, told: str) -> None:
    keyword_of(text, told)
