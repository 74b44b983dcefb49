"""One look at the ledger for all who watch: the hub paints each topic once, and sends everybody what changed.

It looks four times a second while somebody watches, and never otherwise. A watcher is a number, the version it has
seen: there is no queue to fill, a slow one skips versions, and one that takes nothing for ten seconds is let go.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from broker.ports import Session
from broker.ports.approvals import OperatorRole
from config.logs import told
from ledger.authority.sessions import Sessions
from ledger.connect import Ledger
from ledger.hand import Hand
from ledger.reads.watch import signature
from web.watch.counts import Counts
from web.watch.topics import Painted, Topic

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=0.25)
# A bulk send changes everything all the time: a topic is painted no more often.
PACE = timedelta(seconds=0.75)
ANEW = timedelta(seconds=10)  # what time alone changes: a stage, a wait that has become too long
BEAT = timedelta(seconds=15)
SESSIONS_EVERY = timedelta(seconds=5)
SLOWEST = timedelta(seconds=10)
MOST = 384  # half of what the web takes at once
MOST_EACH = 12
BEATING = b":\n\n"
BEGINNING = b"retry: 2000\n\n"
ENDED = b"event: ended\ndata: \n\n"


class Full(Exception):
    """Raised when so many watch already that one more would cost the others."""


@dataclass(eq=False)
class Board:
    """One topic being watched: its parts, each with the version in which it last changed."""

    topic: Topic
    name: str = field(default_factory=lambda: secrets.token_hex(4))
    version: int = 0
    parts: dict[str, tuple[int, str]] = field(default_factory=dict)
    behind: bool = True
    not_before: float = 0.0
    painted_at: float = 0.0
    turn: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    said: dict[int, bytes] = field(default_factory=dict)

    def take(self, painted: Painted) -> None:
        """Take a new painting; whoever waits hears of it if anything changed."""
        fresh = {key: html for key, html in painted.parts.items() if self.parts.get(key, (0, ""))[1] != html}
        self.behind = painted.behind
        if not fresh and list(painted.parts) == list(self.parts) and self.version:
            return
        self.version += 1
        self.parts = {
            key: (self.version, html) if key in fresh else self.parts[key]
            for key, html in painted.parts.items()
        }
        self.said.clear()
        self.wake()

    def wake(self) -> None:
        """Let everybody who waits look again."""
        turn, self.turn = self.turn, asyncio.get_running_loop().create_future()
        turn.set_result(None)

    def since(self, version: int) -> bytes:
        """One event that takes a watcher from a version to this one; made once for all who need the same."""
        if version not in self.said:
            html = "".join(html for changed, html in self.parts.values() if changed > version)
            order = " ".join(self.parts)
            lines = "".join(
                f"data: {line}\n" for line in f'<div data-order="{order}">{html}</div>'.splitlines()
            )
            self.said[version] = f"id: {self.name}.{self.version}\nevent: parts\n{lines}\n".encode()
        return self.said[version]

    def seen(self, last_event: str) -> int:
        """The version that a Last-Event-ID names; 0 when it is none of this board's."""
        name, _, number = last_event.partition(".")
        known = name == self.name and number.isascii() and number.isdigit() and len(number) < 10
        return min(int(number), self.version) if known else 0


@dataclass(eq=False)
class Watcher:
    """One who watches: a session, a board, and the version that was sent last."""

    hub: Hub
    session: bytes
    board: Board
    version: int
    roles: frozenset[OperatorRole] | None = None  # what they might do when they began; None: whatever it was
    ended: bool = False

    async def events(self) -> AsyncGenerator[bytes]:
        """What is to be sent, for as long as there is anybody to send it to."""
        yield BEGINNING
        while not self.hub.closing:
            turn = self.board.turn
            if self.ended:
                yield ENDED
                return
            if self.board.version > self.version:
                event, self.version = self.board.since(self.version), self.board.version
                yield event
                continue
            await asyncio.wait({turn}, timeout=BEAT.total_seconds())
            if not turn.done():
                yield BEATING

    def leave(self) -> None:
        """Give the place back."""
        self.hub.leave(self)


class Hub:
    """One for a process; everything but `close` belongs to the loop that serves."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.counts = Counts()
        self._boards: dict[Topic, Board] = {}
        self._watchers: set[Watcher] = set()
        self._looking: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._poked = asyncio.Event()
        self.closing = False
        self._signature: Any = None
        self._sessions_at = 0.0

    def watch(
        self,
        topic: Topic,
        session: bytes,
        last_event: str = "",
        *,
        roles: frozenset[OperatorRole] | None = None,
    ) -> Watcher:
        """A place for one watcher, who must `leave` it. Their stream ends when their `roles` change. Raises Full."""
        each = sum(watcher.session == session for watcher in self._watchers)
        if len(self._watchers) >= MOST or each >= MOST_EACH or self.closing:
            raise Full
        board = self._boards.get(topic) or self._boards.setdefault(topic, Board(topic))
        watcher = Watcher(self, session, board, board.seen(last_event), roles)
        self._watchers.add(watcher)
        self._begin_looking()
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """Give a place back; safe to call twice."""
        self._watchers.discard(watcher)
        board = watcher.board
        if (
            all(other.board is not board for other in self._watchers)
            and self._boards.get(board.topic) is board
        ):
            del self._boards[board.topic]

    def close(self) -> None:
        """End every stream; from any thread."""
        self.closing = True
        if self._loop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._wake_all)

    @property
    def watching(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def _begin_looking(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._poked.set()
        if self._looking is None or self._looking.done():
            self._looking = self._loop.create_task(self._look_on())

    async def _look_on(self) -> None:
        failing = ""
        while self._boards and not self.closing:
            self._poked.clear()
            began = time.monotonic()
            try:
                await self._once()
                failing = ""
            except Exception as error:  # noqa: BLE001 - a ledger that is away comes back; those who watch are still there
                if failing != (failing := type(error).__name__):
                    log.error("watching failed and is tried again: %s", told(error))
            # When nothing may be painted yet, there is nothing to look for.
            soonest = min((board.not_before for board in self._boards.values()), default=0.0)
            rest = max(began + EVERY.total_seconds(), soonest) - time.monotonic()
            try:
                async with asyncio.timeout(max(0.05, rest)):
                    await self._poked.wait()
            except TimeoutError:
                pass

    async def _once(self) -> None:
        sessions = frozenset(watcher.session for watcher in self._watchers)
        ask = time.monotonic() - self._sessions_at > SESSIONS_EVERY.total_seconds()
        looked = await asyncio.to_thread(self._look, list(self._boards.values()), sessions if ask else None)
        painted, alive = looked
        for board, painting in painted:
            board.take(painting)
        if alive is not None:
            self._sessions_at = time.monotonic()
            self._end({one for one in self._watchers if one.session in sessions and not _may(one, alive)})

    def _look(
        self, boards: Sequence[Board], sessions: frozenset[bytes] | None
    ) -> tuple[Sequence[tuple[Board, Painted]], Mapping[bytes, Session] | None]:
        """On a thread: what changed, painted; and which of these sessions still hold."""
        painted = []
        with self._ledger.reading() as hand:
            found = signature(hand)
            for board in boards:
                board.behind = board.behind or found != self._signature
            self._signature = found
            for board in filter(_is_due, boards):
                painting = self._paint(board, hand)
                painted += [(board, painting)] if painting is not None else []
            alive = Sessions(hand).alive(sessions) if sessions is not None else None
        return painted, alive

    def _paint(self, board: Board, hand: Hand) -> Painted | None:
        board.painted_at = time.monotonic()
        painting = board.topic.paint(hand, self.counts)
        ended = time.monotonic()
        board.not_before = max(board.painted_at + PACE.total_seconds(), ended + (ended - board.painted_at))
        return painting

    def _end(self, watchers: set[Watcher]) -> None:
        for watcher in watchers:
            watcher.ended = True
            watcher.board.wake()

    def _wake_all(self) -> None:
        self._poked.set()
        for board in self._boards.values():
            board.wake()


def _may(watcher: Watcher, alive: Mapping[bytes, Session]) -> bool:
    """Whether a watcher's session still holds, for the department whose topic it watches, and for what it offers."""
    found = alive.get(watcher.session)
    if found is None or found.department != watcher.board.topic.department:
        return False
    return watcher.roles is None or watcher.roles == frozenset(found.roles)


def _is_due(board: Board) -> bool:
    now = time.monotonic()
    anew = now - board.painted_at > ANEW.total_seconds()
    return now >= board.not_before and (board.behind or anew)


class EventStream(Response):
    """A response that goes on: one that takes nothing for `SLOWEST` is let go."""

    media_type = "text/event-stream"

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._watcher = watcher

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until they end, nobody takes them, or whoever watched has gone."""
        tasks = {asyncio.ensure_future(self._send(send)), asyncio.ensure_future(_gone(receive))}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._watcher.leave()
            for task in tasks:
                task.cancel()
            for ended in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(ended, Exception):
                    log.error("a stream broke: %s", told(ended))

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            async for event in self._watcher.events():
                async with asyncio.timeout(SLOWEST.total_seconds()):
                    await send({"type": "http.response.body", "body": event, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            log.info("a watcher took nothing for %.0f s: let go", SLOWEST.total_seconds())


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
