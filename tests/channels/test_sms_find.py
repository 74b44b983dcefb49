"""Asking Twilio whether it got a text: what is told apart, and what proves nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from broker.capabilities import PastAttempt
from broker.channel import Item, Recipient, Surroundings
from broker.delivery import Evidence
from broker.errors import DeliveryFailure, RateLimited, Uncertain
from broker.testing.channel_bench import key, plain
from channels.sms import Sms, kit
from channels.sms import gateway_twilio as gateway
from sandbox.client import RunningSandbox, start_sandbox
from tests.channels.twilio_support import settings

numbers = itertools.count(7_912_000_000)


@pytest.fixture
def channel(twilio: RunningSandbox) -> Iterator[Sms]:
    around = Surroundings("school", "GB", sandbox=True, timeout=timedelta(seconds=1))
    channel = kit.open("office", settings(twilio.twilio_url), around)
    yield channel
    channel.close()
    twilio.control.clear()


@pytest.fixture
def to() -> Recipient:
    return Recipient(f"+44{next(numbers)}")


def sent(channel: Sms, to: Recipient, text: str = "School is closed.") -> str:
    return channel.send(channel.render(plain(text), to), to, key=key()).provider_id


def past(channel: Sms, to: Recipient, started_at: datetime, text: str = "School is closed.", *known: str):
    return PastAttempt(
        key(), started_at, to.address, channel.render(plain(text), to).digest, frozenset(known)
    )


def test_a_clock_that_differs_a_little_hides_nothing(channel, to):
    made = sent(channel, to)
    for ahead in (timedelta(seconds=-90), timedelta(0), timedelta(seconds=90)):
        found = channel.find(past(channel, to, datetime.now(UTC) + ahead))
        assert found is not None
        assert found.provider_id == made


def test_yesterdays_same_text_is_not_todays(channel, to):
    sent(channel, to)
    assert channel.find(past(channel, to, datetime.now(UTC) + timedelta(minutes=10))) is None


def test_of_two_the_one_that_began_with_the_attempt_is_taken(channel, to):
    first = sent(channel, to)
    second = sent(channel, to)
    found = channel.find(past(channel, to, datetime.now(UTC), "School is closed.", first))
    assert found is not None
    assert found.provider_id == second


def test_a_text_that_failed_since_is_found_with_its_fate(channel, to, twilio):
    twilio.control.order("twilio:undelivered:code=30005")
    made = sent(channel, to)
    found = _until(channel, past(channel, to, datetime.now(UTC)), Evidence.BOUNCED)
    assert (found.provider_id, found.detail) == (made, "30005")


def test_a_trial_accounts_prefix_hides_nothing(channel, to):
    made = sent(channel, to, gateway.TRIAL_PREFIX + "School is closed.")
    found = channel.find(past(channel, to, datetime.now(UTC)))
    assert found is not None
    assert found.provider_id == made


def test_more_texts_than_can_be_looked_through_prove_nothing(channel, to, monkeypatch):
    monkeypatch.setattr(gateway, "MOST_LISTED", 3)
    for number in range(3):
        sent(channel, to, f"Text {number}")
    with pytest.raises(Uncertain):
        channel.find(past(channel, to, datetime.now(UTC)))


@pytest.mark.parametrize("fault", ["500-before-accept", "429", "401", "bad-json", "reset-before-accept"])
def test_a_listing_that_fails_is_a_failure_and_never_an_absence(channel, to, twilio, fault):
    twilio.control.order(f"twilio:{fault}:stage=list")
    with pytest.raises(DeliveryFailure) as caught:
        channel.find(past(channel, to, datetime.now(UTC)))
    assert isinstance(caught.value, RateLimited) == (fault == "429")
    assert to.address.lstrip("+") not in repr(caught.value)


async def test_it_can_be_asked_beside_a_running_loop(channel, to):
    assert channel.find(past(channel, to, datetime.now(UTC))) is None
    outcomes = [each async for each in channel.send_many(_one(channel, to), may_start=lambda _: True)]
    found = channel.find(past(channel, to, datetime.now(UTC)))
    assert found is not None
    assert found.provider_id == outcomes[0][1].provider_id
    channel.close()


async def _one(channel: Sms, to: Recipient):
    yield Item(key(), channel.render(plain("School is closed."), to), to)


def _until(channel: Sms, attempt: PastAttempt, evidence: Evidence):
    until = datetime.now(UTC) + timedelta(seconds=5)
    while (found := channel.find(attempt)) is None or found.evidence is not evidence:
        assert datetime.now(UTC) < until
    return found


def test_a_text_that_still_queues_at_twilio_is_found(tmp_path, to):
    """A long number sends one text a second: the last of a year group waits there for minutes, without a DateSent."""
    with start_sandbox(tmp_path / "truth.jsonl", step=timedelta(hours=1)) as slow:
        around = Surroundings("school", "GB", sandbox=True, timeout=timedelta(seconds=1))
        channel = kit.open("office", settings(slow.twilio_url), around)
        made = sent(channel, to)
        found = channel.find(past(channel, to, datetime.now(UTC)))
        channel.close()
    assert found is not None
    assert found.provider_id == made


def test_digests_are_of_the_text_alone(channel, to):
    assert channel.render(plain("School is closed."), to).digest == sha256(b"School is closed.").hexdigest()
