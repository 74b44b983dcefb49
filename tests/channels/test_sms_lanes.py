"""Two lanes of one account on one loop: the busy one does not starve the other of connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from broker.announcement import Content, Part
from broker.capabilities import SendsMany
from broker.channel import Channel, Item, Key, Receipt, Recipient, Surroundings
from channels.sms import kit
from sandbox.client import RunningSandbox
from tests.channels.twilio_support import settings

HANDS = 4


@pytest.fixture
def slow(twilio: RunningSandbox) -> Iterator[RunningSandbox]:
    twilio.control.order("twilio:latency:ms=200")
    yield twilio
    twilio.control.clear()


async def send(channel: Channel, numbers: range, heard: list[int], first: asyncio.Event) -> None:
    assert isinstance(channel, SendsMany)

    async def items() -> AsyncIterator[Item]:
        for number in numbers:
            to = Recipient(f"+447911{number:06d}", ())
            yield Item(Key(number, number, 1, "token"), channel.render(content, to), to)

    content = Content(1, "en", {Part.SHORT: "The coach leaves at eight."}, ())
    async for key, outcome in channel.send_many(items(), may_start=lambda _: True):
        assert isinstance(outcome, Receipt)
        heard.append(key.delivery)
        first.set()


async def test_an_urgent_text_waits_for_no_connection_of_the_routine_lane(slow: RunningSandbox) -> None:
    around = Surroundings("school", "GB", sandbox=True)
    channel = kit.open("office", settings(slow.twilio_url, in_flight=HANDS), around)
    heard: list[int] = []
    under_way = asyncio.Event()
    routine = asyncio.create_task(send(channel, range(1, 10 * HANDS + 1), heard, under_way))
    await under_way.wait()
    await send(channel, range(999, 1000), heard, under_way)
    assert heard.index(999) <= 3 * HANDS
    await routine
    channel.close()
