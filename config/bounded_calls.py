"""Calls to a provider of identities: bounded in time as a whole and in bytes, and never led on to another address."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import requests
from requests.adapters import HTTPAdapter

MOST_BYTES = 512 * 1024
PIECE = 16 * 1024
TIMEOUT = (3, 5)  # seconds to connect, and to the next byte
WHOLE = timedelta(seconds=8)  # a server that sends a byte now and then keeps nobody waiting for longer


class TooMuch(requests.RequestException):
    """Raised when an answer is longer than anything that we asked for, or takes too long to arrive."""


class BoundedAdapter(HTTPAdapter):
    """Reads an answer to its end before anybody parses it, and gives up where there is no end in sight."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """As every adapter does; the body has been read."""
        until = time.monotonic() + WHOLE.total_seconds()
        kwargs.update(stream=True, timeout=TIMEOUT)
        answer = super().send(request, *args, **kwargs)
        try:
            body = bytearray()
            while piece := answer.raw.read1(PIECE, decode_content=True):
                body += piece
                if len(body) > MOST_BYTES or time.monotonic() > until:
                    raise TooMuch(request=request)
        finally:
            answer.close()
        answer._content = bytes(body)  # where requests keeps what it has read
        answer._content_consumed = True
        return answer


def bounded(session: requests.Session) -> requests.Session:
    """A session whose calls are bounded."""
    adapter = BoundedAdapter()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
