"""The contract suite's part for capabilities a channel may have: many at once, look-up, call-backs, taking back."""
# ruff: noqa: S101 - a test suite asserts, wherever it lives

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
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
    SendsMany,
    SignatureInvalid,
    Suits,
    TakesSubscribers,
    Withdraws,
)
from broker.channel import Channel, Item, Key, NotStarted, Outcome, Receipt
from broker.delivery import Evidence
from broker.errors import AddressRejected, DeliveryFailure, RuleBroken, Transient, Uncertain
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


class SendsManyContract:
    """For a channel that keeps its connections full by itself."""

    async def test_every_item_has_exactly_one_outcome_and_is_sent_once(
        self, bench: Bench, channel: Channel
    ) -> None:
        items = [item(channel, bench, number) for number in range(1, 3 * bench.hands + 2)]
        outcomes = await _collect(_many(channel).send_many(_stream(items), may_start=_always))
        assert sorted(key.delivery for key, _ in outcomes) == [each.key.delivery for each in items]
        ids = [outcome.provider_id for _, outcome in outcomes if isinstance(outcome, Receipt)]
        assert sorted(ids) == sorted(accepted.provider_id for accepted in bench.truth())
        assert len(ids) == len(set(ids)) == len(items)

    async def test_what_may_not_start_is_told_so_and_never_leaves(
        self, bench: Bench, channel: Channel
    ) -> None:
        items = [item(channel, bench, number) for number in range(1, 2 * bench.hands + 4)]
        asked: list[Key] = []

        def may_start(key: Key) -> bool:
            asked.append(key)
            return key.delivery % 3 != 0

        outcomes = dict(await _collect(_many(channel).send_many(_stream(items), may_start=may_start)))
        stopped = {each.key for each in items if each.key.delivery % 3 == 0}
        assert {key for key, outcome in outcomes.items() if isinstance(outcome, NotStarted)} == stopped
        assert {key.delivery for key in asked} == {each.key.delivery for each in items}
        assert len(bench.truth()) == len(items) - len(stopped)

    async def test_one_failure_does_not_stop_the_rest(self, bench: Bench, channel: Channel) -> None:
        _many(channel)
        if channel.traits.broadcast:
            pytest.skip("a broadcast has no addresses to refuse one of")
        refused = bench.recipient(3).address
        bench.order(Fault.REJECTED_ADDRESS, address=refused)
        struck = bench.open()
        try:
            items = [item(struck, bench, number) for number in range(1, 2 * bench.hands + 4)]
            outcomes = await _collect(_many(struck).send_many(_stream(items), may_start=_always))
        finally:
            struck.close()
        failed = {key.delivery: outcome for key, outcome in outcomes if not isinstance(outcome, Receipt)}
        assert list(failed) == [3]
        assert isinstance(failed[3], AddressRejected)
        assert len(bench.truth()) == len(items) - 1

    async def test_a_lost_answer_is_an_outcome_and_not_a_crash(self, bench: Bench, channel: Channel) -> None:
        _many(channel)
        skip_unsupported(bench, Fault.LOST_AFTER_ACCEPT)
        lost = bench.recipient(2).address
        bench.order(Fault.LOST_AFTER_ACCEPT, address=lost)
        struck = bench.open()
        try:
            items = [item(struck, bench, number) for number in range(1, 4)]
            outcomes = dict(await _collect(_many(struck).send_many(_stream(items), may_start=_always)))
        finally:
            struck.close()
        assert isinstance(outcomes[items[1].key], Uncertain)
        assert len(bench.truth()) == len(items)

    async def test_no_item_is_pulled_while_every_hand_is_full(self, bench: Bench, channel: Channel) -> None:
        _many(channel)
        skip_unsupported(bench, Fault.TIMEOUT_BEFORE)
        bench.order(Fault.TIMEOUT_BEFORE)
        blind = bench.open()
        pulled = 0

        async def counted() -> AsyncIterator[Item]:
            nonlocal pulled
            for number in range(1, 3 * bench.hands):
                pulled += 1
                yield item(blind, bench, number)

        collecting = asyncio.create_task(_collect(_many(blind).send_many(counted(), may_start=_always)))
        await asyncio.sleep(0.3)
        assert 1 <= pulled <= bench.hands
        collecting.cancel()
        await asyncio.gather(collecting, return_exceptions=True)
        blind.close()

    async def test_outcomes_come_while_the_stream_still_waits(self, bench: Bench, channel: Channel) -> None:
        heard = asyncio.Event()

        async def waiting() -> AsyncIterator[Item]:
            yield item(channel, bench, 1)
            await heard.wait()
            yield item(channel, bench, 2)

        outcomes: list[tuple[Key, Outcome]] = []
        async with asyncio.timeout(10):
            async for outcome in _many(channel).send_many(waiting(), may_start=_always):
                outcomes.append(outcome)
                heard.set()
        assert [key.delivery for key, _ in outcomes] == [1, 2]

    async def test_a_stream_that_breaks_is_told_after_every_outcome(
        self, bench: Bench, channel: Channel
    ) -> None:
        async def breaking() -> AsyncIterator[Item]:
            for number in range(1, 4):
                yield item(channel, bench, number)
            raise StreamBroke

        outcomes: list[tuple[Key, Outcome]] = []
        with pytest.raises(StreamBroke):  # noqa: PT012 - what came before the break is kept
            async for outcome in _many(channel).send_many(breaking(), may_start=_always):
                outcomes.append(outcome)  # noqa: PERF401 - an extend would lose it
        assert sorted(key.delivery for key, _ in outcomes) == [1, 2, 3]
        assert len(bench.truth()) == 3

    async def test_an_empty_stream_has_no_outcomes(self, channel: Channel) -> None:
        assert await _collect(_many(channel).send_many(_stream([]), may_start=_always)) == []

    async def test_leaving_early_leaves_nothing_running_and_the_channel_fit(
        self, bench: Bench, channel: Channel
    ) -> None:
        before = asyncio.all_tasks()
        items = [item(channel, bench, number) for number in range(1, 2 * bench.hands + 2)]
        outcomes = _many(channel).send_many(_stream(items), may_start=_always)
        async for _ in outcomes:
            break
        await outcomes.aclose()  # type: ignore[attr-defined]
        await asyncio.sleep(0.05)
        assert asyncio.all_tasks() == before
        again = await _collect(
            _many(channel).send_many(_stream([item(channel, bench, 99)]), may_start=_always)
        )
        assert [type(outcome) for _, outcome in again] == [Receipt]


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


class StreamBroke(Exception):
    """Raised by a test's stream of items."""


def _past(one: Item) -> PastAttempt:
    return PastAttempt(one.key, datetime.now(UTC), one.to.address, one.message.digest, frozenset())


def _many(channel: Channel) -> SendsMany:
    if not isinstance(channel, SendsMany):
        pytest.skip(f"{channel.name} does not send many at once")
    return channel


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


def _always(_: Key) -> bool:
    return True


async def _stream(items: Iterable[Item]) -> AsyncIterator[Item]:
    for each in items:
        yield each


async def _collect(outcomes: AsyncIterator[tuple[Key, Outcome]]) -> list[tuple[Key, Outcome]]:
    return [outcome async for outcome in outcomes]
