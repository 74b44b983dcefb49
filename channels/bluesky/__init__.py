"""Bluesky: public posts of one account, with the announcement's page behind them.

`kit` is what the entry point `carillon.channels: bluesky` names.
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
from channels.bluesky.policies import POLICIES
from channels.bluesky.render import Style, check, render
from channels.bluesky.settings import Settings

if TYPE_CHECKING:
    from channels.bluesky.gateway import Gateway

TRAITS = Traits(
    address_kind=None,
    can_reconcile=True,
    never_alone=True,
    grace=timedelta(seconds=30),
    wants={"following": "0", "messages": "closed"},
    asks={
        "automated": "its profile says that a program posts there, and names who runs it",
        "no_private_login": "nobody signs in to it from an account or a telephone of their own (R7)",
    },
    age=13,
    service="Bluesky",
)
RETRY = RetryPolicy(attempts=5, first=timedelta(seconds=30), most=timedelta(minutes=15))


class Bluesky:
    """Posts from one account."""

    name = "bluesky"
    policies: Sequence[Policy] = POLICIES
    retry = RETRY

    def __init__(self, account: str, gateway: Gateway, style: Style, traits: Traits) -> None:
        self.traits = traits
        self._account = account
        self._gateway = gateway
        self._style = style

    def __repr__(self) -> str:
        return f"<bluesky account {self._account}>"

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
        """Look whether there is the post under the name that this delivery gives it."""
        return self._gateway.find(attempt)

    def withdraw(self, receipt: Receipt) -> None:
        """Delete the post. Raises DeliveryFailure."""
        self._gateway.withdraw(receipt)

    def posts(self, since: datetime) -> Sequence[Post]:
        """What stands on the account since then, whoever posted it. Raises DeliveryFailure."""
        return self._gateway.posts(since)

    def posture(self) -> Posture:
        """What the account looks like now. Raises DeliveryFailure."""
        return self._gateway.posture()

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._gateway.close()


class BlueskyKit:
    """How to read settings for Bluesky and open an account."""

    def __init__(self) -> None:
        self.name = Bluesky.name
        self.traits = TRAITS
        self.settings: type[Any] = Settings

    def open(self, account: str, settings: Settings, around: Surroundings) -> Bluesky:
        """The channel of one account. Raises SetupError."""
        # Here, for no command but one that sends needs an HTTP client.
        from channels.bluesky.gateway import Gateway  # noqa: PLC0415

        traits = replace(TRAITS, grace=settings.grace)
        return Bluesky(account, Gateway(account, settings, around), Style(around.public_url), traits)


kit = BlueskyKit()
