"""What a message costs: a text by its segments, a post by whether a link stands in it, everything else nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest

from broker.announcement import Content, Part
from broker.capabilities import Charges
from broker.channel import PUBLIC
from channels.email import Email
from channels.rss import Rss
from channels.sms import Sms
from channels.sms.render import Style as TextStyle
from channels.sms.render import render as as_text
from channels.twitter import Twitter
from channels.twitter.render import Style as PostStyle
from channels.twitter.render import cost as cost_of_post
from channels.twitter.render import render as as_post


def said(short: str) -> Content:
    return Content(1, "", {Part.SHORT: short, Part.LONG: short})


@pytest.mark.parametrize(
    ("words", "cost"),
    [
        ("Rehearsal at 15:30.", "0.04"),
        ("a" * 160, "0.04"),
        ("a" * 161, "0.08"),
        ("\u2603" + "a" * 69, "0.04"),
        ("\u2603" + "a" * 70, "0.08"),
    ],
)
def test_a_text_costs_its_segments(words: str, cost: str) -> None:
    style = TextStyle(price=Decimal("0.04"))
    message = as_text(said(words), PUBLIC, style)
    assert message.parts * style.price == Decimal(cost)


def test_a_post_with_a_link_costs_many_times_as_much() -> None:
    bare = PostStyle(price=Decimal("0.01"), link_price=Decimal("0.2"))
    assert cost_of_post(as_post(said("Concert tonight."), PUBLIC, bare), bare) == Decimal("0.01")
    linked = as_post(said("Concert tonight: https://school.example/concert"), PUBLIC, bare)
    assert cost_of_post(linked, bare) == Decimal("0.2")
    paged = PostStyle("https://news.school.example", price=Decimal("0.01"), link_price=Decimal("0.2"))
    assert cost_of_post(as_post(said("Concert tonight."), PUBLIC, paged), paged) == Decimal("0.2"), (
        "its own page"
    )


def test_what_is_charged_for_says_so_and_what_is_not_does_not() -> None:
    assert [issubclass(channel, Charges) for channel in (Sms, Twitter, Email, Rss)] == [
        True,
        True,
        False,
        False,
    ]
