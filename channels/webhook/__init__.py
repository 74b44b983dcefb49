"""Webhooks: an announcement as one signed POST to an address that the school lists, for screens and other systems.

`kit` is what the entry point `carillon.channels: webhook` names.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from broker.announcement import Attachment, Content
from broker.channel import Item, Key, Message, Receipt, Recipient, Surroundings, Traits
from broker.errors import Problem, SetupError
from broker.loopback import is_loopback
from broker.policy import Policy
from broker.retry import RetryPolicy
from channels.webhook import policies
from channels.webhook.render import render
from channels.webhook.settings import Settings

if TYPE_CHECKING:
    from channels.webhook.gateway import Gateway

# A message keeps its id through every try, so that a second one is not heard. Nobody can be asked for it.
TRAITS = Traits(
    address_kind=None,
    duplicates_harmless=True,
    grace=timedelta(seconds=30),
    asks={
        "receiver_known": "who runs the receiver is known, and where what it is told is shown",
        "receiver_checks": "the receiver refuses what is not signed, and takes one message twice for one",
    },
)
RETRY = RetryPolicy(attempts=8, first=timedelta(seconds=15), most=timedelta(minutes=15))


class Webhook:
    """Tells one receiver."""

    name = "webhook"
    traits = TRAITS
    policies: Sequence[Policy] = policies.POLICIES
    retry = RETRY

    def __init__(self, account: str, gateway: Gateway, school: str, public_url: str | None) -> None:
        self._account = account
        self._gateway = gateway
        self._school = school
        self._public_url = public_url

    def __repr__(self) -> str:
        return f"<webhook account {self._account}>"

    def check(self, content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
        """Empty, personal or endless. Attachments stay with the channels that carry them."""
        return policies.check(content)

    def render(self, content: Content, to: Recipient) -> Message:
        """Title, summary, text and HTML, under the announcement's id."""
        return render(content, to, self._school, self._public_url)

    def send(self, message: Message, to: Recipient, *, key: Key) -> Receipt:
        """Exactly one try."""
        return self._gateway.send(Item(key, message, to))

    def withdraw(self, receipt: Receipt) -> None:
        """Tell the receiver that it is taken back. Raises DeliveryFailure."""
        self._gateway.withdraw(receipt)

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._gateway.close()


class WebhookKit:
    """How to read a receiver's settings and open an account for it."""

    def __init__(self) -> None:
        self.name = Webhook.name
        self.traits = TRAITS
        self.settings: type[Any] = Settings

    def open(self, account: str, settings: Settings, around: Surroundings) -> Webhook:
        """The channel of one account. Raises SetupError with every fault."""
        # Here, for no command but one that sends needs an HTTP client.
        from channels.calling import Caller  # noqa: PLC0415
        from channels.webhook.gateway import Gateway  # noqa: PLC0415

        parts = urlsplit(settings.address)
        problems = [*_not_here(account, parts.hostname or "", around), *_no_certificates(account, settings)]
        if problems:
            raise SetupError(problems)
        reach, ca_file = settings.reach(sandbox=around.sandbox), settings.ca_file
        base = f"{parts.scheme}://{parts.netloc}"
        line = Caller(base, around.timeout, "the receiver", reach=reach, ca_file=ca_file)
        path = parts.path.removeprefix("/") + (f"?{parts.query}" if parts.query else "")
        public_url = around.public_url.rstrip("/") if around.public_url else None
        return Webhook(account, Gateway(line, path, settings.keys()), around.school, public_url)


def _not_here(account: str, host: str, around: Surroundings) -> Sequence[Problem]:
    if not around.sandbox or is_loopback(host):
        return ()
    message = "in sandbox mode a stand-in on this machine is told and nobody else"
    hint = "set address to the sandbox's, or leave sandbox mode"
    return (Problem("not_loopback", f"{account}.address", message, hint),)


def _no_certificates(account: str, settings: Settings) -> Sequence[Problem]:
    try:
        if settings.ca_file is not None:
            ssl.create_default_context(cafile=str(settings.ca_file))
    except OSError:
        hint = "it must hold certificates in PEM"
        return (Problem("bad_ca_file", f"{account}.ca_file", "cannot be read as certificates", hint),)
    return ()


kit = WebhookKit()
