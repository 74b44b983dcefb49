"""The contract suite's part for what else a channel may be able to do: look-up, call-backs, taking back, forgetting.

Many at once has a file of its own, `channel_many.py`.
"""
# ruff: noqa: S101 - a test suite asserts, wherever it lives

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from broker.audience import Everyone, Group
from broker.capabilities import (
    ConfirmsDelivery,
    PastAttempt,
    Reconciles,
    Redacts,
    SignatureInvalid,
    Suits,
    TakesSubscribers,
    Withdraws,
)
from broker.channel import Channel, Item, Key, Receipt
from broker.delivery import Evidence
from broker.errors import DeliveryFailure, RuleBroken, Transient, Uncertain
from broker.testing.channel_bench import Bench, Callback, Fault, item, key, skip_unsupported

HOSTILE_BODIES = (
    b"",
    b"\x00",
    b"\xff\xfe\xfa",
    b"&&&===%%%",
    b"%zz=%&a",
    b"a=" + b"b" * 300_000,
    b"&".join(b"f%d=1" % n for n in range(5_000)),
    b'{"MessageSid": [[[[[',
    "MessageStatus=\u202edeliv\ud7ff".encode(),
    b"MessageStatus=nonsense&MessageSid=SM0&ErrorCode=not-a-number",
)


class ReconciliationContract:
    """For a channel whose provider can be asked whether it got one."""

    def test_what_was_accepted_and_lost_is_found(self, bench: Bench, channel: Channel) -> None:
        past = self._lose(bench, channel)
        found = _asked(channel).find(past)
        assert found is not None
        assert [accepted.provider_id for accepted in bench.truth()] == [found.provider_id]

    def test_what_was_never_accepted_is_proven_absent(self, bench: Bench, channel: Channel) -> None:
        assert _asked(channel).find(_past(item(channel, bench))) is None

    def test_what_belongs_to_another_attempt_is_never_found(self, bench: Bench, channel: Channel) -> None:
        one = item(channel, bench)
        receipt = channel.send(one.message, one.to, key=one.key)
        past = replace(_past(one), known=frozenset({receipt.provider_id}))
        assert _asked(channel).find(past) is None

    def test_the_same_text_sent_twice_is_told_apart(self, bench: Bench, channel: Channel) -> None:
        one = item(channel, bench)
        receipt = channel.send(one.message, one.to, key=one.key)
        # Under a key of its own, as every second try has: a provider that takes one key once makes no second of it.
        past = replace(self._lose(bench, channel, key(2)), known=frozenset({receipt.provider_id}))
        found = _asked(channel).find(past)
        assert found is not None
        assert found.provider_id == bench.truth()[-1].provider_id != receipt.provider_id

    def test_another_text_or_another_address_is_not_taken_for_it(
        self, bench: Bench, channel: Channel
    ) -> None:
        for other in (item(channel, bench, 1, "Another text."), item(channel, bench, 2)):
            channel.send(other.message, other.to, key=other.key)
        assert _asked(channel).find(_past(item(channel, bench, 1))) is None

    def test_a_provider_that_cannot_answer_proves_nothing(self, bench: Bench, channel: Channel) -> None:
        past = _past(item(channel, bench))
        bench.order(Fault.UNREACHABLE)
        blind = bench.open()
        with pytest.raises(DeliveryFailure):
            _asked(blind).find(past)
        blind.close()

    def _lose(self, bench: Bench, channel: Channel, under: Key | None = None) -> PastAttempt:
        """A try whose answer is lost, as the ledger remembers it."""
        _asked(channel)
        bench.order(Fault.LOST_AFTER_ACCEPT)
        unlucky = bench.open()
        one = item(unlucky, bench)
        one = replace(one, key=under or one.key)
        past = _past(one)
        with pytest.raises(Uncertain):
            unlucky.send(one.message, one.to, key=one.key)
        unlucky.close()
        bench.cure()
        return past


class ConfirmationContract:
    """For a channel whose provider calls back."""

    @pytest.mark.parametrize("evidence", list(Evidence))
    def test_signed_news_is_believed(self, bench: Bench, channel: Channel, evidence: Evidence) -> None:
        one = item(channel, bench)
        calls = _called(channel)
        receipt = channel.send(one.message, one.to, key=one.key)
        call = bench.callback(one.key, receipt, evidence)
        news = list(calls.confirmations(call.url, call.body, call.headers))
        assert [each.evidence for each in news] == [evidence]
        assert news[0].token == one.key.token or news[0].provider_id == receipt.provider_id

    def test_news_under_a_wrong_signature_is_refused(self, bench: Bench, channel: Channel) -> None:
        one = item(channel, bench)
        calls = _called(channel)
        receipt = channel.send(one.message, one.to, key=one.key)
        call = bench.callback(one.key, receipt, Evidence.DELIVERED)
        forged = {name: value[::-1] for name, value in call.headers.items()}
        for url, body, headers in (
            (call.url, call.body, forged),
            (call.url, call.body, {}),
            (call.url, call.body + b"&x=1", call.headers),
            (call.url + "x", call.body, call.headers),
        ):
            with pytest.raises(SignatureInvalid):
                calls.confirmations(url, body, headers)

    @pytest.mark.parametrize("body", HOSTILE_BODIES, ids=range(len(HOSTILE_BODIES)))
    def test_a_hostile_body_raises_nothing_else(self, bench: Bench, channel: Channel, body: bytes) -> None:
        calls = _called(channel)
        with pytest.raises(SignatureInvalid):
            calls.confirmations("https://school.example/callbacks/x/y", body, {"X-Nonsense": "\udcff"})
        call: Callback = bench.signed("https://school.example/callbacks/x/y", body)
        try:
            news = calls.confirmations(call.url, call.body, call.headers)
        except SignatureInvalid:
            return
        assert not list(news)


class WithdrawalContract:
    """For a channel whose posts can be taken back."""

    def test_what_was_taken_back_can_be_taken_back_again(self, bench: Bench, channel: Channel) -> None:
        """Whoever dies between the deleting and the writing down deletes once more."""
        one = item(channel, bench)
        taker = _taker(channel)
        receipt = channel.send(one.message, one.to, key=one.key)
        taker.withdraw(receipt)
        taker.withdraw(receipt)

    def test_only_a_broadcast_claims_to_take_back(self, channel: Channel) -> None:
        _taker(channel)
        assert channel.traits.broadcast

    def test_a_provider_that_is_away_is_told_as_a_failure(self, bench: Bench, channel: Channel) -> None:
        _taker(channel)
        skip_unsupported(bench, Fault.UNREACHABLE)
        bench.order(Fault.UNREACHABLE)
        blind = bench.open()
        with pytest.raises(DeliveryFailure):
            _taker(blind).withdraw(Receipt("1"))
        blind.close()


class SuitingContract:
    """For a channel that speaks to some of the school's groups."""

    def test_whom_it_suits_is_said_the_same_twice_and_by_what_anybody_may_read_alone(
        self, channel: Channel
    ) -> None:
        if not isinstance(channel, Suits):
            pytest.skip(f"{channel.name} speaks to whoever is announced to")
        assert channel.traits.for_anybody
        for audience in (Everyone(), Group("a group that nobody ever heard of")):
            problems = list(channel.suits(audience))
            assert problems == list(channel.suits(audience))
            assert all(problem.code and problem.field and problem.message for problem in problems)


class SubscribingContract:
    """For a channel whose addresses are given by whoever subscribes."""

    def test_it_takes_subscribers_exactly_where_its_addresses_are_theirs(self, channel: Channel) -> None:
        assert channel.traits.subscribed == isinstance(channel, TakesSubscribers)

    @pytest.mark.parametrize(
        "told",
        [
            {},
            {"endpoint": None},
            {"endpoint": "https://push.example/1"},
            {"endpoint": "x" * 9_999, "keys": []},
        ],
    )
    def test_what_is_no_subscription_is_refused_with_a_reason(
        self, channel: Channel, told: Mapping[str, Any]
    ) -> None:
        if not isinstance(channel, TakesSubscribers):
            pytest.skip(f"nobody subscribes to {channel.name}")
        with pytest.raises(RuleBroken) as refused:
            channel.address_of(told)
        assert refused.value.problem.message


class RedactionContract:
    """For a channel whose provider keeps what was sent, and can be asked to forget it."""

    def test_what_was_forgotten_can_be_asked_for_again(self, bench: Bench, channel: Channel) -> None:
        """Whoever dies between the asking and the writing down asks once more."""
        forgetful = _forgetful(channel)
        one = item(channel, bench)
        receipt = channel.send(one.message, one.to, key=one.key)
        _forgotten(forgetful, receipt)
        forgetful.redact(receipt)

    def test_a_provider_has_no_more_of_it_and_keeps_the_others(self, bench: Bench, channel: Channel) -> None:
        forgetful = _forgetful(channel)
        asked = _asked(channel)
        one, other = item(channel, bench, 1), item(channel, bench, 2)
        receipts = [channel.send(each.message, each.to, key=each.key) for each in (one, other)]
        _forgotten(forgetful, receipts[0])
        assert asked.find(_past(one)) is None
        found = asked.find(_past(other))
        assert found is not None
        assert found.provider_id == receipts[1].provider_id

    @pytest.mark.parametrize("name", ["", "..", "no such message", "SM" + "0" * 32])
    def test_what_the_provider_never_had_is_forgotten(self, channel: Channel, name: str) -> None:
        _forgetful(channel).redact(Receipt(name))

    def test_a_provider_that_cannot_be_reached_has_forgotten_nothing(
        self, bench: Bench, channel: Channel
    ) -> None:
        _forgetful(channel)
        one = item(channel, bench)
        receipt = channel.send(one.message, one.to, key=one.key)
        bench.order(Fault.UNREACHABLE)
        blind = bench.open()
        assert isinstance(blind, Redacts)
        with pytest.raises(DeliveryFailure):
            blind.redact(receipt)
        blind.close()


def _past(one: Item) -> PastAttempt:
    return PastAttempt(one.key, datetime.now(UTC), one.to.address, one.message.digest, frozenset())


def _asked(channel: Channel) -> Reconciles:
    if not isinstance(channel, Reconciles):
        pytest.skip(f"{channel.name}'s provider cannot be asked")
    return channel


def _called(channel: Channel) -> ConfirmsDelivery:
    if not isinstance(channel, ConfirmsDelivery):
        pytest.skip(f"{channel.name}'s provider does not call back")
    return channel


def _taker(channel: Channel) -> Withdraws:
    if not isinstance(channel, Withdraws):
        pytest.skip(f"{channel.name}'s posts cannot be taken back")
    return channel


def _forgetful(channel: Channel) -> Redacts:
    if not isinstance(channel, Redacts):
        pytest.skip(f"{channel.name}'s provider cannot be asked to forget")
    return channel


def _forgotten(forgetful: Redacts, receipt: Receipt) -> None:
    """Asked until the provider has done with the message: before, it may say "not yet"."""
    until = time.monotonic() + 10
    while True:
        try:
            return forgetful.redact(receipt)
        except Transient:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
