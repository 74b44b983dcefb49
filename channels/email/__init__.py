"""Mail: one recipient a message, text and HTML from Markdown, over kept connections to the school's mail server.

`kit` is what the entry point `carillon.channels: email` names.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from broker.address import AddressKind
from broker.announcement import Attachment, Content
from broker.channel import Item, Key, MayStart, Message, Outcome, Receipt, Recipient, Surroundings, Traits
from broker.errors import MissingExtra, Problem, SetupError
from broker.loopback import is_loopback
from broker.retry import RetryPolicy
from channels.email import policies, settings_notify
from channels.email.connecting import Route
from channels.email.gateway_smtp import Gateway
from channels.email.letter import House
from channels.email.render import Renderer
from channels.email.settings import Settings

if TYPE_CHECKING:
    from channels.email.gateway_notify import NotifyMails

# By kind, that of an account's plain settings first.
GATEWAYS: Mapping[str, type[Any]] = {"smtp": Settings, "notify": settings_notify.Settings}

TRAITS = Traits(address_kind=AddressKind.EMAIL, carries_files=True, window=20)

# Servers that greylist want a second try after minutes, and a mail server may be down for an evening.
RETRY = RetryPolicy(attempts=12, first=timedelta(seconds=30), most=timedelta(minutes=30))


class Email:
    """One mail account."""

    name = "email"
    traits = TRAITS
    policies = policies.POLICIES
    retry = RETRY

    def __init__(self, account: str, house: House, route: Route) -> None:
        self._account = account
        self._renderer = Renderer(house)
        self._gateway = Gateway(house, route)
        self._sender = house.sender

    def __repr__(self) -> str:
        return f"<email account {self._account}>"

    def check(self, content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
        """What is wrong with this wording as a mail."""
        return policies.check(content, attachments)

    def render(self, content: Content, to: Recipient) -> Message:
        """The mail for one recipient. Fields: subject, text, html, attachments (names)."""
        return self._renderer.render(content, to)

    def send(self, message: Message, to: Recipient, *, key: Key) -> Receipt:
        """Exactly one try. Raises a DeliveryFailure."""
        return self._gateway.send(Item(key, message, to))

    def send_many(
        self, items: AsyncIterable[Item], *, may_start: MayStart
    ) -> AsyncIterator[tuple[Key, Outcome]]:
        """Send a stream of mails, on the running loop."""
        return self._gateway.send_many(items, may_start)

    def sender(self) -> tuple[AddressKind, str] | None:
        """The email that people see."""
        return AddressKind.EMAIL, self._sender

    def close(self) -> None:
        """Let go of the connections."""
        self._gateway.close()


class EmailKit:
    """How to open a mail account."""

    name = "email"
    traits = TRAITS
    settings = Settings
    gateways = GATEWAYS

    def open(
        self, account: str, settings: Settings | settings_notify.Settings, around: Surroundings
    ) -> Email | NotifyMails:
        """The channel for one account. Raises SetupError with every fault, MissingExtra where a package is missing."""
        if isinstance(settings, settings_notify.Settings):
            return _by_notify(account, settings, around)
        problems: list[Problem] = []
        if around.sandbox and not is_loopback(settings.host):
            message, hint = "the sandbox sends to this machine alone", "name 127.0.0.1, or leave the sandbox"
            problems.append(Problem("not_loopback", f"{account}.host", message, hint))
        tls: ssl.SSLContext | None = None
        try:
            if settings.security != "none":
                tls = ssl.create_default_context(cafile=settings.ca_file)
        except OSError:
            hint = "it must hold certificates in PEM"
            problems.append(
                Problem("bad_ca_file", f"{account}.ca_file", "cannot be read as certificates", hint)
            )
        if problems:
            raise SetupError(problems)
        house = House(
            around.school,
            settings.sender,
            settings.sender_name or around.school,
            settings.reply_to,
            settings.return_path or "",
        )
        return Email(account, house, Route(settings, settings.timeout or around.timeout, tls, house.domain))


def _by_notify(account: str, settings: settings_notify.Settings, around: Surroundings) -> NotifyMails:
    try:
        # Here and not above: it is optional, and everything else runs without its package.
        from channels.email.gateway_notify import NotifyMails  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        message = f"GOV.UK Notify needs a package that is not installed: {missing.name}"
        hint = "pip install 'carillon[notify]', or take the gateway out of the settings"
        raise MissingExtra(Problem("missing_extra", account, message, hint)) from None
    return NotifyMails(account, settings, around)


kit = EmailKit()
