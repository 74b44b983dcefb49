"""Sinch's own client, made bounded and quiet: the one place that imports it.

Known of sinch 2.3: on a 429 it sleeps in the caller's thread and tries again; it logs tokens and texts at DEBUG; an
answer without a list is an empty list to it, so that rubbish would prove that a text is not there; its errors quote
what came. So: no tries of its own, a session of ours, and lists are looked at before they are believed. Each thread has
a client of its own (`channels.crew`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import requests
from sinch import SinchClient
from sinch.core.clients.retry_configuration import RetryConfiguration
from sinch.core.enums import RetryPolicy
from sinch.core.exceptions import SinchException
from sinch.core.models.http_response import HTTPResponse
from sinch.domains.sms.models.v1.response import ListBatchesResponse
from sinch.domains.sms.models.v1.shared.text_response import TextResponse
from urllib3.exceptions import HTTPError as TransportError

from broker.errors import AccountRejected, DeliveryFailure, Uncertain
from channels.http_line import failure_of_network, open_session
from channels.retry_after import retry_after
from channels.sms import codes_sinch as codes
from channels.sms.settings_sinch import Settings

PAGE = 30
GONE = "404"  # the code of an answer that a batch is not there, or not any more

logging.getLogger("sinch").setLevel(logging.CRITICAL)
_log = logging.getLogger("channels.sms.sinch")
_log.setLevel(logging.CRITICAL)
_log.propagate = False


class Line:
    """One thread's client and its kept connection."""

    def __init__(self, settings: Settings, base_url: str, timeout: timedelta) -> None:
        self._client = client = SinchClient(
            service_plan_id=settings.service_plan_id,
            sms_api_token=settings.api_token.get_secret_value(),
            sms_region=settings.region,
            logger=_log,
            retry_configuration=RetryConfiguration(RetryPolicy.NONE, max_retries=0),
        )
        client.configuration.sms_origin_with_service_plan_id = base_url
        client.configuration.transport.http_session = self._session = open_session(
            base_url, timeout, keep=True
        )

    def create(self, fields: Mapping[str, Any]) -> str:
        """Create a batch of one text; its id. Raises a DeliveryFailure."""
        batch = self._ask(partial(self._client.sms.batches.send_sms, **fields))
        if not _is_of(batch, fields["client_reference"]):
            raise Uncertain("Sinch's answer could not be read")
        return str(batch.id)

    def listed(self, reference: str, since: datetime) -> list[Any]:
        """The batches under a reference, the newest first. Raises a DeliveryFailure, also for what is no list."""
        pages = self._ask(
            partial(
                self._client.sms.batches.list,
                page=0,
                page_size=PAGE,
                start_date=since,
                client_reference=reference,
            )
        )
        page = pages.result
        if not isinstance(page, ListBatchesResponse) or page.batches is None or page.page != 0:
            raise Uncertain("Sinch's answer could not be read")
        if page.count is None or page.count < len(page.batches):
            raise Uncertain("Sinch's answer could not be read")
        if page.count > len(page.batches):
            raise Uncertain("too many texts have this reference to look through them all")
        if not all(_is_of(batch, reference) for batch in page.batches):
            raise Uncertain("Sinch listed what was not asked for")
        return list(page.batches)

    def keeps(self, id: str) -> bool:
        """Whether Sinch has this one still. Raises a DeliveryFailure."""
        try:
            batch = self._ask(partial(self._client.sms.batches.get, batch_id=id))
        except AccountRejected as failure:
            if failure.code == GONE:
                return False
            raise
        if not isinstance(batch, TextResponse) or batch.id != id:
            raise Uncertain("Sinch's answer could not be read")
        return True

    def close(self) -> None:
        """Let go of the connection; safe to call twice."""
        self._session.close()

    def _ask(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except Exception as reason:  # noqa: BLE001 - every way it can fail is told apart there
            raise failure_of(reason) from None


def _is_of(batch: Any, reference: str) -> bool:
    """Whether it is a batch of ours: what fits no model of the client's is handed over all the same."""
    return isinstance(batch, TextResponse) and bool(batch.id) and batch.client_reference == reference


def failure_of(reason: Exception) -> DeliveryFailure:
    """What the client or the network says, in our words. Their own quote what was sent, so none of them is kept."""
    if isinstance(reason, DeliveryFailure):
        return reason
    if isinstance(reason, SinchException):
        answer = reason.http_response
        # With words that are no JSON the client hands over the network's answer instead of its own.
        status = getattr(answer, "status_code", None)
        if not isinstance(status, int) or 200 <= status < 300:
            return Uncertain("Sinch's answer could not be read")
        told = answer.body if isinstance(answer, HTTPResponse) and isinstance(answer.body, Mapping) else {}
        wait = retry_after(answer.headers.get("Retry-After"), now=datetime.now(UTC))
        return codes.failure(status, str(told.get("code", "")), str(told.get("text", "")), wait)
    if isinstance(reason, requests.RequestException | TransportError | OSError):
        if isinstance(reason, requests.TooManyRedirects):
            return Uncertain("Sinch gave an answer that is neither yes nor no")
        return failure_of_network(reason, "Sinch")
    if isinstance(reason, ValueError | KeyError | TypeError | AttributeError | RecursionError):
        return Uncertain("Sinch's answer could not be read")
    return Uncertain(f"the gateway failed in an unforeseen way ({type(reason).__name__})")
