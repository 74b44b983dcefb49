"""A mail server that behaves as oddly as it is told, for what the stand-in is too well-bred to do."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

HANG_UP = b""
GRANTED = {
    "MAIL": b"250 2.1.0 Ok",
    "RCPT": b"250 2.1.5 Ok",
    "DATA": b"354 Go on",
    ".": b"250 2.0.0 Ok: queued as ODD1",
}


class OddMailServer(socketserver.ThreadingTCPServer):
    """Answers each verb ("" for the greeting, "." for the dot) as told; of a list one a time, its last for good.

    `offers` are its extensions; `hang_up_in_text` closes in the middle of a mail; `most_connections` greets no more.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self,
        answers: Mapping[str, bytes | Sequence[bytes]],
        offers: Sequence[bytes] = (),
        *,
        hang_up_in_text: bool = False,
        most_connections: int = 1000,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(("127.0.0.1", 0), OddSession)
        self.answers: dict[str, list[bytes]] = {
            verb: [told] if isinstance(told, bytes) else list(told)
            for verb, told in {**GRANTED, **answers}.items()
        }
        self.offers = offers
        self.hang_up_in_text = hang_up_in_text
        self.most_connections = most_connections
        self.tls = tls
        self.lock = threading.Lock()
        self.open = 0
        self.seen: Counter[str] = Counter()
        self.commands: list[str] = []
        self.mails: list[bytes] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def answer(self, verb: str) -> bytes:
        """What it says to a verb this time."""
        with self.lock:
            self.seen[verb] += 1
            told = self.answers.get(verb, [b"250 2.0.0 Ok"])
            return told.pop(0) if len(told) > 1 else told[0]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class OddSession(socketserver.StreamRequestHandler):
    server: OddMailServer
    timeout = 10

    def handle(self) -> None:
        """One connection."""
        server = self.server
        with server.lock:
            server.open += 1
            full = server.open > server.most_connections
        try:
            if full:
                self.say(b"421 4.7.0 Too many connections")
            elif self.say(server.answers.get("", [b"220 odd ESMTP"])[0]):
                self.converse()
        finally:
            self.connection.close()
            with server.lock:
                server.open -= 1

    def say(self, answer: bytes) -> bool:
        """Answer; false when that was to hang up."""
        if answer == HANG_UP:
            return False
        self.wfile.write(answer + b"\r\n")
        return not answer.startswith(b"421")

    def converse(self) -> None:
        """Command by command."""
        server = self.server
        while line := self.rfile.readline():
            command = line.decode("utf-8", "replace").strip()
            verb = command[:4].upper().strip()
            server.commands.append(command)
            answer = server.answer(verb)
            if verb == "EHLO" and "EHLO" not in server.answers:
                lines = [b"odd", *server.offers]
                answer = b"\r\n".join([*(b"250-" + line for line in lines[:-1]), b"250 " + lines[-1]])
            if not self.say(answer) or verb == "QUIT":
                return
            if verb == "STAR" and server.tls is not None:
                self.protect(server.tls)
            if answer.startswith(b"354") and not (self.text() and self.say(server.answer("."))):
                return

    def protect(self, tls: ssl.SSLContext) -> None:
        """Go on in TLS."""
        self.connection = tls.wrap_socket(self.request, server_side=True)
        self.request = self.connection
        self.rfile.close()
        self.wfile.close()
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)

    def text(self) -> bool:
        """A whole mail; false when it was hung up on."""
        mail = b""
        while (line := self.rfile.readline()) != b".\r\n":
            mail += line
            if not line or (self.server.hang_up_in_text and len(mail) > 200):
                return False
        self.server.mails.append(mail)
        return True


@contextmanager
def odd(*args: Any, **more: Any) -> Iterator[OddMailServer]:
    """An odd server, running."""
    with OddMailServer(*args, **more) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
