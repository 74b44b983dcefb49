"""The connection to a Mastodon server: Mastodon.py made bounded, quiet and obedient.

Known of Mastodon.py 2.3: its timeout is 300 seconds and begins anew with every byte, by default it sleeps in the worker
at a limit, it raises after a post was taken where a header of limits is odd, it takes {} for an empty list of posts,
and its errors quote what was said. So answers are looked at in the door, before it sees them, and of its own errors
only the type counts.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import mastodon
import requests
from urllib3.exceptions import HTTPError

from broker.errors import DeliveryFailure, Uncertain
from broker.loopback import is_loopback
from channels.http_line import Door, behind, failure_of_network
from channels.mastodon import codes
from channels.mastodon.settings import Settings

logging.getLogger("mastodon").setLevel(logging.WARNING)


class Refused(Exception):
    """Raised at the door for an answer other than success."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def open_client(settings: Settings, timeout: timedelta) -> mastodon.Mastodon:
    """A client that reaches the account's server and nothing else."""
    session = behind(requests.Session(), f"{settings.server}/", _Door(timeout))
    session.trust_env = not is_loopback(urlsplit(settings.server).hostname or "")
    return mastodon.Mastodon(
        access_token=settings.access_token.get_secret_value(),
        api_base_url=settings.server,
        ratelimit_method="throw",
        request_timeout=timeout.total_seconds(),
        session=session,
        user_agent="Carillon",
    )


class _Door(Door):
    def send(self, request: requests.PreparedRequest, *_: Any, **others: Any) -> requests.Response:
        """One try. Raises Refused."""
        response = super().send(request, **others)
        if response.status_code >= 300:
            raise Refused(response)
        if not _is_as_asked_for(request, response):
            raise Uncertain("the server's answer could not be read")
        for name in ("X-RateLimit-Remaining", "X-RateLimit-Limit", "X-RateLimit-Reset", "Deprecation"):
            response.headers.pop(name, None)
        return response


def failure_of(reason: BaseException) -> DeliveryFailure:
    """What Mastodon.py, the server or the network says, in our words."""
    inner = reason.__context__ if isinstance(reason, mastodon.MastodonNetworkError) else reason
    if isinstance(inner, DeliveryFailure):
        return inner
    if isinstance(inner, Refused):
        response = inner.response
        return codes.failure(response.status_code, _body(response), response.headers, now=datetime.now(UTC))
    if isinstance(inner, requests.RequestException | HTTPError | OSError):
        return failure_of_network(inner, "the server")
    if isinstance(inner, mastodon.MastodonError | LookupError | ValueError | AttributeError | TypeError):
        return Uncertain("the server's answer could not be read")
    return Uncertain(f"the gateway failed in an unforeseen way ({type(inner).__name__})")


def is_gone(reason: BaseException) -> bool:
    """Whether the server itself says that there is no such post any more: a proxy's page proves nothing."""
    refused = reason.__context__
    if not isinstance(refused, Refused) or refused.response.status_code not in (404, 410):
        return False
    return isinstance(_body(refused.response).get("error"), str)


def _is_as_asked_for(request: requests.PreparedRequest, response: requests.Response) -> bool:
    """Whether it is JSON of the right shape: Mastodon.py takes an empty object for an empty list of posts."""
    try:
        told = response.json()
    except (ValueError, RecursionError):
        return False
    if request.method == "GET" and request.path_url.partition("?")[0].endswith("/statuses"):
        return isinstance(told, list) and all(isinstance(each, dict) for each in told)
    return isinstance(told, dict)


def _body(response: requests.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, Mapping) else {}
