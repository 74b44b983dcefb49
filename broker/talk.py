"""Talk: a channel's own way to send a stream of items, whether it takes many at once or one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from broker.capabilities import SendsMany
from broker.channel import Channel, Item, Key, NotStarted, Outcome
from broker.errors import DeliveryFailure, Uncertain


async def talk(
    channel: Channel, items: AsyncIterator[Item], may_start: Callable[[Key], bool]
) -> AsyncIterator[tuple[Key, Outcome]]:
    """Hand over each item, and tell what it came to; `may_start` is asked just before each call."""
    if isinstance(channel, SendsMany):
        async for pair in channel.send_many(items, may_start=may_start):
            yield pair
        return
    async for item in items:
        yield item.key, await asyncio.to_thread(_send_one, channel, item, may_start)


def _send_one(channel: Channel, item: Item, may_start: Callable[[Key], bool]) -> Outcome:
    if not may_start(item.key):
        return NotStarted()
    try:
        return channel.send(item.message, item.to, key=item.key)
    except DeliveryFailure as failure:
        return failure
    except Exception as error:  # noqa: BLE001 - unforeseen: it may have left, so it is never tried again blindly
        return Uncertain(f"the channel failed with {type(error).__name__}", code="unforeseen")
