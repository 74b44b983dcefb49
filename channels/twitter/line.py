"""The connection to X: tweepy's client made bounded, quiet and obedient, with one door and no other.

Known of tweepy 4.17: it knows no timeout, its host is written into it, its DEBUG logs carry the Authorization header
(and so do those of the two libraries under it), and wait_on_rate_limit would sleep in the worker.
"""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from time import monotonic
from typing import Any

import requests
import tweepy
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ReadTimeoutError,
)

from broker.errors import DeliveryFailure, Uncertain, Unreachable
from channels import deadline
from channels.twitter import codes
from channels.twitter.clock import Clock, shown_at
from channels.twitter.settings import Settings

HOST = "https://api.twitter.com"  # where tweepy goes, whatever X is called
CONNECT_WITHIN = timedelta(seconds=10)
MOST_BYTES = 2 * 1024 * 1024  # of an answer; a page of a hundred posts has a tenth of that

for _name in ("tweepy", "oauthlib", "requests_oauthlib"):
    logging.getLogger(_name).setLevel(logging.WARNING)
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)  # it warns of odd headers, and quotes them


def open_client(settings: Settings, timeout: timedelta) -> tweepy.Client:
    """A client that reaches X, or the stand-in that the settings name, and nothing else."""
    client = tweepy.Client(
        consumer_key=settings.consumer_key.get_secret_value(),
        consumer_secret=settings.consumer_secret.get_secret_value(),
        access_token=settings.access_token.get_secret_value(),
        access_token_secret=settings.access_token_secret.get_secret_value(),
        return_type=dict,
        wait_on_rate_limit=False,
    )
    clock = Clock()
    session = client.session = _Signing(clock)
    session.adapters.clear()
    session.mount(f"{HOST}/", _Door(settings.api_base_url, timeout, clock))
    session.max_redirects = 0  # a redirected post would be posted twice, or somewhere else
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # A post is rare: a kept connection that has died unseen would make it uncertain.
    session.headers["Connection"] = "close"
    return client


class _Signing(requests.Session):
    """Has each request signed with the time at X, as far as that is known."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Tweepy makes a signature's client for each request; it would look at this process's clock."""
        if isinstance(request.auth, tweepy.auth.OAuth1):
            request.auth.client.timestamp = str(self._clock.now())
        return super().prepare_request(request)


class _Answer(HTTPResponse):
    """An answer whose head and body together have what was left of the request's timeout when it was sent."""

    def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        until = monotonic() + (sock.gettimeout() or 0.0)
        self.fp.close()
        self.fp = deadline.reader(sock, lambda: until)


class _Plain(HTTPConnection):
    response_class = _Answer


class _InTls(HTTPSConnection):
    response_class = _Answer


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _InTlsPool(HTTPSConnectionPool):
    ConnectionCls = _InTls


class _Door(HTTPAdapter):
    """Gives every request a deadline and every answer a bound, and leads to the stand-in where there is one."""

    def __init__(self, stand_in: str | None, timeout: timedelta, clock: Clock) -> None:
        self._stand_in = stand_in
        self._clock = clock
        self._timeout = timeout.total_seconds()
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """Connections of our own kind, straight to X …"""
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _InTlsPool}

    def proxy_manager_for(self, *args: Any, **more: Any) -> Any:
        """… and by way of a proxy."""
        manager = super().proxy_manager_for(*args, **more)
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _InTlsPool}
        return manager

    def send(self, request: requests.PreparedRequest, *_: Any, **others: Any) -> requests.Response:
        """One try. The request is signed already, for X's own address."""
        connect = min(self._timeout, CONNECT_WITHIN.total_seconds())
        others |= {"timeout": Timeout(total=self._timeout, connect=connect), "stream": True}
        if self._stand_in is not None:
            request.url = self._stand_in + (request.url or "").removeprefix(HOST)
            others["proxies"] = {}
        response = super().send(request, **others)
        # Read here, bounded: requests would take as much as there is.
        content = b""
        while piece := response.raw.read1(16 * 1024, decode_content=True):
            content += piece
            if len(content) > MOST_BYTES:
                response.close()
                raise requests.exceptions.ContentDecodingError(request=request)
        response._content = content
        if response.status_code == 401 and (shown := _wrong_time(response)) is not None:
            self._clock.set(shown[0])
        return response


def failure_of(reason: Exception, *, quoting: bool = False) -> DeliveryFailure:
    """What tweepy or the network says, in our words. Their own words may quote the post, so none of them is kept."""
    if isinstance(reason, DeliveryFailure):
        return reason
    if isinstance(reason, tweepy.HTTPException):
        response = reason.response
        if response.status_code == 401 and (shown := _wrong_time(response)) is not None:
            return codes.wrong_clock(shown[1])
        return codes.failure(
            response.status_code, _body(response), response.headers, now=datetime.now(UTC), quoting=quoting
        )
    if isinstance(reason, requests.RequestException | HTTPError):
        return _of_the_network(reason)
    if isinstance(reason, ValueError | AttributeError | TypeError):
        return Uncertain("X's answer could not be read")
    return Uncertain(f"the gateway failed in an unforeseen way ({type(reason).__name__})")


def is_gone(reason: Exception) -> bool:
    """Whether X says that there is no such post any more."""
    return isinstance(reason, tweepy.NotFound)


def _wrong_time(response: requests.Response) -> tuple[float, timedelta] | None:
    signed = str(response.request.headers.get("Authorization", ""))
    return shown_at(signed, response.headers.get("Date", ""))


def _body(response: requests.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, Mapping) else {}


def _of_the_network(reason: Exception) -> DeliveryFailure:
    inner = reason.args[0] if reason.args else None
    if isinstance(inner, MaxRetryError):
        inner = inner.reason
    if isinstance(inner, NewConnectionError | ConnectTimeoutError) or _is_a_bad_certificate(inner):
        return Unreachable("no connection to X could be made")
    if isinstance(reason, requests.Timeout | ReadTimeoutError):
        return Uncertain("X did not answer in time")
    if isinstance(reason, requests.JSONDecodeError | requests.exceptions.ContentDecodingError):
        return Uncertain("X's answer could not be read")
    return Uncertain("the connection to X broke while it had the post")


def _is_a_bad_certificate(inner: object) -> bool:
    """Told while connections are made, before any byte of a post."""
    return isinstance(inner, Exception) and any(
        isinstance(arg, ssl.SSLCertVerificationError) for arg in inner.args
    )
