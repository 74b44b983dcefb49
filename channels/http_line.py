"""For clients that stand on requests: one try, a deadline for the whole answer, a bound for its size, no detours.

`requests` has a timeout that begins anew with every byte, takes as much as there is, follows redirects with the post
in hand, reads passwords from a .netrc, and keeps connections whose death makes the next post uncertain. Not so here.
"""

from __future__ import annotations

import logging
import socket
import ssl
from datetime import timedelta
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NewConnectionError,
    ReadTimeoutError,
)

from broker.errors import DeliveryFailure, Uncertain, Unreachable
from broker.loopback import is_loopback
from channels import deadline

CONNECT_WITHIN = timedelta(seconds=10)
MOST_BYTES = 2 * 1024 * 1024  # of an answer; a page of a hundred posts has a tenth of that

logging.getLogger("urllib3.connection").setLevel(logging.ERROR)  # it warns of odd headers, and quotes them


class _Answer(HTTPResponse):
    """An answer whose head and body together have what was left of the request's timeout when it was sent."""

    def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        until = monotonic() + (sock.gettimeout() or 0.0)
        self.fp.close()
        self.fp = deadline.reader(sock, lambda: until)


class _Plain(HTTPConnection):
    response_class = _Answer

    def request(self, *args: Any, **more: Any) -> None:
        """One request, with its whole time limit: a kept socket has but what the answer before it left."""
        _with_all_its_time(self)
        super().request(*args, **more)


class _InTls(HTTPSConnection):
    response_class = _Answer

    def request(self, *args: Any, **more: Any) -> None:
        """Likewise."""
        _with_all_its_time(self)
        super().request(*args, **more)


def _with_all_its_time(line: HTTPConnection) -> None:
    if line.sock is not None and isinstance(line.timeout, int | float):
        line.sock.settimeout(line.timeout)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _InTlsPool(HTTPSConnectionPool):
    ConnectionCls = _InTls


class Door(HTTPAdapter):
    """Gives every request a deadline and every answer a bound; the only one that a session has."""

    def __init__(self, timeout: timedelta) -> None:
        self._timeout = timeout.total_seconds()
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """Connections of our own kind, straight to the provider …"""
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _InTlsPool}

    def proxy_manager_for(self, *args: Any, **more: Any) -> Any:
        """… and by way of a proxy."""
        manager = super().proxy_manager_for(*args, **more)
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _InTlsPool}
        return manager

    def send(self, request: requests.PreparedRequest, *_: Any, **others: Any) -> requests.Response:
        """One try."""
        connect = min(self._timeout, CONNECT_WITHIN.total_seconds())
        others |= {"timeout": Timeout(total=self._timeout, connect=connect), "stream": True}
        response = super().send(request, **others)
        # Read here, bounded: requests would take as much as there is.
        content = b""
        while piece := response.raw.read1(16 * 1024, decode_content=True):
            content += piece
            if len(content) > MOST_BYTES:
                response.close()
                raise requests.exceptions.ContentDecodingError(request=request)
        response._content = content
        return response


def behind(session: requests.Session, prefix: str, door: Door, *, keep: bool = False) -> requests.Session:
    """That session with this one door, to addresses that begin so, and no other.

    `keep` its connections: for a provider that is sent many messages, and can be asked for one that was lost.
    """
    session.adapters.clear()
    session.mount(prefix, door)
    session.max_redirects = 0  # a redirected post would be posted twice, or somewhere else
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.auth = _as_it_is  # or a .netrc would put its own in place of ours
    if not keep:
        # A post is rare: a kept connection that has died unseen would make it uncertain.
        session.headers["Connection"] = "close"
    return session


def open_session(base: str, timeout: timedelta, *, keep: bool = False) -> requests.Session:
    """A session that leads to `base` and nowhere else; past every proxy where that is on this machine."""
    session = behind(requests.Session(), f"{base.rstrip('/')}/", Door(timeout), keep=keep)
    session.trust_env = not is_loopback(urlsplit(base).hostname or "")
    return session


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def failure_of_network(reason: BaseException, service: str) -> DeliveryFailure:
    """What befell a request on its way, in our words; the library's own may quote it."""
    inner = reason.args[0] if reason.args else None
    if isinstance(inner, MaxRetryError):
        inner = inner.reason
    if isinstance(inner, NewConnectionError | ConnectTimeoutError) or _is_a_bad_certificate(inner):
        return Unreachable(f"no connection to {service} could be made")
    if isinstance(reason, requests.Timeout | ReadTimeoutError):
        return Uncertain(f"{service} did not answer in time")
    if isinstance(reason, requests.JSONDecodeError | requests.exceptions.ContentDecodingError):
        return Uncertain(f"{service}'s answer could not be read")
    return Uncertain(f"the connection to {service} broke while it had the request")


def _is_a_bad_certificate(inner: object) -> bool:
    """Told while connections are made, before any byte of a request."""
    return isinstance(inner, Exception) and any(
        isinstance(arg, ssl.SSLCertVerificationError) for arg in inner.args
    )
