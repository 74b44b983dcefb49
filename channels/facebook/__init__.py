"""Facebook: public posts of one page, with the announcement's page behind them.

`kit` is what the entry point `carillon.channels: facebook` names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from broker.announcement import Attachment, Content
from broker.capabilities import PastAttempt, Post, Posture
from broker.channel import Item, Key, Message, Receipt, Recipient, Surroundings, Traits
from broker.errors import Problem
from broker.policy import Policy
from broker.retry import RetryPolicy
from channels.facebook.policies import POLICIES
from channels.facebook.render import Style, check, render
from channels.facebook.settings import Settings

if TYPE_CHECKING:
    from channels.facebook.gateway import Gateway

TRAITS = Traits(
    address_kind=None,
    can_reconcile=True,
    never_alone=True,
    grace=timedelta(seconds=60),
    wants={"published": "yes"},
    asks={
        "messages_closed": "nobody can send the page a message (R4): messaging is switched off in its settings",
        "follows_nobody": "the page follows and likes nobody (R6)",
        "no_private_login": "whoever manages it does so by the school's business account, never from an account or a"
        " telephone of their own alone (R7)",
    },
    age=13,
    service="Facebook",
)
RETRY = RetryPolicy(attempts=5, first=timedelta(seconds=30), most=timedelta(minutes=15))


class Facebook:
    """Posts from one page."""

    name = "facebook"
    policies: Sequence[Policy] = POLICIES
    retry = RETRY

    def __init__(self, account: str, gateway: Gateway, style: Style, traits: Traits) -> None:
        self.traits = traits
        self._account = account
        self._gateway = gateway
        self._style = style

    def __repr__(self) -> str:
        return f"<facebook account {self._account}>"

    def check(self, content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
        """Too long, empty or personal. Attachments stay with the channels that carry them."""
        return check(content, self._style)

    def render(self, content: Content, to: Recipient) -> Message:
        """The short text with the link to the announcement's page."""
        return render(content, to, self._style)

    def send(self, message: Message, to: Recipient, *, key: Key) -> Receipt:
        """Exactly one try."""
        return self._gateway.send(Item(key, message, to))

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """Look for the post among the page's own."""
        return self._gateway.find(attempt)

    def withdraw(self, receipt: Receipt) -> None:
        """Delete the post. Raises DeliveryFailure."""
        self._gateway.withdraw(receipt)

    def posts(self, since: datetime) -> Sequence[Post]:
        """What stands on the page since then, whoever posted it in its name. Raises DeliveryFailure."""
        return self._gateway.posts(since)

    def posture(self) -> Posture:
        """What the page looks like now. Raises DeliveryFailure."""
        return self._gateway.posture()

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._gateway.close()


class FacebookKit:
    """How to read settings for Facebook and open an account."""

    def __init__(self) -> None:
        self.name = Facebook.name
        self.traits = TRAITS
        self.settings: type[Any] = Settings

    def open(self, account: str, settings: Settings, around: Surroundings) -> Facebook:
        """The channel of one account. Raises SetupError."""
        # Here, for no command but one that sends needs an HTTP client.
        from channels.facebook.gateway import Gateway  # noqa: PLC0415

        traits = replace(TRAITS, grace=settings.grace)
        return Facebook(account, Gateway(account, settings, around), Style(around.public_url), traits)


kit = FacebookKit()
