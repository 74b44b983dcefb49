"""One kept connection to the mail server, and one mail at a time over it, each stage told apart.

smtplib speaks; the order of the stages is ours, because what a lost connection means depends on whether the final dot
had been written: before it nothing was accepted, after it nobody knows.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any

from broker.errors import (
    AccountRejected,
    AddressRejected,
    ContentRejected,
    DeliveryFailure,
    Transient,
    Uncertain,
    Unreachable,
)
from channels import deadline
from channels.email.codes import Stage, judge
from channels.email.settings import Settings

LONGEST_IDLE = timedelta(
    seconds=30
)  # routers forget a silent connection without a word; servers close it after minutes
GOODBYE = timedelta(seconds=1)
CHUNK = 256 * 1024  # a mail with its files gets the timeout anew for each so many bytes
MOST_PIECES = 256  # of an answer, as they come from the network: a line or two, in truth

_GRANTED = {Stage.MAIL: {250}, Stage.RCPT: {250, 251, 252}, Stage.DATA: {354}}

# Corks the text on a plain Linux socket, so that text and dot leave in one packet though they are two writes.
_MORE = getattr(socket, "MSG_MORE", 0)


@dataclass(frozen=True, slots=True)
class Route:
    """How to reach the server: everything a connection needs, settled once."""

    settings: Settings = field(repr=False)
    timeout: timedelta
    tls: ssl.SSLContext | None
    hello: str


class _Smtp(smtplib.SMTP):
    """smtplib's connection, whose answers come to an end, however slowly they drip and however long they are."""

    def __init__(self, host: str, port: int, hello: str, *, timeout: float, **more: Any) -> None:
        self.until = monotonic() + timeout
        self._pieces = 0
        super().__init__(host, port, hello, timeout=timeout, **more)

    def limit(self, seconds: float) -> None:
        """From here on, all that is said and heard has so long together."""
        self.until = monotonic() + seconds
        if self.sock is not None:
            self.sock.settimeout(seconds)

    def getreply(self) -> tuple[int, bytes]:
        """One answer."""
        if self.file is None and self.sock is not None:
            self.file = deadline.reader(self.sock, self._until_when)
        self._pieces = 0
        return super().getreply()

    def _until_when(self) -> float:
        self._pieces += 1
        if self._pieces > MOST_PIECES:
            raise OSError("an answer without end")
        return self.until


class _SmtpInTls(_Smtp, smtplib.SMTP_SSL):
    """The same, protected from its first byte."""


class GoneStale(Exception):
    """Raised when a kept connection turns out to be closed before anything of this mail was said over it."""


class Line:
    """One connection, opened when it is needed and made anew when it is old."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._smtp: _Smtp | None = None
        self._mails = 0
        self._used_at = 0.0
        self._pipelining = False
        self._most = 0  # bytes, 0 for no limit told

    @property
    def open(self) -> bool:
        """Whether it may be used without connecting first."""
        return (
            self._smtp is not None
            and self._mails < self._route.settings.mails_per_connection
            and monotonic() - self._used_at < LONGEST_IDLE.total_seconds()
        )

    def ready(self) -> None:
        """Make sure of a connection. Raises Unreachable, AccountRejected or RateLimited; no mail has been begun."""
        if self.open:
            return
        self.close()
        smtp = _connect(self._route)
        self._smtp, self._mails, self._used_at = smtp, 0, monotonic()
        self._pipelining = smtp.has_extn("pipelining")
        size = smtp.esmtp_features.get("size", "")
        self._most = int(size) if size.isascii() and size.isdigit() and len(size) < 18 else 0

    def carry(self, address: str, pieces: Sequence[bytes]) -> str:
        """One mail to one address; `ready()` comes first. Returns what the server said with its yes.

        Raises GoneStale when the kept connection was closed before this mail, else a DeliveryFailure.
        """
        smtp = self._smtp
        if smtp is None:
            raise GoneStale
        size = sum(map(len, pieces))
        options = self._options(smtp, address, size)
        sender = self._route.settings.sender
        commands = (
            (Stage.MAIL, f"MAIL FROM:<{sender}>{options}"),
            (Stage.RCPT, f"RCPT TO:<{address}>"),
            (Stage.DATA, "DATA"),
        )
        kept, self._mails = self._mails > 0, self._mails + 1
        # All that comes before the dot has one timeout, and the dot's answer another.
        smtp.limit(self._route.timeout.total_seconds() * (1 + size // CHUNK))
        try:
            self._negotiate(smtp, commands, kept=kept)
            code, text = self._hand_over(smtp, pieces)
        except (DeliveryFailure, GoneStale):
            raise
        except BaseException:
            self.drop()  # half said: whatever comes next on it would be misunderstood
            raise
        self._used_at = monotonic()
        if 200 <= code < 300:
            return text[:200].decode("ascii", "replace")
        failure = judge(Stage.DOT, code, text)
        if failure is None or code == 421:
            self.close()
        raise failure or Uncertain("the mail server's answer cannot be understood", code=str(code))

    def close(self) -> None:
        """Say goodbye, briefly; safe to call twice."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        with suppress(OSError, smtplib.SMTPException):
            if smtp.sock is not None:
                smtp.limit(GOODBYE.total_seconds())
                smtp.quit()
        smtp.close()

    def drop(self) -> None:
        """Close without a word: the other side is gone, or would take the word for a line of the mail."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()

    def _options(self, smtp: _Smtp, address: str, size: int) -> str:
        if self._most and size > self._most:
            raise ContentRejected("the mail is too big for the mail server", code="552 5.3.4")
        options = f" SIZE={size}" if smtp.has_extn("size") else ""
        if address.isascii():
            return options
        if not smtp.has_extn("smtputf8"):
            why = "the part before the @ has letters that this mail server cannot write"
            raise AddressRejected(why, code="553 5.6.7")
        smtp.command_encoding = "utf-8"
        return f"{options} SMTPUTF8"

    def _negotiate(self, smtp: _Smtp, commands: Sequence[tuple[Stage, str]], *, kept: bool) -> None:
        """MAIL, RCPT and DATA, in one breath where the server can (RFC 2920). Raises unless all were granted."""
        failure: DeliveryFailure | None = None
        code = 0
        try:
            for stage, (code, text) in self._answers(smtp, commands):
                if stage is Stage.MAIL and code == 421 and kept:
                    raise GoneStale  # it had enough of this connection, not of us
                if code in _GRANTED[stage]:
                    continue
                failure = failure or judge(stage, code, text) or _unread(code)
                if not self._pipelining or code == 421:
                    break
        except GoneStale:
            self.drop()
            raise
        except (OSError, smtplib.SMTPException) as lost:
            self.drop()
            if kept and code == 0 and not _timed_out(lost):
                raise GoneStale from None
            raise failure or Transient("the connection was lost before the mail was handed over") from None
        if failure is None:
            return
        if code == 354 or code < 400 or code == 421:
            self.drop()  # 354: it waits for a text that must not come; a dot would make it an empty mail
        else:
            self._reset(smtp)
        raise failure

    def _answers(
        self, smtp: _Smtp, commands: Sequence[tuple[Stage, str]]
    ) -> Iterator[tuple[Stage, tuple[int, bytes]]]:
        if self._pipelining:
            smtp.send("".join(f"{command}\r\n" for _, command in commands))
        for stage, command in commands:
            if not self._pipelining:
                smtp.putcmd(command)
            yield stage, smtp.getreply()

    def _hand_over(self, smtp: _Smtp, pieces: Sequence[bytes]) -> tuple[int, bytes]:
        """The text, then the dot as a write of its own: what failed before it provably left no mail."""
        sock = smtp.sock
        corked = 0 if sock is None or isinstance(sock, ssl.SSLSocket) else _MORE
        try:
            if sock is None:
                raise ConnectionError
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    sock.settimeout(deadline.left(smtp.until))
                    view = view[sock.send(view[:CHUNK], corked) :]
        except OSError:
            self.drop()
            raise Transient("the connection was lost before the mail was complete") from None
        smtp.limit(self._route.timeout.total_seconds())
        try:
            sock.sendall(b".\r\n")
            return smtp.getreply()
        except (OSError, smtplib.SMTPException):
            self.drop()
            raise Uncertain("the mail was handed over, and the mail server's answer was lost") from None

    def _reset(self, smtp: _Smtp) -> None:
        try:
            code, _ = smtp.rset()
        except (OSError, smtplib.SMTPException):
            code = 0
        if code != 250:
            self.drop()


def _connect(route: Route) -> _Smtp:
    settings = route.settings
    smtp: _Smtp | None = None
    stage = Stage.OPEN
    try:
        wait = route.timeout.total_seconds()
        where = settings.host, settings.port, route.hello
        if settings.security == "tls":
            smtp = _SmtpInTls(*where, timeout=wait, context=route.tls)
        else:
            smtp = _Smtp(*where, timeout=wait)
        if smtp.sock is not None:
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        smtp.ehlo_or_helo_if_needed()
        if settings.security == "starttls":
            smtp.starttls(context=route.tls)
            smtp.ehlo_or_helo_if_needed()
        stage = Stage.LOGIN
        if settings.username is not None and settings.password is not None:
            smtp.login(settings.username.get_secret_value(), settings.password.get_secret_value())
    except (OSError, smtplib.SMTPException) as fault:
        if smtp is not None:
            smtp.close()
        raise _why_not_open(stage, fault) from None
    return smtp


# smtplib's errors are OSErrors too, and TLS's two kinds are one another's: the first that fits counts.
_WHY_NOT_OPEN: tuple[tuple[type[Exception], str, str], ...] = (
    (
        smtplib.SMTPServerDisconnected,
        "lost",
        "the mail server closed the connection, or said nothing in time",
    ),
    (
        smtplib.SMTPNotSupportedError,
        "starttls",
        "the mail server offers no STARTTLS, and nothing is sent in the clear",
    ),
    (ssl.SSLCertVerificationError, "certificate", "the mail server's certificate is not to be trusted"),
    (ssl.SSLError, "tls", "no protected connection could be agreed with the mail server"),
    (socket.gaierror, "dns", "the mail server's name is not known"),
    (TimeoutError, "timeout", "the mail server did not answer in time"),
    (Exception, "connect", "no connection to the mail server"),
)


def _why_not_open(stage: Stage, fault: Exception) -> DeliveryFailure:
    if isinstance(fault, smtplib.SMTPResponseException):
        told = judge(stage, fault.smtp_code, _as_bytes(fault.smtp_error))
        return told or Unreachable(
            "the mail server's greeting cannot be understood", code=str(fault.smtp_code)
        )
    known_loss = isinstance(fault, smtplib.SMTPServerDisconnected) or not isinstance(
        fault, smtplib.SMTPException
    )
    if stage is Stage.LOGIN and not known_loss:
        return AccountRejected("the mail server offers no way to sign in that we know", code="auth")
    return next(Unreachable(why, code=code) for kind, code, why in _WHY_NOT_OPEN if isinstance(fault, kind))


def _as_bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "replace")


def _timed_out(lost: BaseException) -> bool:
    # smtplib wraps what the socket said, and a server that is silent has not hung up.
    return isinstance(lost, TimeoutError) or isinstance(lost.__context__, TimeoutError)


def _unread(code: int) -> Transient:
    return Transient(
        "the mail server's answer cannot be understood, before the mail was handed over", code=str(code)
    )
