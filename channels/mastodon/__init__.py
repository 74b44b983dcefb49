"""Mastodon: public posts of one account on a server of the school's choosing, with the announcement's page behind them.

`kit` is what the entry point `carillon.channels: mastodon` names. Without the extra `mastodon` all of this can be asked
and rendered; only an account cannot be opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from broker.announcement import Attachment, Content
from broker.capabilities import PastAttempt, Post, Posture
from broker.channel import Item, Key, Message, Receipt, Recipient, Surroundings, Traits
from broker.errors import MissingExtra, Problem
from broker.policy import Policy
from broker.retry import RetryPolicy
from channels.mastodon.policies import POLICIES
from channels.mastodon.render import Style, check, render
from channels.mastodon.settings import Settings

if TYPE_CHECKING:
    from channels.mastodon.gateway import Gateway

TRAITS = Traits(
    address_kind=None,
    can_reconcile=True,
    never_alone=True,
    grace=timedelta(seconds=60),
    wants={"following": "0", "automated": "yes"},
    asks={
        "messages_closed": "private mentions by strangers are ignored (Preferences, Notifications), so that nobody"
        " can message it (R4)",
        "no_private_login": "nobody signs in to it from an account or a telephone of their own (R7)",
    },
    age=16,  # of mastodon.social, the largest; a server's own terms may ask less
    service="Mastodon",
)
RETRY = RetryPolicy(attempts=5, first=timedelta(seconds=30), most=timedelta(minutes=15))


class Mastodon:
    """Posts from one account."""

    name = "mastodon"
    policies: Sequence[Policy] = POLICIES
    retry = RETRY

    def __init__(self, account: str, gateway: Gateway, style: Style, traits: Traits) -> None:
        self.traits = traits
        self._account = account
        self._gateway = gateway
        self._style = style

    def __repr__(self) -> str:
        return f"<mastodon account {self._account}>"

    def check(self, content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
        """Too long, empty, personal, or a mention. Attachments stay with the channels that carry them."""
        return check(content, self._style)

    def render(self, content: Content, to: Recipient) -> Message:
        """The short text with the link to the announcement's page."""
        return render(content, to, self._style)

    def send(self, message: Message, to: Recipient, *, key: Key) -> Receipt:
        """Exactly one try."""
        return self._gateway.send(Item(key, message, to))

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """Look for the post among the account's own."""
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


class MastodonKit:
    """How to read settings for Mastodon and open an account."""

    def __init__(self) -> None:
        self.name = Mastodon.name
        self.traits = TRAITS
        self.settings: type[Any] = Settings

    def open(self, account: str, settings: Settings, around: Surroundings) -> Mastodon:
        """The channel of one account. Raises SetupError, MissingExtra where Mastodon.py is not installed."""
        try:
            # Here and not above: Mastodon is optional, and everything else runs without Mastodon.py.
            from channels.mastodon.gateway import Gateway  # noqa: PLC0415
        except ModuleNotFoundError as missing:
            message = f"an account at Mastodon needs a package that is not installed: {missing.name}"
            hint = "pip install 'carillon[mastodon]', or take the account out of the settings"
            raise MissingExtra(Problem("missing_extra", account, message, hint)) from None
        style = Style(around.public_url, settings.longest)
        traits = replace(TRAITS, grace=settings.grace)
        return Mastodon(account, Gateway(account, settings, around), style, traits)


kit = MastodonKit()
