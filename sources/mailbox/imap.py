"""A mailbox over IMAP: looked at, never marked, so that people may go on reading it with their own programs.

The place in it is its UIDVALIDITY and the last UID (RFC 3501 §2.3.1.1). A mailbox that was never read begins at its
end: nobody wants last year's answers answered. Should its numbers begin anew, all of it is handed over again, and what
was taken before is known by its digest.
"""

from __future__ import annotations

import imaplib
import re
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sources.mailbox import MOST_AT_ONCE, MOST_BYTES, WITHIN, Fetched, MailboxAway, Take

TIMEOUT = timedelta(seconds=20)
MOST_LITERAL = 2 * MOST_BYTES
WINDOW = 2_000  # UIDs searched at a time: an answer of all of them could be longer than a line may be
_UID = re.compile(rb"UID (\d{1,10})")
_NEXT = re.compile(rb"\d{1,10}")


@dataclass(frozen=True, slots=True)
class Imap:
    """Where it is and who we are there. `security`: tls, starttls, or none for a server on this machine."""

    host: str
    port: int
    username: str = field(repr=False)
    password: str = field(repr=False)
    security: str = "tls"
    folder: str = "INBOX"
    ca_file: Path | None = None
    delete_read: bool = False
    timeout: timedelta = TIMEOUT

    def read(self, position: str, take: Take) -> str:
        """See sources.mailbox.Mailbox."""
        try:
            with self._open() as server:
                return self._read(server, position, take)
        except (imaplib.IMAP4.error, OSError, ValueError, EOFError) as fault:
            raise MailboxAway(_why(fault)) from None

    def _read(self, server: imaplib.IMAP4, position: str, take: Take) -> str:
        # EXAMINE unless something is to be thrown away: not even "seen" is changed then.
        name = '"{}"'.format(self.folder.replace("\\", "\\\\").replace('"', '\\"'))
        _ok(server.select(name, readonly=not self.delete_read))
        validity, following = _number(server, "UIDVALIDITY"), _number(server, "UIDNEXT")
        known, _, last = position.partition(":")
        if not position:
            return f"{validity}:{following - 1}"
        done = int(last) if known == str(validity) and last.isdecimal() else 0
        handed = 0
        while done + 1 < following and handed < MOST_AT_ONCE:
            until = min(done + WINDOW, following - 1)
            for uid in _found(server, done + 1, until)[: MOST_AT_ONCE - handed]:
                place = f"{validity}:{uid}"
                fetched = _fetched(server, uid, place)
                if fetched is not None and take(fetched):
                    self._put_away(server, uid)
                handed, done = handed + 1, uid
            if handed < MOST_AT_ONCE:
                done = until
        return f"{validity}:{done}"

    def _put_away(self, server: imaplib.IMAP4, uid: int) -> None:
        if self.delete_read:
            _ok(server.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Deleted)"))
            if "UIDPLUS" in server.capabilities:
                _ok(server.uid("EXPUNGE", str(uid)))  # no others that somebody else has marked

    @contextmanager
    def _open(self) -> Iterator[imaplib.IMAP4]:
        wait = self.timeout.total_seconds()
        trust = ssl.create_default_context(cafile=self.ca_file) if self.security != "none" else None
        server: imaplib.IMAP4
        if self.security == "tls":
            server = _BoundedTls(self.host, self.port, ssl_context=trust, timeout=wait)
        else:
            server = _Bounded(self.host, self.port, timeout=wait)
        # A server that drips a byte now and then never meets a socket's own timeout.
        limit = threading.Timer(WITHIN.total_seconds(), _cut, [server])
        limit.daemon = True
        limit.start()
        try:
            if self.security == "starttls":
                _ok(server.starttls(trust))
            _sign_in(server, self.username, self.password)
            yield server
            with suppress(imaplib.IMAP4.error, OSError):
                server.logout()
        finally:
            limit.cancel()
            with suppress(OSError):
                server.shutdown()


class _Bounded(imaplib.IMAP4):
    """What a server announces is not believed without end."""

    def read(self, size: int) -> bytes:
        if size > MOST_LITERAL:
            raise self.abort("the server announced more than was asked for")
        return super().read(size)


class _BoundedTls(imaplib.IMAP4_SSL):
    """The same, protected from the first byte."""

    def read(self, size: int) -> bytes:
        if size > MOST_LITERAL:
            raise self.abort("the server announced more than was asked for")
        return super().read(size)


def _sign_in(server: imaplib.IMAP4, username: str, password: str) -> None:
    secret = f"\0{username}\0{password}".encode()
    if "AUTH=PLAIN" in server.capabilities:
        _ok(server.authenticate("PLAIN", lambda _: secret))
    else:
        quoted = '"{}"'.format(username.replace("\\", "\\\\").replace('"', '\\"'))
        _ok(server.login(quoted, password))


def _found(server: imaplib.IMAP4, first: int, last: int) -> list[int]:
    told = _ok(server.uid("SEARCH", f"UID {first}:{last}"))
    words = b" ".join(each for each in told if isinstance(each, bytes)).split()
    # "5:*" of an empty mailbox, and some servers altogether, name what was not asked for.
    return sorted({uid for word in words if word.isdigit() and first <= (uid := int(word)) <= last})


def _fetched(server: imaplib.IMAP4, uid: int, place: str) -> Fetched | None:
    """One mail, cut off by the server itself; None when it has gone meanwhile."""
    told = _ok(server.uid("FETCH", str(uid), f"(UID INTERNALDATE BODY.PEEK[]<0.{MOST_BYTES}>)"))
    for each in told:
        if isinstance(each, tuple) and len(each) == 2 and isinstance(each[1], bytes):
            head = each[0]
            found = _UID.search(head)
            if found is None or int(found[1]) == uid:
                return Fetched(each[1], _came(head), place)
    return None


def _came(head: bytes) -> datetime:
    at = imaplib.Internaldate2tuple(head)
    return datetime(*at[:6]).astimezone(UTC) if at is not None else datetime.now(UTC)


def _number(server: imaplib.IMAP4, what: str) -> int:
    _, told = server.response(what)
    found = _NEXT.search(told[0]) if told and isinstance(told[0], bytes) else None
    if found is None:
        raise ValueError(f"it told no {what}")
    return int(found[0])


def _ok(answer: tuple[str, Sequence[Any]]) -> Sequence[Any]:
    word, told = answer
    if word != "OK":
        raise imaplib.IMAP4.error("refused")
    return told


def _cut(server: imaplib.IMAP4) -> None:
    with suppress(OSError):
        server.sock.shutdown(2)


def _why(fault: Exception) -> str:
    """What is wrong, in our words: a server's own may quote a name."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return "the mailbox's certificate is not to be trusted"
    if isinstance(fault, ssl.SSLError):
        return "no protected connection could be agreed with the mailbox's server"
    if isinstance(fault, imaplib.IMAP4.abort):
        return "the mailbox's server ended the connection"
    if isinstance(fault, imaplib.IMAP4.error):
        return "the mailbox's server refused the sign-in or the folder"
    if isinstance(fault, TimeoutError):
        return "the mailbox's server did not answer in time"
    return "the mailbox's server cannot be reached or understood"
