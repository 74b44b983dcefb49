"""The way to a mail server: one mail at once, or a stream of them, over kept connections on the caller's event loop."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterable, AsyncIterator
from email.utils import formatdate
from functools import lru_cache
from time import time

from broker.channel import Item, Key, MayStart, Message, NotStarted, Outcome, Receipt
from broker.errors import AddressRejected, DeliveryFailure
from channels.email.connecting import Route
from channels.email.errand import Draft, Errand
from channels.email.letter import House, Letter, Rendered
from channels.email.lines import CLOSE_WITHIN, Lines
from channels.email.room import Room

_ONE_ADDRESS = re.compile(
    r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,64}@[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,255}"
)


def message_id(house: House, key: Key, message: Message) -> str:
    """The Message-ID, without its angle brackets: the same for every try of one delivery with one text.

    So a mail that is sent again after an uncertain try is one mail in most mailboxes, and a bounce names its delivery.
    """
    return f"carillon.{key.delivery}.{message.digest[:20]}@{house.domain}"


class Gateway:
    """One account's connections to its mail server."""

    def __init__(self, house: House, route: Route) -> None:
        self._house = house
        self._route = route
        self._lines: dict[asyncio.AbstractEventLoop, Lines] = {}
        self._room: Room | None = None
        self._door = threading.Lock()
        self._closed = False

    def send(self, item: Item) -> Receipt:
        """Exactly one try, by the same lines as many; from any thread that runs no loop. Raises a DeliveryFailure."""
        with self._door:
            if self._room is None:
                self._room = Room(lambda: Lines(self._route, self.compose, 1))
            room = self._room
        outcome = room.send(item)
        if isinstance(outcome, DeliveryFailure):
            raise outcome
        if isinstance(outcome, NotStarted):
            raise AssertionError("a try that may always start did not")
        return outcome

    async def send_many(
        self, items: AsyncIterable[Item], may_start: MayStart
    ) -> AsyncIterator[tuple[Key, Outcome]]:
        """Send what `items` yields. `may_start` is asked as a mail's turn comes, and again just before its text."""
        lines = await self._lines_here()
        stream = _Stream(lines, may_start)

        async def hand_out() -> None:
            async for item in items:
                stream.begin(item)
                await stream.a_free_hand()

        feeder = asyncio.create_task(hand_out())
        feeder.add_done_callback(lambda _: stream.news.set())
        try:
            while stream.in_hand or stream.outcomes or not feeder.done():
                await stream.news.wait()
                for told in stream.gathered():
                    yield told
            feeder.result()
        finally:
            stream.left = True  # what no line has begun is not begun any more
            feeder.cancel()
            await asyncio.gather(feeder, return_exceptions=True)

    def close(self) -> None:
        """Let go of the connections; a mail in hand is finished if that takes no longer than a moment."""
        with self._door:
            self._closed = True
            everywhere, self._lines = self._lines, {}
            room, self._room = self._room, None
        for loop, lines in everywhere.items():
            _close_from_outside(loop, lines)
        if room is not None:
            room.close()

    def compose(self, item: Item) -> Draft:
        """The bytes of one mail. Raises AddressRejected."""
        address = item.to.address
        # One address means one: "a@b, c@d" in To would be two recipients.
        if not _ONE_ADDRESS.fullmatch(address):
            raise AddressRejected("this is not one email", code="553 5.1.3")
        fields = item.message.fields
        if isinstance(fields, Rendered):
            letter, personal = fields.letter, fields.personal
        else:  # made by hand, not by our renderer: the same bytes, without the shortcut
            letter = Letter(self._house, (fields["subject"],), (fields["text"],), (fields["html"],))
            personal = letter.personal(item.to)
        name = message_id(self._house, item.key, item.message)
        pieces = letter.wire.fill(personal, to=address, message_id=name, date=_date(int(time())))
        sender = self._house.envelope_sender(item.key.token).encode()
        return Draft(name, address, pieces, sum(map(len, pieces)), sender)

    async def _lines_here(self) -> Lines:
        """The lines of the running loop."""
        loop = asyncio.get_running_loop()
        with self._door:
            lines = self._lines.get(loop)
            if lines is not None:
                return lines
            for gone in [other for other in self._lines if other.is_closed()]:
                del self._lines[gone]
            lines = Lines(self._route, self.compose, self._route.settings.connections)
            lines.closed = self._closed
            self._lines[loop] = lines
        await lines.at_the_loops_end()
        return lines


def _close_from_outside(loop: asyncio.AbstractEventLoop, lines: Lines) -> None:
    if not loop.is_running():
        return  # it has closed them itself
    if loop is _running_loop():
        lines.closing = loop.create_task(lines.close())
        return
    within = 2 * CLOSE_WITHIN.total_seconds()
    asyncio.run_coroutine_threadsafe(lines.close(), loop).result(within)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


@lru_cache(maxsize=1)  # it tells seconds
def _date(now: int) -> str:
    return formatdate(now)


class _Stream:
    """Where one stream of mails is handed out and its outcomes come back."""

    def __init__(self, lines: Lines, may_start: MayStart) -> None:
        self.in_hand = 0
        self.left = False
        self.outcomes: list[tuple[Key, Outcome]] = []
        self.news = asyncio.Event()
        self._lines = lines
        self._may_start = may_start
        self._free = asyncio.Event()

    def begin(self, item: Item) -> None:
        """Give one to the lines."""
        self.in_hand += 1
        self._lines.offer(Errand(item, self._allowed, self._done))

    async def a_free_hand(self) -> None:
        """Wait while every hand is full."""
        while self.in_hand >= self._lines.hands:
            self._free.clear()
            await self._free.wait()

    def gathered(self) -> list[tuple[Key, Outcome]]:
        """What has come back since last asked."""
        self.news.clear()
        outcomes, self.outcomes = self.outcomes, []
        return outcomes

    def _allowed(self, key: Key) -> bool:
        return not self.left and self._may_start(key)

    def _done(self, key: Key, outcome: Outcome) -> None:
        self.outcomes.append((key, outcome))
        self.in_hand -= 1
        self.news.set()
        self._free.set()
