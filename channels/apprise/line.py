"""The one request of a notice, as a plug-in of Apprise's makes it: bounded, to what was judged, led on nowhere.

Known of Apprise 2.2: its plug-ins ask by `requests`, whose timeout begins anew with every byte and which takes as much
as there is; they connect to whatever a name means at that moment, and some try once more. So a plug-in's module is
given `STAND_FOR_REQUESTS` for `requests`, and what it asks goes by the line of the thread that asks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import local
from typing import Any

import requests

from broker.errors import DeliveryFailure, Uncertain
from broker.outward import Reach
from channels.apprise import codes
from channels.calling import answer_in, guarded_session, one_try
from channels.http_line import Door, behind

SERVICE = "the service"
_SAID = ("data", "json", "headers", "params", "auth")  # its timeouts and the like are ours to set
_here = local()


class Line:
    """The way of one notice. With a `reach` it goes to a server of the school's choosing."""

    def __init__(self, scheme: str, timeout: timedelta, reach: Reach | None) -> None:
        self.status: int | None = None
        self.failure: DeliveryFailure | None = None
        self._asked = False
        prefix = f"{scheme}://"
        if reach is None:
            self._session = behind(requests.Session(), prefix, Door(timeout))
        else:
            self._session = guarded_session(prefix, timeout, reach)

    def ask(self, method: str, url: str, **said: Any) -> requests.Response:
        """The first request; whatever it asks after that is not asked. Raises requests.ConnectionError."""
        if self._asked:
            raise requests.ConnectionError("one notice is one request")
        self._asked = True
        try:
            response = one_try(self._session, SERVICE, method, url, **said)
            answer = answer_in(response)
            self.status = answer.status
            if answer.ok and answer.is_page:
                raise Uncertain(codes.A_PAGE, code="page")
        except DeliveryFailure as failure:
            self.failure = failure
            raise requests.ConnectionError("it came to a failure") from None
        return response

    @contextmanager
    def taken(self) -> Iterator[None]:
        """What is asked in this thread goes by this line, and not afterwards."""
        _here.line = self
        try:
            yield
        finally:
            del _here.line
            self._session.close()


class _Requests:
    """What stands in a plug-in's module for `requests`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(requests, name)

    def post(self, url: str, data: Any = None, json: Any = None, **more: Any) -> requests.Response:
        """As there."""
        return self.request("POST", url, data=data, json=json, **more)

    def get(self, url: str, params: Any = None, **more: Any) -> requests.Response:
        """As there."""
        return self.request("GET", url, params=params, **more)

    def request(self, method: str, url: str, **more: Any) -> requests.Response:
        """As there, by the line of this thread. Raises requests.ConnectionError."""
        line: Line | None = getattr(_here, "line", None)
        if line is None:
            raise requests.ConnectionError("nothing is asked but to post a notice")
        return line.ask(method, url, **{name: more[name] for name in _SAID if more.get(name) is not None})


STAND_FOR_REQUESTS = _Requests()


def take_over(plug_in: type) -> bool:
    """Have a plug-in ask by our lines alone; whether it can be had."""
    module = vars(sys.modules[plug_in.__module__])
    if module.get("requests") not in (requests, STAND_FOR_REQUESTS):
        return False
    module["requests"] = STAND_FOR_REQUESTS
    return True
