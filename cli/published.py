"""What a feed truly says: fetched over HTTP as any reader would, its guids counted."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from config.feeds import ASK_EVERY

FETCH_WITHIN = timedelta(seconds=10)


def published(feed: str, wanted: UUID) -> Sequence[Mapping[str, Any]]:
    """The items of a JSON feed as a truth log tells them; `wanted` is given the second in which feeds may be behind."""
    until = time.monotonic() + 2 * ASK_EVERY.total_seconds()
    while wanted.urn not in (guids := _guids(feed)) and time.monotonic() < until:
        time.sleep(0.1)
    return [{"channel": "rss", "id": guid, "to": ""} for guid in guids]


def _guids(feed: str) -> list[str]:
    address = urlsplit(feed)
    connection = HTTPConnection(address.netloc, timeout=FETCH_WITHIN.total_seconds())
    try:
        connection.request("GET", address.path)
        response = connection.getresponse()
        return [item["id"] for item in json.loads(response.read())["items"]] if response.status == 200 else []
    finally:
        connection.close()
