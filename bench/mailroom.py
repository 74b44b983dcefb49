"""The bench's own mail server: the sandbox's protocol, and a truth that costs as little as it can.

The sandbox reads headers, digests and describes every mail; beside the bare loop that took 0.9 of a core, so that it
may have been the stand-in that was measured. Here a mail is one line of the truth: its address. `python -m
bench.mailroom FILE` listens on loopback, says where, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import gc
import os
import select
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.faults import FaultBook
from sandbox.server import loop_factory
from sandbox.smtp_line import Gate, Line

START_WITHIN = 30.0
MOST_BYTES = 25 * 2**20
LINES = 1024  # sessions at once
_ROOT = Path(__file__).resolve().parent.parent


class Session(Line):
    """One connection. It takes what smtplib and its like say, and calls all else unknown."""

    def __init__(self, gate: Gate, faults: FaultBook, truth: int) -> None:
        super().__init__(gate, faults, MOST_BYTES, False)
        self._truth = truth
        self._recipients: list[bytes] = []

    def greet(self) -> None:
        """The connection is there."""
        self.say(b"220 mailroom ESMTP")

    def command(self, line: bytes) -> None:
        """One of a few."""
        verb = line[:4].upper()
        if verb == b"MAIL":
            self._recipients.clear()
            self.say(b"250 2.1.0 Ok")
        elif verb == b"RCPT":
            self._recipients.append(line[line.find(b"<") + 1 : line.rfind(b">")])
            self.say(b"250 2.1.5 Ok")
        elif verb == b"DATA" and self._recipients:
            self.in_data = True
            self.say(b"354 End data with <CR><LF>.<CR><LF>")
        elif verb in (b"EHLO", b"HELO"):
            for offer in (b"mailroom", b"PIPELINING", b"8BITMIME", b"SMTPUTF8"):
                self.say(b"250-" + offer)
            self.say(b"250 ENHANCEDSTATUSCODES")
        elif verb in (b"RSET", b"NOOP"):
            self._recipients.clear()
            self.say(b"250 2.0.0 Ok")
        elif verb == b"QUIT":
            self.bid_farewell(b"221 2.0.0 Bye")
        else:
            self.say(b"502 5.5.1 Not here")

    def message(self, content: bytes) -> None:
        """Note to whom before saying so; a mail without a body is refused, for nobody means to send one."""
        if len(content) < 100:
            self.say(b"554 5.6.0 Empty")
            return
        os.write(self._truth, b"".join(to + b"\n" for to in self._recipients))
        self._recipients.clear()
        self.say(b"250 2.0.0 Ok")


class Mailroom:
    """A mail server in a process of its own, as its parent sees it."""

    def __init__(self, truth: Path) -> None:
        self.truth_path = truth
        truth.touch()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.mailroom", str(truth)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_ROOT,
        )
        out = self.process.stdout
        assert out is not None
        if not select.select([out], [], [], START_WITHIN)[0] or not (line := out.readline()):
            self.close()
            raise TimeoutError("the mailroom did not open")
        self.host, self.port = "127.0.0.1", int(line)
        self._read = truth.open("rb")

    def took(self) -> list[str]:
        """To whom mails were accepted since it was last asked."""
        return self._read.read().decode().splitlines()

    def close(self) -> None:
        """Send it home."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._read.close()
        self.close()


async def _serve(truth: int) -> None:
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    gate, faults = Gate(LINES), FaultBook({})
    server = await loop.create_server(lambda: Session(gate, faults, truth), "127.0.0.1", 0, backlog=512)
    loop.add_reader(0, lambda: None if os.read(0, 1024) else over.set())
    gc.freeze()
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await over.wait()
    server.close()


def main() -> None:
    """Listen until stdin ends."""
    truth = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(truth))


if __name__ == "__main__":
    main()
