"""The connection to X: tweepy's client made bounded, quiet and obedient, with one door and no other.

Known of tweepy 4.17: it knows no timeout, its host is written into it, its DEBUG logs carry the Authorization header
(and so do those of the two libraries under it), and wait_on_rate_limit would sleep in the worker.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
import tweepy
from urllib3.exceptions import HTTPError

from broker.errors import DeliveryFailure, Uncertain
from channels.http_line import Door, behind, failure_of_network
from channels.twitter import codes
from channels.twitter.clock import Clock, shown_at
from channels.twitter.settings import Settings

HOST = "https://api.twitter.com"  # where tweepy goes, whatever X is called

for _name in ("tweepy", "oauthlib", "requests_oauthlib"):
    logging.getLogger(_name).setLevel(logging.WARNING)


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
    behind(session, f"{HOST}/", _Door(settings.api_base_url, timeout, clock))
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


class _Door(Door):
    """Leads to the stand-in where there is one, and keeps X's time when X shows it."""

    def __init__(self, stand_in: str | None, timeout: timedelta, clock: Clock) -> None:
        self._stand_in = stand_in
        self._clock = clock
        super().__init__(timeout)

    def send(self, request: requests.PreparedRequest, *_: Any, **others: Any) -> requests.Response:
        """One try. The request is signed already, for X's own address."""
        if self._stand_in is not None:
            request.url = self._stand_in + (request.url or "").removeprefix(HOST)
            others["proxies"] = {}
        response = super().send(request, **others)
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
        return failure_of_network(reason, "X")
    if isinstance(reason, ValueError | AttributeError | TypeError):
        return Uncertain("X's answer could not be read")
    return Uncertain(f"the gateway failed in an unforeseen way ({type(reason).__name__})")


def is_gone(reason: Exception) -> bool:
    """Whether X itself says that there is no such post any more: a proxy's page proves nothing."""
    return isinstance(reason, tweepy.NotFound) and isinstance(_body(reason.response).get("title"), str)


def _wrong_time(response: requests.Response) -> tuple[float, timedelta] | None:
    signed = str(response.request.headers.get("Authorization", ""))
    return shown_at(signed, response.headers.get("Date", ""))


def _body(response: requests.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, Mapping) else {}
