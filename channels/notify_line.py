"""GOV.UK Notify's own client, made bounded and quiet: the one place that imports it, for texts and for mails.

Known of notifications-python-client 13: it is not for several threads at once; without a network it says 503; it logs
our reference, and Notify's words, at WARNING; its iterator over pages takes anything for a list; it drops the path of
its base address. So each thread has a client of its own (`channels.crew`), on a session of ours.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from notifications_python_client.errors import APIError, InvalidResponse
from notifications_python_client.notifications import NotificationsAPIClient
from urllib3.exceptions import HTTPError as TransportError

from broker.capabilities import PastAttempt
from broker.channel import Item, Receipt, Surroundings
from broker.errors import AccountRejected, DeliveryFailure, Problem, SetupError, Transient, Uncertain
from broker.loopback import is_loopback
from channels import notify_codes as codes
from channels import notify_news as news
from channels.crew import Crew
from channels.http_line import failure_of_network, open_session
from channels.notify_settings import NotifySettings

PUBLIC_API = "https://api.notifications.service.gov.uk"
# Notify keeps what it sent for a week, a service may have it for three days: what is older is not absent, but gone.
KEEPS = timedelta(days=2, hours=12)

T = TypeVar("T")

logging.getLogger("notifications_python_client.base").setLevel(logging.CRITICAL)


class Line:
    """One thread's client and its kept connection."""

    def __init__(self, settings: NotifySettings, base_url: str, timeout: timedelta) -> None:
        self._client = client = _Client(settings.api_key.get_secret_value(), base_url)
        client.request_session = self._session = open_session(base_url, timeout, keep=True)

    def text(self, fields: Mapping[str, Any]) -> str:
        """Send one text; Notify's id of it. Raises a DeliveryFailure."""
        return self._sent(partial(self._client.send_sms_notification, **fields), fields["reference"])

    def mail(self, fields: Mapping[str, Any]) -> str:
        """Send one mail, likewise."""
        return self._sent(partial(self._client.send_email_notification, **fields), fields["reference"])

    def listed(self, kind: str, reference: str) -> list[Mapping[str, Any]]:
        """What Notify has under a reference, the newest first. Raises a DeliveryFailure, also for what is no list."""
        told = self._ask(partial(self._client.get_all_notifications, template_type=kind, reference=reference))
        try:
            return news.listed(told, kind, reference)
        except (KeyError, TypeError, ValueError):
            raise Uncertain("Notify's answer could not be read") from None

    def keeps(self, id: str) -> bool:
        """Whether Notify has this one still. Raises a DeliveryFailure."""
        try:
            told = self._ask(partial(self._client.get_notification_by_id, id))
        except AccountRejected as failure:
            if failure.code in codes.FORGOTTEN:
                return False
            raise
        if not isinstance(told, Mapping) or told.get("id") != id:
            raise Uncertain("Notify's answer could not be read")
        return True

    def template(self, template_id: str) -> Mapping[str, Any]:
        """One template as it is there now. Raises a DeliveryFailure."""
        told = self._ask(partial(self._client.get_template, template_id))
        if not isinstance(told, Mapping) or told.get("id") != template_id:
            raise Uncertain("Notify's answer could not be read")
        return told

    def close(self) -> None:
        """Let go of the connection; safe to call twice."""
        self._session.close()

    def _sent(self, send: Callable[[], Any], reference: str) -> str:
        told = self._ask(send)
        try:
            return news.id_in(told, reference)
        except (KeyError, TypeError, ValueError):
            raise Uncertain("Notify's answer could not be read") from None

    def _ask(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except Exception as reason:  # noqa: BLE001 - every way it can fail is told apart there
            raise failure_of(reason) from None


class _Client(NotificationsAPIClient):
    def __init__(self, api_key: str, base_url: str) -> None:
        super().__init__(api_key, base_url)  # type: ignore[no-untyped-call] # typed in part
        self._path = urlsplit(base_url).path.rstrip("/")

    def _create_request_objects(self, url: str, data: Any, params: Any) -> Any:
        return super()._create_request_objects(self._path + url, data, params)  # type: ignore[no-untyped-call]


class Post:
    """One account's way to Notify: its threads, its look-ups. `kind` is `sms` or `email`."""

    def __init__(self, kind: str, settings: NotifySettings, around: Surroundings) -> None:
        base_url = settings.api_base_url or PUBLIC_API
        if around.sandbox and not is_loopback(urlsplit(base_url).hostname or ""):
            message = "in sandbox mode messages go to a stand-in on this machine and nowhere else"
            hint = "set api_base_url to the sandbox's address, or leave sandbox mode"
            raise SetupError(Problem("not_loopback", "api_base_url", message, hint))
        self._kind = kind
        self._base_url = base_url
        self.crew = Crew(
            partial(Line, settings, base_url, around.timeout), hands=settings.in_flight, name="notify"
        )

    def __repr__(self) -> str:
        return f"<the way to GOV.UK Notify at {self._base_url}>"

    def put(self, line: Line, item: Item, fields: Mapping[str, Any]) -> Receipt:
        """One message under its reference, on a thread of the crew's. Raises a DeliveryFailure."""
        send = line.text if self._kind == "sms" else line.mail
        return Receipt(send({**fields, "reference": news.reference_of(item.key, item.message.digest)}))

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """What Notify has under the attempt's own reference; None where it has nothing, and keeps it still."""
        if not attempt.key.token or datetime.now(UTC) - attempt.started_at > KEEPS:
            raise Uncertain("Notify may have forgotten it by now")
        reference = news.reference_of(attempt.key, attempt.digest)
        told = self.crew.wait_for(lambda line: line.listed(self._kind, reference))
        return news.the_one(told, attempt)

    def examine(self, template_id: str, wanted: Mapping[str, str]) -> Sequence[Problem]:
        """What is wrong with the key and the template; `wanted` are its parts and what alone stands in each."""
        try:
            template = self.crew.wait_for(lambda line: line.template(template_id))
        except AccountRejected as failure:
            told = "it has no such template" if failure.code in codes.FORGOTTEN else failure.why
            return (Problem("refused", "api_key", f"GOV.UK Notify: {told}", "docs/channels/notify.md"),)
        if template.get("type") != self._kind:
            message = f"the template at GOV.UK Notify is of another kind: {template.get('type')!s:.20}"
            return (Problem("template_kind", "template_id", message, f"name one of the kind {self._kind}"),)
        return tuple(
            Problem(
                "template_words",
                "template_id",
                f"the {part} of the template at GOV.UK Notify is not {alone} alone",
                "what stands around it nobody approved: take it out there",
            )
            for part, alone in wanted.items()
            if str(template.get(part) or "").strip() != alone
        )

    def see_forgotten(self, receipt: Receipt) -> None:
        """Nothing where Notify has it no more. Raises Transient while it has."""
        if news.is_id(receipt.provider_id) and self.crew.wait_for(
            lambda line: line.keeps(receipt.provider_id)
        ):
            raise Transient("Notify forgets messages by their age, and still has this one")


def failure_of(reason: Exception) -> DeliveryFailure:
    """What the client or the network says, in our words. Their own name addresses, so none of them is kept."""
    if isinstance(reason, DeliveryFailure):
        return reason
    if isinstance(reason, InvalidResponse):
        return Uncertain("Notify's answer could not be read")
    if isinstance(reason, APIError):
        if not isinstance(reason.response, requests.Response):
            reason = reason.__cause__ if isinstance(reason.__cause__, Exception) else reason
        else:
            error, message = news.first_error(reason.response.content)
            return codes.failure(reason.response.status_code, error, message, now=datetime.now(UTC))
    if isinstance(reason, requests.RequestException | TransportError | OSError):
        return failure_of_network(reason, "Notify")
    if isinstance(reason, ValueError | KeyError | TypeError | RecursionError):
        return Uncertain("Notify's answer could not be read")
    return Uncertain(f"the gateway failed in an unforeseen way ({type(reason).__name__})")
