"""Many hands for one stream: what a channel with an asynchronous client needs to keep its connections full.

It owns the order of things (pull, ask, send, tell), so that a gateway only translates; it satisfies
`SendsMany.send_many` to the letter.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable

from broker.channel import Item, Key, MayStart, NotStarted, Outcome, Receipt
from broker.errors import DeliveryFailure, Uncertain

MOST_UNREAD = 1_000  # outcomes kept for a slow reader before the hands wait: memory stays flat

_NOT_STARTED = NotStarted()


async def work_through(
    items: AsyncIterable[Item],
    send: Callable[[Item], Awaitable[Receipt]],
    *,
    hands: int,
    may_start: MayStart,
) -> AsyncGenerator[tuple[Key, Outcome], None]:
    """Send what `items` yields with `hands` tries at once; one outcome for every item taken, in any order.

    An item is pulled only by a free hand, and `may_start` is asked just before its call. `send` returns a
    Receipt or raises a DeliveryFailure; what else escapes it is Uncertain. When `items` itself raises,
    that is raised once every outcome has been told. Leaving early cancels what is in hand.
    """
    work = _Work(items, send, may_start)
    tasks = [asyncio.create_task(work.one_hand()) for _ in range(hands)]
    resting = 0
    try:
        while resting < hands:
            told = await work.outcomes.get()
            if told is None:
                resting += 1
            else:
                yield told
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if work.broken is not None:
        raise work.broken


class _Work:
    def __init__(
        self, items: AsyncIterable[Item], send: Callable[[Item], Awaitable[Receipt]], may_start: MayStart
    ) -> None:
        self._items = aiter(items)
        self._send = send
        self._may_start = may_start
        # One hand asks at a time: an asynchronous generator that two ask at once raises RuntimeError.
        self._turn = asyncio.Lock()
        self._over = False
        self.broken: Exception | None = None
        self.outcomes: asyncio.Queue[tuple[Key, Outcome] | None] = asyncio.Queue(MOST_UNREAD)

    async def one_hand(self) -> None:
        """Pull, ask, send and tell until the stream is over; a None among the outcomes says that it rests."""
        while (item := await self._pull()) is not None:
            await self.outcomes.put((item.key, await self._try(item)))
        await self.outcomes.put(None)

    async def _pull(self) -> Item | None:
        async with self._turn:
            if self._over:
                return None
            try:
                return await anext(self._items)
            except StopAsyncIteration:
                self._over = True
            except Exception as reason:  # noqa: BLE001 - kept, and raised to the reader in its turn
                self._over, self.broken = True, reason
            return None

    async def _try(self, item: Item) -> Outcome:
        try:
            return await self._send(item) if self._may_start(item.key) else _NOT_STARTED
        except DeliveryFailure as failure:
            return failure
        except Exception as surprise:  # noqa: BLE001 - it may have left: never tried again blindly
            return Uncertain(f"the channel failed in an unforeseen way ({type(surprise).__name__})")
