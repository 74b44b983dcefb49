"""Twilio's codes, as a table and through the real SDK."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from broker.channel import Channel, Item, Outcome, Receipt, Recipient, Surroundings
from broker.errors import (
    AccountRejected,
    AddressRejected,
    ContentRejected,
    DeliveryFailure,
    Permanent,
    RateLimited,
    Transient,
    Uncertain,
)
from broker.testing.channel_bench import key, plain
from channels.sms import kit
from channels.sms.codes import MEANINGS, describe, failure
from sandbox.client import RunningSandbox
from tests.channels.twilio_support import settings

TO = Recipient("+447911123456")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 21211, AddressRejected),
        (400, 21214, AddressRejected),
        (400, 21408, AddressRejected),
        (400, 21610, AddressRejected),
        (400, 21612, AddressRejected),
        (400, 21614, AddressRejected),
        (400, 21617, ContentRejected),
        (400, 21606, AccountRejected),
        (400, 21611, RateLimited),
        (401, 20003, AccountRejected),
        (401, None, AccountRejected),
        (403, None, AccountRejected),
        (404, 20404, AccountRejected),
        (429, 20429, RateLimited),
        (429, 63038, RateLimited),
        (429, 21610, RateLimited),
        (400, 99999, ContentRejected),
        (400, None, ContentRejected),
        (500, 20500, Uncertain),
        (503, 20503, Uncertain),
        (503, 21610, Uncertain),
        (302, None, Uncertain),
    ],
)
def test_a_code_leads_to_its_failure(status, code, kind):
    assert type(failure(status, code)) is kind


@pytest.mark.parametrize("code", MEANINGS)
def test_every_code_has_a_sentence_for_people(code):
    meaning = MEANINGS[code]
    assert meaning.why
    assert not meaning.why.endswith(".")
    assert issubclass(meaning.failure, Permanent | Transient)  # a code that is known leaves nothing uncertain


def test_only_a_stop_is_an_opt_out():
    assert [code for code, meaning in MEANINGS.items() if meaning.opt_out] == [21610]


@pytest.mark.parametrize("code", ["", "30003x", "²", "9" * 5_000, "12345"])
def test_an_unknown_code_means_nothing(code):
    assert describe(code) is None


@pytest.fixture
def channel(twilio: RunningSandbox) -> Iterator[Channel]:
    channel = kit.open("office", settings(twilio.twilio_url), Surroundings("school", "GB", sandbox=True))
    yield channel
    channel.close()
    twilio.control.clear()


def refused(channel: Channel) -> DeliveryFailure:
    with pytest.raises(DeliveryFailure) as caught:
        channel.send(channel.render(plain(), TO), TO, key=key())
    return caught.value


@pytest.mark.parametrize(
    ("order", "kind", "code"),
    [
        ("error:code=21610", AddressRejected, "21610"),
        ("error:code=21408", AddressRejected, "21408"),
        ("error:code=21606", AccountRejected, "21606"),
        ("error:code=20403,status=403", AccountRejected, "20403"),
        ("error:code=21611,status=429", RateLimited, "429"),
        ("503", Uncertain, "20503"),
        ("truncated", Uncertain, ""),
    ],
)
def test_the_sdk_brings_the_code_through(channel, twilio, order, kind, code):
    twilio.control.order(f"twilio:{order}" if "=" in order else f"twilio:{order}:")
    found = refused(channel)
    assert type(found) is kind
    assert found.code == code


def test_a_stop_at_once_is_an_opt_out_too(channel, twilio):
    twilio.control.order("twilio:error:code=21610")
    found = refused(channel)
    assert isinstance(found, AddressRejected)
    assert found.opt_out


def test_a_rate_limit_says_for_how_long(channel, twilio):
    twilio.control.order("twilio:429:retry_after=7")
    found = refused(channel)
    assert isinstance(found, RateLimited)
    assert found.retry_after == timedelta(seconds=7)


def test_nobody_can_stop_the_school_for_more_than_an_hour(channel, twilio):
    twilio.control.order("twilio:429:retry_after=99999999")
    found = refused(channel)
    assert isinstance(found, RateLimited)
    assert found.retry_after == timedelta(hours=1)


def test_wrong_credentials_reject_the_account(twilio):
    told = settings(twilio.twilio_url, auth_token="not-the-token")
    channel = kit.open("office", told, Surroundings("school", "GB", sandbox=True))
    assert isinstance(refused(channel), AccountRejected)
    channel.close()


def test_a_kept_connection_that_breaks_is_never_tried_again_behind_our_back(channel, twilio):
    known = len(twilio.truth())
    channel.send(channel.render(plain(), TO), TO, key=key(1))
    twilio.control.order("twilio:reset-after-accept:next=1")
    assert isinstance(refused(channel), Uncertain)
    assert len(twilio.truth()) == known + 2


async def test_two_loops_may_send_at_once_through_one_channel(twilio):
    around = Surroundings("school", "GB", sandbox=True)
    channel = kit.open("office", settings(twilio.twilio_url, in_flight=4), around)
    twilio.control.order("twilio:latency:ms=20")

    async def items() -> AsyncIterator[Item]:
        for number in range(20):
            yield Item(key(number), channel.render(plain(), TO), TO)

    async def send_all() -> list[Outcome]:
        return [outcome async for _, outcome in channel.send_many(items(), may_start=lambda _: True)]

    other = asyncio.new_event_loop()
    lane = threading.Thread(target=other.run_forever)
    lane.start()
    there = asyncio.run_coroutine_threadsafe(send_all(), other)
    outcomes = [*await send_all(), *await asyncio.wrap_future(there)]
    assert [type(outcome) for outcome in outcomes] == [Receipt] * 40
    channel.close()
    other.call_soon_threadsafe(other.stop)
    lane.join()
    other.close()
    twilio.control.clear()
