"""A bridge to rooms that Apprise knows: staff notices, where it is enough that somebody reads them.

`kit` is what the entry point `carillon.channels: apprise` names. Without the extra `apprise` all of this can be
asked; only an account cannot be opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from broker.announcement import Attachment, Content
from broker.channel import Item, Key, Message, Receipt, Recipient, Surroundings, Traits
from broker.errors import MissingExtra, Problem, SetupError
from broker.loopback import is_loopback
from broker.policy import Policy
from broker.retry import RetryPolicy
from channels.apprise.policies import POLICIES
from channels.apprise.render import check, render
from channels.apprise.settings import Settings

if TYPE_CHECKING:
    from channels.apprise.gateway import Gateway

TRAITS = Traits(
    address_kind=None,
    never_alone=True,
    asks={
        "staff_room": "who reads the room are staff alone, and somebody keeps its members (R4)",
        "room_owned": "the room and its address belong to the school, and not to one person (R7)",
    },
    service="a chat of the staff's",
)
RETRY = RetryPolicy(attempts=5, first=timedelta(seconds=30), most=timedelta(minutes=15))


class Bridge:
    """Posts notices to one room."""

    name = "apprise"
    traits = TRAITS
    policies: Sequence[Policy] = POLICIES
    retry = RETRY

    def __init__(self, account: str, gateway: Gateway, public_url: str | None) -> None:
        self._account = account
        self._gateway = gateway
        self._public_url = public_url

    def __repr__(self) -> str:
        return f"<apprise account {self._account}>"

    def check(self, content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
        """Empty, personal or too long for the room. Attachments stay with the channels that carry them."""
        return check(content, self._public_url, self._gateway.most)

    def render(self, content: Content, to: Recipient) -> Message:
        """Title, words and page."""
        return render(content, to, self._public_url)

    def send(self, message: Message, to: Recipient, *, key: Key) -> Receipt:
        """Exactly one try."""
        return self._gateway.send(Item(key, message, to))

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._gateway.close()


class BridgeKit:
    """How to read settings for a room and open an account."""

    def __init__(self) -> None:
        self.name = Bridge.name
        self.traits = TRAITS
        self.settings: type[Any] = Settings

    def open(self, account: str, settings: Settings, around: Surroundings) -> Bridge:
        """The channel of one account. Raises SetupError, MissingExtra where Apprise is not installed."""
        try:
            # Here and not above: the bridge is optional, and everything else runs without Apprise.
            from channels.apprise.gateway import Gateway  # noqa: PLC0415
        except ModuleNotFoundError as missing:
            message = f"an account of the bridge needs a package that is not installed: {missing.name}"
            hint = "pip install 'carillon[apprise]', or take the account out of the settings"
            raise MissingExtra(Problem("missing_extra", account, message, hint)) from None
        if around.sandbox and not is_loopback(settings.host):
            message = "in sandbox mode notices go to a stand-in on this machine and nowhere else"
            hint = "set address to the sandbox's, or leave sandbox mode"
            raise SetupError(Problem("not_loopback", f"{account}.address", message, hint))
        gateway = Gateway(account, settings, around.timeout, sandbox=around.sandbox)
        return Bridge(account, gateway, around.public_url)


kit = BridgeKit()
