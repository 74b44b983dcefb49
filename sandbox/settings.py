"""What a sandbox is told at its start: where to listen, whom to know, where the truth goes."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

ACCOUNT_SID = "AC5a4db0c55a4db0c55a4db0c55a4db0c5"
AUTH_TOKEN = "sandbox-auth-token"  # noqa: S105 (pretended, like all else here)


@dataclass(frozen=True)
class XCredentials:
    """The app and the account that the stand-in for X knows; an access token begins with the account's id."""

    consumer_key: str = "SandboxConsumerKey0000001"
    consumer_secret: str = "sandbox-consumer-secret"  # noqa: S105
    access_token: str = "1500000000000000001-SandboxAccessToken"  # noqa: S105
    access_token_secret: str = "sandbox-access-secret"  # noqa: S105


CallbackMode = Literal["off", "final", "all"]
TlsMode = Literal["off", "starttls", "implicit"]


class BadSandbox(ValueError):
    """Raised when a sandbox is asked for something it cannot or will not do."""

    def __init__(self, field: str, message: str, hint: str = "") -> None:
        super().__init__(f"{field}: {message}" + (f" ({hint})" if hint else ""))
        self.field = field
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Endpoint:
    """A place to listen.

    Loopback only: a stand-in that the network can reach would be taken for the real thing.
    """

    host: str = "127.0.0.1"
    port: int = 0

    def __post_init__(self) -> None:
        if not is_loopback(self.host):
            raise BadSandbox("host", "the sandbox listens on loopback only", "use 127.0.0.1 or ::1")
        if not 0 <= self.port <= 65535:
            raise BadSandbox("port", "a port is a number from 0 to 65535", "0 takes any free one")

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """From "127.0.0.1:8025", "[::1]:8025" or ":8025" (then 127.0.0.1)."""
        host, colon, port = text.rpartition(":")
        if not colon or not port.isascii() or not port.isdigit() or len(port) > 5:
            raise BadSandbox("endpoint", "an endpoint is host:port", "for example 127.0.0.1:0")
        return cls(host.strip("[]") or "127.0.0.1", int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Only a literal loopback address or "localhost"; a name is never resolved to find out."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class SandboxSettings:
    """Everything one sandbox process needs to know.

    `twilio` and `smtp` may be None: that stand-in is then not started. `step` is the time a text takes from
    queued to sent, and again from sent to delivered. `idle` is how long a connection may say nothing before
    it is closed.
    """

    truth: Path
    twilio: Endpoint | None = field(default_factory=Endpoint)
    smtp: Endpoint | None = field(default_factory=Endpoint)
    faults: tuple[str, ...] = ()
    account_sid: str = ACCOUNT_SID
    auth_token: str = AUTH_TOKEN
    x: XCredentials = field(default_factory=XCredentials)
    callbacks: CallbackMode = "off"
    step: timedelta = timedelta(milliseconds=50)
    smtp_user: str | None = None
    smtp_password: str | None = None
    smtp_tls: TlsMode = "off"
    certificate: Path | None = None
    certificate_key: Path | None = None
    keep_content: bool = False
    idle: timedelta = timedelta(minutes=5)
    max_connections: int = 1024
    max_mail_bytes: int = 25 * 1024 * 1024

    def __post_init__(self) -> None:
        if self.twilio is None and self.smtp is None:
            raise BadSandbox("twilio", "a sandbox with nothing to listen on has no use")
        if self.smtp_tls != "off" and not (self.certificate and self.certificate_key):
            raise BadSandbox("certificate", "TLS needs a certificate and its key")
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise BadSandbox("smtp_user", "a user and a password belong together")
