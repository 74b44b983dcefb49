"""A mail server on the test's loop that follows a script of moods, cuts its answers anywhere, and knows the truth."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

WELL = "well"
MOODS = {
    "": ("421", "554", "hang up", "garbage"),
    "MAIL": ("421", "451", "550", "hang up", "reset", "garbage", "twice", "half", "silence", "drip"),
    "RCPT": ("421", "450", "550", "hang up", "reset", "garbage", "twice", "half", "silence"),
    "DATA": ("421", "451", "554", "250", "hang up", "reset", "garbage", "half", "silence", "endless"),
    ".": (
        "421", "451", "554", "hang up", "reset", "garbage", "twice", "half", "silence", "drip",
        "take and hang up", "take and reset", "take and be silent", "take and 354",
    ),
    "text": ("hang up", "reset", "refuse"),
    "RSET": ("421", "554", "hang up", "garbage"),
    "nobody": ("eager",),  # DATA though no recipient was granted
}  # fmt: skip
SLOW = frozenset({"silence", "take and be silent", "drip"})
_FAIR = {"MAIL": "250 2.1.0 Ok", "RCPT": "250 2.1.5 Ok", "DATA": "354 Go on", "RSET": "250 2.0.0 Ok"}
_DRIP_S = 0.05


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail that was accepted."""

    to: str
    text: bytes


class MoodyMailServer:
    """Each (stage, mood) of the script happens at the next such stage on any connection; without one, all goes well.

    `truth` holds what it accepted, `begun` to whom it granted a text, `strange` what was no command where it waited for
    one, `whims` how many moods it has lived out.
    """

    def __init__(
        self, script: Sequence[tuple[str, str]], cuts: Sequence[int], offers: Sequence[str] = ("PIPELINING",)
    ) -> None:
        self._script: dict[str, deque[str]] = {stage: deque() for stage in MOODS}
        for stage, mood in script:
            self._script[stage].append(mood)
        self.cuts = cuts
        self.offers = offers
        self.truth: list[Taken] = []
        self.begun: set[str] = set()
        self.strange: list[str] = []
        self.whims: Counter[tuple[str, str]] = Counter()
        self.packets: list[bytes] = []
        self.port = 0

    def mood(self, stage: str) -> str:
        """What it feels like now."""
        moods = self._script[stage]
        mood = moods.popleft() if moods else WELL
        if mood != WELL:
            self.whims[stage, mood] += 1
        return mood


class _Gone(Exception):
    """Raised when the session is over."""


class _Session:
    def __init__(
        self, server: MoodyMailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._buffer = b""
        self._replies = b""
        self._cuts = deque(server.cuts or (1000,))
        self._to = ""

    async def through(self) -> None:
        with suppress(_Gone, ConnectionError):
            mood = self._server.mood("")
            await self._say("220 moody ESMTP") if mood == WELL else await self._be(mood)
            while True:
                await self._command((await self._until(b"\r\n")).decode())
        await self._flush()

    async def _command(self, line: str) -> None:
        verb = line[:4].upper()
        if verb == "EHLO":
            lines = ["moody", *self._server.offers]
            await self._say("\r\n".join([*(f"250-{each}" for each in lines[:-1]), f"250 {lines[-1]}"]))
        elif verb == "QUIT":
            await self._say("221 Bye")
            raise _Gone
        elif verb not in _FAIR:
            self._server.strange.append(line)
            await self._say("500 5.5.1 What?")
        elif verb == "DATA" and not self._to and self._server.mood("nobody") == WELL:
            await self._say("503 5.5.1 To whom?")
        else:
            mood = self._server.mood(verb)
            if verb != "DATA":
                self._to = line[9:-1] if verb == "RCPT" and mood in {WELL, "twice"} else ""
            if mood in {WELL, "twice"}:
                await self._say(_FAIR[verb] + ("\r\n250 Once more" if mood == "twice" else ""))
                if verb == "DATA":
                    await self._text()
            else:
                await self._be(mood)

    async def _text(self) -> None:
        self._server.begun.add(self._to)
        mood = self._server.mood("text")
        if mood == "refuse":
            await self._be("552")
            raise _Gone
        if mood != WELL:
            await self._be(mood)
        text = await self._until(b"\r\n.\r\n")
        mood = self._server.mood(".")
        if mood in {WELL, "twice"} or mood.startswith("take"):
            self._server.truth.append(Taken(self._to, text))
        self._to = ""
        if mood in {WELL, "twice"}:
            await self._say("250 2.0.0 Ok: queued as M1" + ("\r\n250 Once more" if mood == "twice" else ""))
        else:
            await self._be(mood.removeprefix("take and "))

    async def _be(self, mood: str) -> None:
        """Anything but well-behaved."""
        match mood:
            case "hang up":
                raise _Gone
            case "reset":
                self._writer.transport.abort()
                raise _Gone
            case "silence" | "be silent":
                await self._reader.read()
                raise _Gone
            case "half":
                await self._say("25", end="")
                raise _Gone
            case "garbage":
                await self._say("+OK perhaps")
            case "endless":
                await self._say("250-" + "x" * 70_000, end="")
            case "drip":
                await self._flush()
                while not self._reader.at_eof():
                    self._writer.write(b"250-slowly\r\n")
                    await asyncio.sleep(_DRIP_S)
                raise _Gone
            case code:
                await self._say(f"{code} {code[0]}.3.0 Not so")
                if code == "421":
                    raise _Gone

    async def _until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            await self._flush()
            if not (data := await self._reader.read(65536)):
                raise _Gone
            self._server.packets.append(data)
            self._buffer += data
        found, _, self._buffer = self._buffer.partition(end)
        return found

    async def _say(self, words: str, end: str = "\r\n") -> None:
        self._replies += (words + end).encode()

    async def _flush(self) -> None:
        """All that was said since it last waited, in pieces of the sizes that it was told."""
        while self._replies and not self._writer.transport.is_closing():
            size = self._cuts[0]
            self._cuts.rotate(-1)
            self._writer.write(self._replies[:size])
            self._replies = self._replies[size:]
            await asyncio.sleep(0)


@asynccontextmanager
async def moody(
    script: Sequence[tuple[str, str]] = (), cuts: Sequence[int] = (), offers: Sequence[str] = ("PIPELINING",)
) -> AsyncIterator[MoodyMailServer]:
    """A moody server, running."""
    server = MoodyMailServer(script, cuts, offers)
    sessions: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        sessions.add(task)
        writers.append(writer)
        await _Session(server, reader, writer).through()
        writer.close()

    listener = await asyncio.start_server(session, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.gather(*sessions)
