"""The contract suite's part for a channel that sends many at once, which keeps its connections full by itself."""
# ruff: noqa: S101 - a test suite asserts, wherever it lives

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest

from broker.capabilities import SendsMany
from broker.channel import Channel, Item, Key, NotStarted, Outcome, Receipt
from broker.errors import AddressRejected, Uncertain
from broker.testing.channel_bench import Bench, Fault, item, skip_unsupported


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


class StreamBroke(Exception):
    """Raised by a test's stream of items."""


def _many(channel: Channel) -> SendsMany:
    if not isinstance(channel, SendsMany):
        pytest.skip(f"{channel.name} does not send many at once")
    return channel


def _always(_: Key) -> bool:
    return True


async def _stream(items: Iterable[Item]) -> AsyncIterator[Item]:
    for each in items:
        yield each


async def _collect(outcomes: AsyncIterator[tuple[Key, Outcome]]) -> list[tuple[Key, Outcome]]:
    return [outcome async for outcome in outcomes]
