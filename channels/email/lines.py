"""The kept connections of one account on one event loop, and the mails that wait for one.

The first mail has one connection made. Once that stands others join it, as many as there is work for, up to the
account's. So a server that grants three of eight gets three, and no mail fails for want of the other five.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import timedelta
from time import monotonic

from broker.channel import NotStarted
from broker.errors import DeliveryFailure, Unreachable
from channels.email.connecting import Route, connect
from channels.email.errand import Compose, Errand
from channels.email.line import Line

# How long a server that could not be had is not tried again for each of a thousand mails, and one that grants no more
# connections is not asked for more.
AWAY = timedelta(seconds=2)
CLOSE_WITHIN = timedelta(seconds=2)

log = logging.getLogger(__name__)


class Lines:
    """Made and used on the running loop; `at_the_loops_end()` once, so that they end before it does."""

    def __init__(self, route: Route, compose: Compose, most: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.closed = False
        self._route, self._compose, self._most = route, compose, most
        self.hands = most  # how many mails may be in hand: one a connection, and one ahead where it pipelines
        self._waiting: deque[Errand] = deque()
        self._standing: set[Line] = set()  # those that say goodbye too
        self._open: set[Line] = set()
        self._idle: list[Line] = []
        self._joining: set[asyncio.Task[None]] = set()
        self._away: tuple[float, DeliveryFailure] | None = None
        self._enough_until = 0.0
        self._keeper: AsyncGenerator[None, None] | None = None
        self.closing: asyncio.Task[None] | None = None  # kept, for asyncio keeps no task alive

    def offer(self, errand: Errand) -> None:
        """A mail to send."""
        self._waiting.append(errand)
        self._staff()

    async def close(self) -> None:
        """Say goodbye on every line, once what it holds is done; one that is stuck is waited for only briefly."""
        self.closed = True
        self._staff()
        for task in self._joining:
            task.cancel()
        for line in self._idle[:]:
            line.leave()
        try:
            async with asyncio.timeout(CLOSE_WITHIN.total_seconds()):
                for line in [*self._standing]:
                    await line.ended.wait()
        except TimeoutError:
            pass
        finally:
            for line in [*self._standing]:
                line.cut()

    async def at_the_loops_end(self) -> None:
        """Have `close` called when the loop winds up: asyncio ends open generators then, and nothing else of ours."""

        async def keep() -> AsyncGenerator[None, None]:
            try:
                yield
            finally:
                await self.close()

        self._keeper = keep()
        await anext(self._keeper)

    # --- what a line asks and tells

    def next(self, *, ahead: bool) -> Errand | None:
        """See `Desk`. What was given up with a kept connection goes ahead on no other: the second time is a failure."""
        if not self._waiting or (ahead and self._waiting[0].again):
            return None
        return self._waiting.popleft()

    def free(self, line: Line) -> None:
        """See `Desk`."""
        self._idle.append(line)

    def gone(self, line: Line, again: Errand | None) -> None:
        """See `Desk`."""
        self._open.remove(line)
        self.hands -= line.pipelines
        with suppress(ValueError):
            self._idle.remove(line)
        if again is not None:
            again.again = True
            self._waiting.appendleft(again)
        self._staff()

    def ended(self, line: Line) -> None:
        """See `Desk`."""
        self._standing.discard(line)

    # --- connections

    def _staff(self) -> None:
        """Find hands for what waits."""
        while self._waiting and self._idle:
            self._idle.pop().go()
        if not self._waiting:
            return
        if self.closed:
            self._end_waiting(NotStarted())
        elif self._open:
            if monotonic() >= self._enough_until:
                wanted = len(self._waiting) - len(self._joining)
                for _ in range(min(wanted, self._most - len(self._open) - len(self._joining))):
                    self._join()
        elif not self._joining:
            if self._away is not None and monotonic() < self._away[0]:
                self._end_waiting(self._away[1])
            else:
                self._join()

    def _end_waiting(self, outcome: NotStarted | DeliveryFailure) -> None:
        while self._waiting:
            self._waiting.popleft().end(outcome)

    def _join(self) -> None:
        task = self.loop.create_task(self._connect())
        self._joining.add(task)
        task.add_done_callback(self._joined)

    async def _connect(self) -> None:
        try:
            transport, offers = await connect(self._route)
        except DeliveryFailure as failure:
            self._refused(failure.with_traceback(None))
        except Exception as unforeseen:  # noqa: BLE001 - no mail was begun, whatever it was
            why = "no connection to the mail server"
            self._refused(Unreachable(why, code=type(unforeseen).__name__))
        else:
            self._away = None
            line = Line(transport, offers, self._route, self, self._compose)
            self._open.add(line)
            self.hands += line.pipelines
            self._standing.add(line)
            line.go()

    def _joined(self, task: asyncio.Task[None]) -> None:
        self._joining.discard(task)
        if not task.cancelled():
            self._staff()

    def _refused(self, failure: DeliveryFailure) -> None:
        until = monotonic() + AWAY.total_seconds()
        if self._open or len(self._joining) > 1:
            self._enough_until = until
            log.info("no more connections to the mail server: %s %s", failure.code, failure.why)
            return
        self._away = until, failure
        log.warning("no connection to the mail server: %s %s", failure.code, failure.why)
        self._end_waiting(failure)
