"""A wrong clock signs what X refuses: no credentials are to blame, and the next try goes by X's."""

from __future__ import annotations

import itertools
import time
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from broker.channel import Receipt
from broker.errors import AccountRejected, DeliveryFailure, Transient
from channels.twitter import clock
from channels.twitter.clock import shown_at
from sandbox.client import RunningSandbox
from tests.channels.twitter_support import item, open_at, wording

numbers = itertools.count(800_000)
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
THERE = 784_111_777


class Wrong:
    """A clock to be put right or wrong, in place of the process's own."""

    def __init__(self) -> None:
        self.by = timedelta(0)

    monotonic = staticmethod(time.monotonic)

    def time(self) -> float:
        return time.time() + self.by.total_seconds()


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> Wrong:
    wrong = Wrong()
    monkeypatch.setattr(clock, "time", wrong)
    return wrong


def post(x: RunningSandbox, *, times: int = 1, **changed: Any) -> list[Receipt | DeliveryFailure]:
    """What became of so many tries of one post."""
    channel = open_at(x, **changed)
    one = item(channel, wording(f"Choir at four, number {next(numbers)}."), next(numbers))
    became: list[Receipt | DeliveryFailure] = []
    try:
        for _ in range(times):
            try:
                became.append(channel.send(one.message, one.to, key=one.key))
            except DeliveryFailure as failure:
                became.append(failure)
    finally:
        channel.close()
    return became


@pytest.mark.parametrize("by", [timedelta(minutes=6), timedelta(days=-400)])
def test_a_wrong_clock_stops_no_account_and_the_next_try_goes_by_the_time_at_x(
    x: RunningSandbox, ours: Wrong, by: timedelta
) -> None:
    ours.by = by
    refused, posted = post(x, times=2)
    assert isinstance(refused, Transient)
    assert refused.code == "clock"
    assert ("ahead of" if by > timedelta(0) else "behind") in refused.why
    assert isinstance(posted, Receipt)


def test_a_clock_that_is_off_by_a_little_is_no_matter(x: RunningSandbox, ours: Wrong) -> None:
    ours.by = timedelta(minutes=2)
    [posted] = post(x)
    assert isinstance(posted, Receipt)


def test_wrong_credentials_are_told_as_such_once_the_time_is_known(x: RunningSandbox, ours: Wrong) -> None:
    ours.by = timedelta(hours=-1)
    became = post(x, times=2, consumer_secret=SecretStr("another one"))
    assert [type(each) for each in became] == [Transient, AccountRejected]
    ours.by = timedelta(0)
    [refused] = post(x, consumer_secret=SecretStr("another one"))
    assert isinstance(refused, AccountRejected)


@pytest.mark.parametrize(
    ("signed", "date"),
    [
        ("", DATE),
        ('OAuth oauth_timestamp="no"', DATE),
        ('OAuth oauth_timestamp="1"', ""),
        ('OAuth oauth_timestamp="1"', "yesterday"),
        ('OAuth oauth_timestamp="1"', "Sun, 06 Nov 99999 08:49:37 GMT"),
        (f'OAuth oauth_timestamp="{THERE}"', DATE),
        (f'OAuth oauth_timestamp="{THERE + 60}"', DATE),
    ],
)
def test_what_shows_no_other_time_is_believed_to_be_of_the_credentials(signed: str, date: str) -> None:
    assert shown_at(signed, date) is None


def test_the_time_at_x_is_read_from_its_answer() -> None:
    assert shown_at(f'OAuth oauth_nonce="1", oauth_timestamp="{THERE - 61}"', DATE) == (
        THERE,
        timedelta(seconds=-61),
    )
