"""How a connection to the mail server comes about: greeting, TLS, sign-in, and what the server offers.

aiosmtplib speaks this part. Once all is agreed its transport is handed over to a line of ours, for mails come in
groups of commands (RFC 2920) that it has no words for.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass, field
from datetime import timedelta

import aiosmtplib
from aiosmtplib import SMTP

from broker.errors import AccountRejected, DeliveryFailure, Unreachable
from channels.email.codes import Stage, judge
from channels.email.settings import Settings


@dataclass(frozen=True, slots=True)
class Route:
    """How to reach the server: everything a connection needs, settled once."""

    settings: Settings = field(repr=False)
    timeout: timedelta
    tls: ssl.SSLContext | None
    hello: str


@dataclass(frozen=True, slots=True)
class Offers:
    """What a server said that it can do."""

    pipelining: bool = False
    utf8: bool = False
    size: bool = False
    most: int = 0  # bytes of one mail; 0 for no limit told


async def connect(route: Route) -> tuple[asyncio.Transport, Offers]:
    """A connection over which mails may go, within the route's timeout; its transport waits for a protocol of ours.

    Raises Unreachable, AccountRejected, RateLimited or Transient; no mail has been begun.
    """
    settings = route.settings
    wait = route.timeout.total_seconds()
    smtp = SMTP(
        hostname=settings.host,
        port=settings.port,
        local_hostname=route.hello,
        timeout=wait,
        use_tls=settings.security == "tls",
        start_tls=False,  # below, where it is no option
        tls_context=route.tls,
    )
    stage = Stage.OPEN
    try:
        async with asyncio.timeout(wait):
            await smtp.connect()
            await _greet(smtp)
            if settings.security == "starttls":
                if not smtp.supports_extension("starttls"):
                    why = "the mail server offers no STARTTLS, and nothing is sent in the clear"
                    raise Unreachable(why, code="starttls")
                await smtp.starttls()
                await _greet(smtp)
            stage = Stage.LOGIN
            if settings.username is not None and settings.password is not None:
                await smtp.login(settings.username.get_secret_value(), settings.password.get_secret_value())
        transport = smtp.transport
        if not isinstance(transport, asyncio.Transport) or transport.is_closing():
            raise ConnectionError
    except (OSError, aiosmtplib.SMTPException) as fault:
        smtp.close()
        raise _why_not_open(stage, fault) from None
    except BaseException:
        smtp.close()
        raise
    return transport, _offers(smtp)


async def _greet(smtp: SMTP) -> None:
    try:
        await smtp.ehlo()
    except aiosmtplib.SMTPHeloError:
        if not smtp.is_connected:
            raise
        await smtp.helo()


def _offers(smtp: SMTP) -> Offers:
    size = smtp.esmtp_extensions.get("size", "")
    return Offers(
        pipelining=smtp.supports_extension("pipelining"),
        utf8=smtp.supports_extension("smtputf8"),
        size=smtp.supports_extension("size"),
        most=int(size) if size.isascii() and size.isdigit() and len(size) < 18 else 0,
    )


# TLS's errors are OSErrors and one another's kinds: the first that fits counts.
_WHY_NOT_OPEN: tuple[tuple[type[BaseException], str, str], ...] = (
    (ssl.SSLCertVerificationError, "certificate", "the mail server's certificate is not to be trusted"),
    (ssl.SSLError, "tls", "no protected connection could be agreed with the mail server"),
    (socket.gaierror, "dns", "the mail server's name is not known"),
    (TimeoutError, "timeout", "the mail server did not answer in time"),
    (aiosmtplib.SMTPServerDisconnected, "lost", "the mail server closed the connection"),
    (BaseException, "connect", "no connection to the mail server"),
)


def _why_not_open(stage: Stage, fault: Exception) -> DeliveryFailure:
    if isinstance(fault, aiosmtplib.SMTPResponseException):
        # As the server wrote it; aiosmtplib has only decoded it.
        known = judge(stage, fault.code, fault.message.encode("utf-8", "surrogateescape"))
        return known or Unreachable("the mail server's greeting cannot be understood", code=str(fault.code))
    if stage is Stage.LOGIN and not isinstance(fault, OSError):
        return AccountRejected("the mail server offers no way to sign in that we know", code="auth")
    told = (fault, fault.__cause__)  # aiosmtplib wraps what the socket said
    return next(
        Unreachable(why, code=code)
        for kind, code, why in _WHY_NOT_OPEN
        if any(isinstance(each, kind) for each in told)
    )
