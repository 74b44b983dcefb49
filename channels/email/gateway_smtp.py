"""The way to a mail server: one mail at once, or a stream of them over kept connections.

A stream is handed out to a crew of threads, one connection each, and its outcomes are gathered in handfuls: waking a
loop for every one would cost more than the rest of the hand-over.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from email.utils import formatdate
from functools import lru_cache
from threading import Lock
from time import time

from broker.channel import Item, Key, MayStart, Message, NotStarted, Outcome, Receipt, Recipient
from broker.errors import AddressRejected
from channels.email.crew import Crew, Errand
from channels.email.letter import House, Letter, Rendered
from channels.email.line import GoneStale, Line, Route

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
        self._own = Line(route)
        self._own_lock = Lock()
        self._crew = Crew(route, self._post)

    def send(self, item: Item) -> Receipt:
        """Exactly one try. Raises a DeliveryFailure."""
        with self._own_lock:
            outcome = self._post(self._own, item, lambda key: True)
        if isinstance(outcome, NotStarted):
            raise AssertionError("a try that may always start did not")
        return outcome

    async def send_many(
        self, items: AsyncIterable[Item], may_start: MayStart
    ) -> AsyncIterator[tuple[Key, Outcome]]:
        """Send what `items` yields; `may_start` is asked in the connections' threads, just before each mail."""
        desk = _Desk(self._route.settings.connections)

        async def hand_out() -> None:
            async for item in items:
                desk.in_hand += 1
                self._crew.take(Errand(item, lambda key: not desk.left and may_start(key), desk.done))
                await desk.a_free_hand()

        feeder = asyncio.create_task(hand_out())
        feeder.add_done_callback(lambda _: desk.news.set())
        try:
            while desk.in_hand or desk.outcomes or not feeder.done():
                await desk.news.wait()
                desk.news.clear()
                while desk.outcomes:
                    yield desk.outcomes.popleft()
            feeder.result()
        finally:
            desk.left = True  # what no hand has begun is not begun any more
            feeder.cancel()
            await asyncio.gather(feeder, return_exceptions=True)

    def close(self) -> None:
        """Let go of the connections; a mail in hand is finished if that takes no longer than a moment."""
        self._crew.close()
        with self._own_lock:
            self._own.close()

    def _post(self, line: Line, item: Item, may_start: MayStart) -> Receipt | NotStarted:
        address = item.to.address
        # One address means one: "a@b, c@d" in To would be two recipients.
        if not _ONE_ADDRESS.fullmatch(address):
            raise AddressRejected("this is not one email", code="553 5.1.3")
        name = message_id(self._house, item.key, item.message)
        pieces = self._pieces(item.message, item.to, name)
        while True:
            line.ready()
            if not may_start(item.key):
                return NotStarted()
            with suppress(GoneStale):  # never twice: the next connection is a fresh one
                return Receipt(name, detail=_queue_name(line.carry(address, pieces)))

    def _pieces(self, message: Message, to: Recipient, name: str) -> tuple[bytes, bytes]:
        fields = message.fields
        if isinstance(fields, Rendered):
            letter, personal = fields.letter, fields.personal
        else:  # made by hand, not by our renderer: the same bytes, without the shortcut
            letter = Letter(self._house, (fields["subject"],), (fields["text"],), (fields["html"],))
            personal = letter.personal(to)
        return letter.wire.fill(personal, to=to.address, message_id=name, date=_date(int(time())))


@lru_cache(maxsize=1)  # it tells seconds
def _date(now: int) -> str:
    return formatdate(now)


_QUEUED_AS = re.compile(r"queued as ([A-Za-z0-9._-]{1,64})")


def _queue_name(answer: str) -> str:
    """The server's own name for the mail, by which its administrator finds it. Nothing else it said is kept."""
    found = _QUEUED_AS.search(answer)
    return f"queued as {found[1]}" if found else ""


class _Desk:
    """Where one stream of mails is handed out and its outcomes come back."""

    def __init__(self, hands: int) -> None:
        self.in_hand = 0
        self.left = False
        self.outcomes: deque[tuple[Key, Outcome]] = deque()
        self.news = asyncio.Event()
        self._hands = hands
        self._free = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._back: deque[tuple[Key, Outcome]] = deque()
        self._rung = False

    def done(self, key: Key, outcome: Outcome) -> None:
        """Give an outcome back, from any thread; rings once for all that come before the loop looks."""
        self._back.append((key, outcome))
        if not self._rung:
            self._rung = True
            with suppress(RuntimeError):  # the loop is closed: whoever asked has gone
                self._loop.call_soon_threadsafe(self._gather)

    def _gather(self) -> None:
        self._rung = False
        while self._back:
            self.outcomes.append(self._back.popleft())
            self.in_hand -= 1
        self.news.set()
        self._free.set()

    async def a_free_hand(self) -> None:
        """Wait while every hand is full."""
        while self.in_hand >= self._hands:
            self._free.clear()
            await self._free.wait()
