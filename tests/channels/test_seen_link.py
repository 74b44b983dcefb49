"""The link of "I have seen this" in what a parent reads: whole in a text and in both halves of a mail."""

from __future__ import annotations

import pytest

from broker.announcement import Content, Part
from broker.channel import Recipient
from broker.ladders.links import LONG_WORDS, SHORT_WORDS, delivery_of, link_of, with_link
from channels.markup import plain_words, to_html
from channels.sms.render import Style, render
from config.signer import HmacSigner

SIGNER = HmacSigner(b"a secret of the tests")
LINK = link_of(SIGNER, "https://school.example", 4711)
MUM = Recipient("+447911123456", ("Amy",))


@pytest.mark.parametrize(
    "parts",
    [
        {Part.SHORT: "{pupil}: at eight."},
        {Part.LONG: "**{pupil}**: at eight."},
        {Part.SHORT: "a", Part.LONG: "b"},
    ],
)
def test_a_text_ends_with_the_link_whatever_was_written(parts: dict[Part, str]) -> None:
    body = str(render(with_link(Content(1, "", parts), LINK), MUM, Style()).fields["body"])
    assert body.endswith(LINK)
    assert "*" not in body


def test_a_mail_has_it_as_a_link_and_in_full() -> None:
    content = with_link(Content(1, "", {Part.LONG: "Bring a coat.\n\n- one\n- two"}), LINK)
    assert f'href="{LINK}"' in to_html(content.long)
    assert f"{LONG_WORDS}<{LINK}>" in content.long
    assert "Bring a coat" in plain_words(content)


def test_the_title_stays_what_it_was() -> None:
    assert with_link(Content(1, "", {Part.SHORT: "At eight."}), LINK).title == "At eight."
    assert with_link(Content(1, "", {Part.TITLE: "Coach", Part.SHORT: "At eight."}), LINK).title == "Coach"
    assert with_link(Content(1, "", {Part.LONG: "# Coach\n\nAt eight."}), LINK).title.startswith("Coach")


def test_the_link_says_which_message_and_costs_a_text_little() -> None:
    assert delivery_of(SIGNER, LINK.rpartition("/")[2]) == 4711
    assert delivery_of(HmacSigner(b"another school's"), LINK.rpartition("/")[2]) is None
    assert len(SHORT_WORDS) + len(LINK) < 110
