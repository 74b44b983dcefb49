"""Whether there is the post to be quoted, asked of the stand-in before anything is accepted."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from broker.capabilities import Verifies
from channels.twitter import Twitter
from sandbox.client import RunningSandbox
from sandbox.settings import XCredentials
from tests.channels.twitter_support import item, open_at, wording


@pytest.fixture
def at_x(x: RunningSandbox) -> Iterator[RunningSandbox]:
    """The stand-in, in good health before and after."""
    x.control.clear()
    yield x
    x.control.clear()


@pytest.fixture
def channel(at_x: RunningSandbox) -> Iterator[Twitter]:
    opened = open_at(at_x)
    yield opened
    opened.close()


LISTED = ("bbcradio3", "@Jack")


def told(channel: Twitter, quote: str) -> list[tuple[str, str]]:
    return [(p.code, p.field) for p in channel.verify(wording("Well done!", quote=quote), LISTED)]


def asked(at_x: RunningSandbox) -> int:
    return int(at_x.control.counts()["x"].get("read", 0))


@pytest.mark.parametrize(
    "quote", ["20", "https://x.com/jack/status/20", "https://twitter.com/jack/status/20?s=20"]
)
def test_a_post_that_is_there_may_be_quoted_whatever_its_address(channel: Twitter, quote: str) -> None:
    assert isinstance(channel, Verifies)
    assert told(channel, quote) == []


def test_the_accounts_own_post_may_be_quoted_until_it_is_deleted(channel: Twitter) -> None:
    one = item(channel, wording("Our concert was splendid."), 4711)
    receipt = channel.send(one.message, one.to, key=one.key)
    assert told(channel, receipt.provider_id) == []
    channel.withdraw(receipt)
    assert told(channel, receipt.provider_id) == [("no_such_post", "quote")]


@pytest.mark.parametrize("listed", [(), ("jackie",), ("bbcradio3",)])
def test_a_post_of_nobody_on_the_schools_list_is_not_quoted(
    channel: Twitter, listed: tuple[str, ...]
) -> None:
    (problem,) = channel.verify(wording("Well done!", quote="https://x.com/bbcradio3/status/20"), listed)
    assert (problem.code, problem.field) == ("not_quotable", "quote")
    assert "social.quotable jack" in problem.hint


def test_a_post_that_is_not_there_is_told_so(channel: Twitter) -> None:
    assert told(channel, "https://x.com/jack/status/99") == [("no_such_post", "quote")]


def test_a_post_that_is_not_for_everybody_is_told_so(channel: Twitter) -> None:
    assert told(channel, "21") == [("post_not_public", "quote")]


def test_a_wording_without_a_quote_asks_nothing(channel: Twitter, at_x: RunningSandbox) -> None:
    before = asked(at_x)
    assert list(channel.verify(wording("Well done!"), ())) == []
    assert asked(at_x) == before


@pytest.mark.parametrize(
    "fault",
    ["503", "500-before-accept", "429", "401", "locked", "reset-before-accept", "bad-json", "truncated"],
)
def test_a_provider_that_cannot_tell_is_a_problem_and_not_a_crash(
    channel: Twitter, at_x: RunningSandbox, fault: str
) -> None:
    at_x.control.order(f"x:{fault}:stage=read")
    assert told(channel, "20") == [("quote_unchecked", "quote")]


def test_a_silent_provider_is_given_up_within_the_timeout(channel: Twitter, at_x: RunningSandbox) -> None:
    at_x.control.order("x:hang-before-accept:stage=read")
    began = time.monotonic()
    assert told(channel, "20") == [("quote_unchecked", "quote")]
    assert time.monotonic() - began < 3


def test_wrong_credentials_say_what_to_do(at_x: RunningSandbox) -> None:
    wrong = open_at(at_x, consumer_secret=XCredentials().consumer_secret[::-1])
    (problem,) = wrong.verify(wording("Well done!", quote="20"), LISTED)
    assert problem.code == "quote_unchecked"
    assert "make new ones" in problem.hint
    wrong.close()
