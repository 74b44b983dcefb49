"""Text messages: rendered in the short alphabet where it can be, counted in segments, sent through a gateway.

`kit` is what the entry point `carillon.channels: sms` names.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from broker.address import AddressKind
from broker.announcement import Attachment, Content
from broker.capabilities import Confirmation, Examines, Heard, PastAttempt
from broker.channel import Item, Key, MayStart, Message, Outcome, Receipt, Recipient, Surroundings, Traits
from broker.errors import MissingExtra, Problem, SetupError
from broker.policy import Policy
from broker.retry import RetryPolicy
from channels.sms import settings_notify, settings_sinch
from channels.sms.gateway import Gateway, Wishes
from channels.sms.policies import POLICIES
from channels.sms.render import Style, check, render
from channels.sms.settings import Settings

# By kind of provider, that of an account's plain settings first; each has its gateway_<kind>.py.
GATEWAYS: Mapping[str, type[Any]] = {
    "twilio": Settings,
    "notify": settings_notify.Settings,
    "sinch": settings_sinch.Settings,
}

TRAITS = Traits(
    address_kind=AddressKind.MOBILE,
    can_reconcile=True,
    confirms_delivery=True,
    links_files=True,
    grace=timedelta(seconds=60),  # an account may set its own
)
RETRY = RetryPolicy(attempts=5, first=timedelta(seconds=15), most=timedelta(minutes=15))


class Sms:
    """Texts from one account."""

    name = "sms"
    policies: Sequence[Policy] = POLICIES
    retry = RETRY

    def __init__(
        self, account: str, gateway: Gateway, style: Style, traits: Traits = TRAITS, number: str = ""
    ) -> None:
        self.traits = traits
        self._number = number
        self._account = account
        self._gateway = gateway
        self._style = style

    def __repr__(self) -> str:
        return f"<sms account {self._account}>"

    def check(self, content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
        """Too long or empty; a link to each file counts as well."""
        return check(content, self._style)

    def render(self, content: Content, to: Recipient) -> Message:
        """The short text with the pupils' names, in the short alphabet where it can be."""
        return render(content, to, self._style)

    def send(self, message: Message, to: Recipient, *, key: Key) -> Receipt:
        """Exactly one try."""
        return self._gateway.send(Item(key, message, to))

    def send_many(
        self, items: AsyncIterable[Item], *, may_start: MayStart
    ) -> AsyncIterator[tuple[Key, Outcome]]:
        """Many tries at once over kept-alive connections."""
        return self._gateway.send_many(items, may_start=may_start)

    def cost(self, message: Message) -> Decimal:
        """Segments times the account's price of one."""
        return message.parts * self._style.price

    def sender(self) -> tuple[AddressKind, str] | None:
        """The number that people see; None for a name, or a pool of numbers."""
        return (AddressKind.MOBILE, self._number) if self._number else None

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """Ask the provider whether it got this one."""
        return self._gateway.find(attempt)

    def confirmations(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Confirmation]:
        """What the provider tells us later."""
        return self._gateway.confirmations(url, body, headers)

    def heard(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Heard]:
        """What people send to the account's number."""
        return self._gateway.heard(url, body, headers)

    def redact(self, receipt: Receipt) -> None:
        """Have the provider forget a text."""
        self._gateway.redact(receipt)

    def examine(self) -> Sequence[Problem]:
        """What is wrong with the account at its provider, where the provider can be asked."""
        return self._gateway.examine() if isinstance(self._gateway, Examines) else ()

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._gateway.close()


class SmsKit:
    """How to read settings for texts and open an account, by whichever provider its settings are of."""

    def __init__(self) -> None:
        self.name = Sms.name
        self.traits = TRAITS
        self.settings: type[Any] = Settings
        self.gateways = GATEWAYS

    def open(self, account: str, settings: Wishes, around: Surroundings) -> Sms:
        """The channel of one account. Raises SetupError when it may not talk to the address it is given."""
        if not settings.hears and around.public_url is None:
            message = "nobody can answer STOP to a name, and there is no public address for a link that does the same"
            hint = "set CARILLON_PUBLIC_URL, or let the sender be a number"
            raise SetupError(Problem("no_way_to_stop", f"{account}.sender", message, hint))
        style = Style(
            settings.transliterate,
            settings.max_segments,
            around.public_url,
            price=settings.price,
            stop_link=not settings.hears,
            prefix=settings.prefix,
        )
        traits = replace(
            TRAITS,
            grace=settings.grace,
            can_reconcile=settings.can_reconcile,
            links_files=around.public_url is not None,
        )
        return Sms(account, _gateway_of(account, settings, around), style, traits, settings.number)


def _gateway_of(account: str, settings: Wishes, around: Surroundings) -> Gateway:
    """The gateway that these settings are of. Raises MissingExtra where its package is not installed."""
    # Imported here, for an SDK's import is a third of a command's start, and `withdraw` opens no account.
    try:
        match settings:
            case settings_notify.Settings():
                from channels.sms.gateway_notify import NotifyGateway  # noqa: PLC0415

                return NotifyGateway(account, settings, around)
            case settings_sinch.Settings():
                from channels.sms.gateway_sinch import SinchGateway  # noqa: PLC0415

                return SinchGateway(account, settings, around)
            case Settings():
                from channels.sms.gateway_twilio import TwilioGateway  # noqa: PLC0415

                return TwilioGateway(account, settings, around)
    except ModuleNotFoundError as missing:
        extra = "notify" if isinstance(settings, settings_notify.Settings) else "sinch"
        message = f"this provider's gateway needs a package that is not installed: {missing.name}"
        hint = f"pip install 'carillon[{extra}]', or take the gateway out of the settings"
        raise MissingExtra(Problem("missing_extra", account, message, hint)) from None
    raise TypeError("the registry hands over what GATEWAYS made")


kit = SmsKit()
