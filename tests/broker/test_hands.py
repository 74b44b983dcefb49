"""Many hands for one stream: what the channel contract does not already hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from broker.channel import Item, Key, Message, Receipt, Recipient
from broker.errors import Uncertain, Unreachable
from broker.hands import MOST_UNREAD, work_through


def item(number: int) -> Item:
    return Item(Key(number, number, 1), Message({"body": "x"}, ""), Recipient(""))


async def stream(count: int) -> AsyncIterator[Item]:
    for number in range(count):
        yield item(number)


async def receive(item: Item) -> Receipt:
    await asyncio.sleep(0)
    return Receipt(str(item.key.delivery))


def yes(_: Key) -> bool:
    return True


async def test_a_surprise_is_uncertain_and_keeps_its_words_to_itself():
    async def surprising(item: Item) -> Receipt:
        raise KeyError("+447911123456")

    outcomes = [each async for each in work_through(stream(3), surprising, hands=2, may_start=yes)]
    assert [type(outcome) for _, outcome in outcomes] == [Uncertain] * 3
    assert "447911123456" not in repr(outcomes)


async def test_a_brake_that_fails_stops_nobody_else():
    def broken(key: Key) -> bool:
        if key.delivery == 1:
            raise RuntimeError
        return True

    outcomes = dict([each async for each in work_through(stream(4), receive, hands=2, may_start=broken)])
    assert isinstance(outcomes[Key(1, 1, 1)], Uncertain)
    assert sum(isinstance(outcome, Receipt) for outcome in outcomes.values()) == 3


async def test_failures_are_outcomes():
    async def failing(item: Item) -> Receipt:
        raise Unreachable("nobody there")

    outcomes = [each async for each in work_through(stream(2), failing, hands=8, may_start=yes)]
    assert [type(outcome) for _, outcome in outcomes] == [Unreachable] * 2


async def test_a_slow_reader_makes_the_hands_wait():
    pulled = 0

    async def counted() -> AsyncIterator[Item]:
        nonlocal pulled
        for number in range(5 * MOST_UNREAD):
            pulled += 1
            yield item(number)

    outcomes = work_through(counted(), receive, hands=4, may_start=yes)
    await anext(outcomes)
    for _ in range(10 * MOST_UNREAD):
        await asyncio.sleep(0)
    assert pulled <= MOST_UNREAD + 10
    await outcomes.aclose()


async def test_cancelling_the_reader_cancels_what_is_in_hand():
    begun, ended = asyncio.Event(), asyncio.Event()

    async def endless(item: Item) -> Receipt:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return Receipt("")

    async def read() -> None:
        async for _ in work_through(stream(1), endless, hands=1, may_start=yes):
            pass

    reading = asyncio.create_task(read())
    await begun.wait()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert ended.is_set()
