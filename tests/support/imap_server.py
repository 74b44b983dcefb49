"""A small IMAP server with a life of its own: mails with UIDs, and manners that a test orders."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar

WAIT = 10.0


@dataclass
class Post:
    """What lies in the mailbox. `manner` is how the server answers what it is asked: as it should, or worse."""

    mails: dict[int, bytes] = field(default_factory=dict)
    validity: int = 17
    next_uid: int = 1
    manner: str = "well"
    seen: list[str] = field(default_factory=list)  # the commands, without tags and secrets
    deleted: set[int] = field(default_factory=set)

    def deliver(self, raw: bytes) -> int:
        uid, self.next_uid = self.next_uid, self.next_uid + 1
        self.mails[uid] = raw
        return uid


class _Session(socketserver.StreamRequestHandler):
    post: ClassVar[Post]
    timeout = WAIT

    def handle(self) -> None:
        self._say("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN UIDPLUS] ready")
        while line := self.rfile.readline():
            tag, _, rest = line.decode("ascii", "replace").strip().partition(" ")
            command = rest.upper()
            self.post.seen.append(rest if not command.startswith("LOGIN") else "LOGIN")
            if not self._answer(tag, command):
                return

    def _answer(self, tag: str, command: str) -> bool:
        post = self.post
        if post.manner == "silent":
            threading.Event().wait(3)
            return False
        if command.startswith("AUTHENTICATE"):
            self._say("+ ")
            self.rfile.readline()
            if post.manner == "refuses":
                self._say(f"{tag} NO [AUTHENTICATIONFAILED] Amy Bell has no such password")
                return True
        elif command.startswith(("SELECT", "EXAMINE")):
            self._say(f"* {len(post.mails)} EXISTS")
            self._say(f"* OK [UIDVALIDITY {post.validity}] valid")
            self._say(
                "* OK [UIDNEXT nothing] next"
                if post.manner == "odd"
                else f"* OK [UIDNEXT {post.next_uid}] next"
            )
        elif command.startswith("UID SEARCH"):
            self._search(command)
        elif command.startswith("UID FETCH"):
            self._fetch(command)
        elif command.startswith("UID STORE"):
            post.deleted.add(int(command.split()[2]))
        elif command.startswith("UID EXPUNGE"):
            post.mails.pop(int(command.split()[2]), None)
        self._say(f"{tag} OK done")
        return not command.startswith("LOGOUT")

    def _search(self, command: str) -> None:
        first, last = (int(n) for n in command.rsplit(" ", 1)[1].split(":"))
        found = [str(uid) for uid in sorted(self.post.mails) if first <= uid <= last]
        # As servers do for a range beyond the end: the last one, though it was not asked for.
        self._say(f"* SEARCH {' '.join(found or [str(max(self.post.mails, default=1))])}")

    def _fetch(self, command: str) -> None:
        uid = int(command.split()[2])
        most = int(re.findall(r"<0\.(\d+)>", command)[0])
        raw = self.post.mails.get(uid)
        if raw is None:
            return
        if self.post.manner == "boasts":
            self._say(f"* 1 FETCH (UID {uid} BODY[]<0> {{99999999999}}")
            return
        if self.post.manner == "drips":
            self._say(f"* 1 FETCH (UID {uid} BODY[]<0> {{100000}}")
            for _ in range(100):
                self.wfile.write(b"x")
                self.wfile.flush()
                threading.Event().wait(0.05)
            return
        part = raw[:most]
        came = "30-Nov-2026 08:00:00 +0000"
        self.wfile.write(f'* 1 FETCH (UID {uid} INTERNALDATE "{came}" BODY[]<0> {{{len(part)}}}\r\n'.encode())
        self.wfile.write(part + b")\r\n")

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")
        self.wfile.flush()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is no news."""


@contextmanager
def imap_server() -> Iterator[tuple[Post, int]]:
    """The mailbox and its port."""
    post = Post()
    session = type("Session", (_Session,), {"post": post})
    with _Server(("127.0.0.1", 0), session) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield post, int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
