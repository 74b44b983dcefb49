"""One request to a provider that has no client worth its weight, and the answer: one try, bounded, in our words.

With a `Reach` it is an address that somebody typed: looked up once, judged, and connected to as it was judged, past
every proxy, for a proxy would look it up where nobody sees. Without one it is a provider's own, known by name.
"""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from broker.outward import Reach
from channels.http_line import Door, behind, failure_of_network, open_session
from channels.reach import connect

logging.getLogger("urllib3.connectionpool").setLevel(
    logging.ERROR
)  # addresses hold secrets: a workflow's signature

_HTML = (b"<!doctype html", b"<html")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether it is one of those that say yes."""
        return 200 <= self.status < 300

    @property
    def is_page(self) -> bool:
        """A page for people, as a portal, a proxy or a maintenance screen puts in a service's place."""
        return self.body[:1_000].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_HTML)

    def read(self) -> Any:
        """The JSON in it, None for what is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def known(self) -> Mapping[str, Any]:
        """The JSON object in it, empty for anything else."""
        found = self.read()
        return found if isinstance(found, Mapping) else {}


class Caller:
    """Asks one provider, at addresses that begin with `base` and no other. `service` is what people call it."""

    def __init__(
        self,
        base: str,
        timeout: timedelta,
        service: str,
        *,
        reach: Reach | None = None,
        ca_file: Path | None = None,
    ) -> None:
        self._base = base.rstrip("/")
        self._service = service
        if reach is None:
            self._session = open_session(self._base, timeout)
        else:
            self._session = guarded_session(f"{self._base}/", timeout, reach)
        if ca_file is not None:
            self._session.verify = str(ca_file)

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """Exactly one try at `base`/`path`, led on nowhere.

        Raises Unreachable where no byte left, AccountRejected where it may not be reached, and Uncertain where the
        request may have arrived and no answer tells.
        """
        said = {"data": body, "headers": dict(headers or {}), "params": params}
        response = one_try(self._session, self._service, method, f"{self._base}/{path}", **said)
        return answer_in(response)

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._session.close()

    def __repr__(self) -> str:
        return f"<Caller of {self._service}>"


def guarded_session(prefix: str, timeout: timedelta, reach: Reach) -> requests.Session:
    """A session to addresses that begin so, which looks where it leads, past every proxy."""
    session = behind(requests.Session(), prefix, _Guarded(timeout, reach))
    session.trust_env = False
    return session


def one_try(session: requests.Session, service: str, method: str, url: str, **said: Any) -> requests.Response:
    """Exactly one request, led on nowhere. Raises what `Caller.ask` does."""
    try:
        return session.request(method, url, allow_redirects=False, **said)
    except requests.TooManyRedirects as led_on:  # raised for the first one, and the answer lies with it
        if led_on.response is None:
            raise failure_of_network(led_on, service) from None
        return led_on.response
    except (requests.RequestException, HTTPError, OSError, ValueError) as reason:
        raise failure_of_network(reason, service) from None


def answer_in(response: requests.Response) -> Answer:
    """What came back, without what was asked."""
    return Answer(response.status_code, response.headers, response.content)


class _Guarded(Door):
    """A door that looks where it leads."""

    def __init__(self, timeout: timedelta, reach: Reach) -> None:
        self._reach = reach
        super().__init__(timeout)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """Its connections are made by us, to what was judged."""
        super().init_poolmanager(*args, **more)
        pools = self.poolmanager.pool_classes_by_scheme
        guarded = {scheme: _looking(pool, self._reach) for scheme, pool in pools.items()}
        self.poolmanager.pool_classes_by_scheme = guarded


def _looking(pool: Any, reach: Reach) -> Any:
    class Line(pool.ConnectionCls):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:
            return connect(reach, self._dns_host, self.port, float(self.timeout))

    class Pool(pool):  # type: ignore[misc]
        ConnectionCls = Line

    return Pool
