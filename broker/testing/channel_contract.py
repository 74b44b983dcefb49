"""The suite that every channel passes: subclass it in the channel's test and give it a `bench` fixture.

    class TestSms(ChannelContract):
        @pytest.fixture
        def bench(self) -> Bench: ...

What a channel does not claim (`send_many`, `find`, `confirmations`, `withdraw`, `redact`) is skipped with a reason; a
claim without the capability, or a capability without the claim, fails.
"""
# ruff: noqa: S101 - a test suite asserts, wherever it lives

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest

from broker.announcement import Purpose, Urgency
from broker.capabilities import ConfirmsDelivery, Reconciles
from broker.channel import Channel, Item
from broker.errors import DeliveryFailure, RateLimited
from broker.policy import Allow, Case, Hold, Refuse, Withdraw
from broker.retry import RetryPolicy
from broker.testing.channel_bench import (
    ACCEPTED_ALL_THE_SAME,
    EITHER_WAY,
    LEADS_TO,
    WORDING,
    Bench,
    Fault,
    assert_nothing_private,
    item,
    key,
    plain,
    skip_unsupported,
)
from broker.testing.channel_capabilities import (
    ConfirmationContract,
    ReconciliationContract,
    RedactionContract,
    SubscribingContract,
    SuitingContract,
    WithdrawalContract,
)
from broker.testing.channel_many import SendsManyContract

NAMES = ("Amelia", "Benedict")
CONTRACT = "contract"  # the property of a report that names the channel


class ChannelContract(
    SendsManyContract,
    ReconciliationContract,
    ConfirmationContract,
    WithdrawalContract,
    SubscribingContract,
    SuitingContract,
    RedactionContract,
):
    """What holds for every channel, a text's as well as a feed's."""

    @pytest.fixture
    def bench(self) -> Bench:
        """The channel's own."""
        raise NotImplementedError("a channel's test gives the contract its bench")

    @pytest.fixture(autouse=True)
    def whose(self, bench: Bench, record_property: Callable[[str, object], None]) -> None:
        """Each test tells whose contract it is, so that a run can say at its end who keeps it."""
        record_property(CONTRACT, bench.kit.name)

    @pytest.fixture
    async def channel(self, bench: Bench) -> AsyncIterator[Channel]:
        """A channel bound to a provider in good health; closed before the test's loop is."""
        channel = bench.open()
        yield channel
        channel.close()

    # --- facts

    def test_the_kit_and_the_channel_tell_the_same(self, bench: Bench, channel: Channel) -> None:
        assert channel.name == bench.kit.name
        assert channel.traits == bench.kit.traits

    def test_traits_claim_what_the_channel_can_do_and_nothing_else(
        self, bench: Bench, channel: Channel
    ) -> None:
        assert channel.traits.can_reconcile == isinstance(channel, Reconciles)
        assert channel.traits.confirms_delivery == isinstance(channel, ConfirmsDelivery)
        assert channel.traits.window >= 1
        assert channel.traits.grace > timedelta(0)

    def test_what_the_bench_cannot_stage_is_said_and_nothing_is_claimed_on_it(
        self, bench: Bench, channel: Channel
    ) -> None:
        assert all(reason.strip() for reason in bench.unsupported.values())
        needed: set[Fault] = set()
        if channel.traits.can_reconcile:
            needed |= {Fault.LOST_AFTER_ACCEPT}
        if not channel.traits.broadcast:
            needed |= {Fault.REJECTED_ADDRESS, Fault.UNREACHABLE, Fault.LOST_AFTER_ACCEPT}
        assert not needed & bench.unsupported.keys()

    def test_patience_is_a_value(self, channel: Channel) -> None:
        assert isinstance(channel.retry, RetryPolicy)

    def test_its_policies_judge_a_case_and_say_the_same_twice(self, channel: Channel) -> None:
        now = datetime(2026, 11, 2, 9, tzinfo=UTC)
        case = Case(
            now, channel.name, "an account", Purpose.SERVICE, Urgency.ROUTINE, now, now + timedelta(days=1)
        )
        for policy in channel.policies:
            assert isinstance(policy(case), Allow | Hold | Refuse | Withdraw)
            assert policy(case) == policy(case)

    def test_closing_twice_does_no_harm(self, bench: Bench) -> None:
        channel = bench.open()
        channel.close()
        channel.close()

    # --- wording

    def test_a_plain_wording_meets_no_objection(self, channel: Channel) -> None:
        assert list(channel.check(plain(), ())) == []

    def test_an_objection_names_its_rule_its_field_and_what_is_wrong(
        self, bench: Bench, channel: Channel
    ) -> None:
        for content, attachments in bench.faulty:
            problems = channel.check(content, attachments)
            assert problems
            assert all(problem.code and problem.field and problem.message for problem in problems)

    def test_rendering_is_pure(self, bench: Bench, channel: Channel) -> None:
        to = bench.recipient(1, NAMES)
        first, again = channel.render(plain(), to), channel.render(plain(), to)
        assert first == again
        assert dict(first.fields) == dict(again.fields)
        other = bench.open()
        assert other.render(plain(), to).digest == first.digest
        other.close()

    def test_a_message_has_a_digest_that_tells_texts_apart(self, bench: Bench, channel: Channel) -> None:
        to = bench.recipient(1)
        one, other = channel.render(plain(), to), channel.render(plain("Another text."), to)
        assert re.fullmatch(r"[0-9a-f]{64}", one.digest)
        assert one.digest != other.digest
        assert one.parts >= 1

    def test_the_pupils_are_named_to_the_person_and_to_nobody_else(
        self, bench: Bench, channel: Channel
    ) -> None:
        if channel.traits.broadcast:
            pytest.skip("a broadcast names nobody")
        named = channel.render(plain(), bench.recipient(1, NAMES))
        if channel.traits.subscribed:  # nobody knows who it is
            assert not any(name in str(part) for part in named.fields.values() for name in NAMES)
            return
        assert all(any(name in str(part) for part in named.fields.values()) for name in NAMES)
        doubtful = channel.render(plain(), bench.recipient(1))
        assert not any(name in str(part) for part in doubtful.fields.values() for name in NAMES)
        assert named.digest != doubtful.digest

    def test_a_representation_shows_neither_address_nor_name_nor_secret(
        self, bench: Bench, channel: Channel
    ) -> None:
        to = bench.recipient(1, NAMES)
        message = channel.render(plain(), to)
        for shown in (repr(channel), str(channel), repr(message), repr(to), repr(Item(key(), message, to))):
            assert_nothing_private(shown, bench, to.address, key().token, *NAMES)

    # --- one try

    def test_one_try_is_one_message_with_the_providers_id(self, bench: Bench, channel: Channel) -> None:
        one = item(channel, bench)
        receipt = channel.send(one.message, one.to, key=one.key)
        assert [accepted.provider_id for accepted in bench.truth()] == [receipt.provider_id]
        assert receipt.provider_id
        accepted = bench.truth()[0]
        assert accepted.address == one.to.address
        assert accepted.digest in ("", one.message.digest)
        assert not channel.traits.can_reconcile or accepted.digest

    def test_two_tries_have_two_ids(self, bench: Bench, channel: Channel) -> None:
        first, second = item(channel, bench, 1), item(channel, bench, 2)
        ids = {channel.send(each.message, each.to, key=each.key).provider_id for each in (first, second)}
        assert ids == {accepted.provider_id for accepted in bench.truth()}
        assert len(ids) == 2

    @pytest.mark.parametrize("fault", list(Fault))
    def test_a_fault_raises_its_own_failure_and_nothing_personal(self, bench: Bench, fault: Fault) -> None:
        skip_unsupported(bench, fault)
        bench.order(fault)
        channel = bench.open()
        one = item(channel, bench)
        with pytest.raises(DeliveryFailure) as caught:
            channel.send(one.message, one.to, key=one.key)
        channel.close()
        failure = caught.value
        assert isinstance(failure, LEADS_TO[fault])
        # A rate limit burns no attempt: what is merely busy must not be taken for one.
        assert isinstance(failure, RateLimited) == (fault is Fault.RATE_LIMITED)
        if fault not in EITHER_WAY:
            assert len(bench.truth()) == (fault in ACCEPTED_ALL_THE_SAME)
        assert failure.why.strip()
        told = (
            str(failure),
            repr(failure),
            failure.why,
            failure.code,
            "".join(traceback.format_exception(failure)),
        )
        for shown in told:
            assert_nothing_private(shown, bench, one.to.address, one.key.token, WORDING)

    def test_after_a_fault_the_same_channel_sends_again(self, bench: Bench) -> None:
        fault = next(
            f for f in (Fault.LOST_AFTER_ACCEPT, Fault.SERVER_ERROR, *Fault) if f not in bench.unsupported
        )
        bench.order(fault)
        channel = bench.open()
        lost = item(channel, bench, 1)
        with pytest.raises(DeliveryFailure):
            channel.send(lost.message, lost.to, key=lost.key)
        bench.cure()
        if fault is not Fault.UNREACHABLE:
            one = item(channel, bench, 2)
            receipt = channel.send(one.message, one.to, key=one.key)
            assert bench.truth()[-1].provider_id == receipt.provider_id
        channel.close()

    def test_nothing_personal_is_logged(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        addresses = []
        for number, fault in enumerate([None, Fault.REJECTED_ADDRESS, Fault.LOST_AFTER_ACCEPT], start=1):
            if fault in bench.unsupported:
                continue
            if fault is not None:
                bench.order(fault)
            channel = bench.open()
            one = item(channel, bench, number)
            addresses.append(one.to.address)
            try:
                channel.send(one.message, one.to, key=one.key)
            except DeliveryFailure:
                assert fault is not None
            channel.close()
            bench.cure()
        for shown in (caplog.text, *(str(record.__dict__) for record in caplog.records)):
            assert_nothing_private(shown, bench, *addresses, key(1).token, WORDING)
