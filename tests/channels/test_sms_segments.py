"""How many segments a text takes, judged by a table, by the stand-in's own count and by smsutil."""

from __future__ import annotations

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.segments import is_gsm, segments, strangers
from sandbox.segments import segments as counted_by_the_stand_in


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # 153 is odd: the seventy-seventh euro sign would be parted, so it begins the next segment.
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("a" * 152 + "€" + "a" * 6, 1),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("ë" * 70, 1),
        ("ë" * 71, 2),
        ("ë" * 134, 2),
        ("ë" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 66, 2),
        ("😀" * 67, 3),
        ("line one\nline two", 1),
    ],
)
def test_segments_are_counted_as_twilio_bills_them(text, parts):
    assert segments(text) == parts
    assert counted_by_the_stand_in(text) == parts


GSM = st.text(alphabet=st.sampled_from("aZ é€{}|\n£Ω@"), max_size=500)
ANY = st.text(alphabet=st.sampled_from("aZ é€{}|ë😀—’\n"), max_size=500)


@given(GSM | ANY | st.text(max_size=200))
def test_three_counts_that_know_nothing_of_each_other_agree(text):
    assert segments(text) == counted_by_the_stand_in(text)
    if text and "\x1b" not in text:  # smsutil takes the escape itself for a letter
        assert segments(text) == len(smsutil.split(text).parts)


def test_what_keeps_a_text_out_of_the_short_alphabet_is_named_once():
    assert strangers("Zoë’s and Chloë’s") == ["ë", "’"]
    assert is_gsm("Chloé: £5 @ 6")
