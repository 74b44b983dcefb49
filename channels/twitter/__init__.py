"""X: public posts of one account, with the announcement's page behind them. One way among others, never the only one.

`kit` is what the entry point `carillon.channels: twitter` names. Without the extra `x` all of this can be asked and
rendered; only an account cannot be opened.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from broker.announcement import Attachment, Content
from broker.capabilities import PastAttempt, Post, Posture
from broker.channel import Item, Key, Message, Receipt, Recipient, Surroundings, Traits
from broker.errors import MissingExtra, Problem
from broker.policy import Policy
from broker.retry import RetryPolicy
from channels.twitter.policies import POLICIES
from channels.twitter.render import Style, check, cost, quoted_post, render
from channels.twitter.settings import Settings

if TYPE_CHECKING:
    from channels.twitter.gateway import Gateway

TRAITS = Traits(
    address_kind=None,
    can_reconcile=True,
    never_alone=True,
    # A timeline may be a minute behind what was posted; an account may set its own.
    grace=timedelta(seconds=90),
    wants={"following": "0", "as_declared": "yes"},
    asks={
        "automated": "the account is labelled as automated at X, and names who runs it",
        "messages_closed": "nobody can send it a direct message (R4)",
        "no_private_login": "nobody signs in to it from an account or a telephone of their own (R7)",
    },
    age=13,
    service="X",
)
RETRY = RetryPolicy(attempts=5, first=timedelta(seconds=30), most=timedelta(minutes=15))


class Twitter:
    """Posts from one account."""

    name = "twitter"
    policies: Sequence[Policy] = POLICIES
    retry = RETRY

    def __init__(self, account: str, gateway: Gateway, style: Style, traits: Traits) -> None:
        self.traits = traits
        self._account = account
        self._gateway = gateway
        self._style = style

    def __repr__(self) -> str:
        return f"<twitter account {self._account}>"

    def check(self, content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
        """Too long, empty, personal, or a quote that cannot be. Attachments stay with the channels that carry them."""
        return check(content, self._style)

    def verify(self, content: Content, quotable: Collection[str]) -> Sequence[Problem]:
        """Whether there is the post that the wording quotes, in X's own words of today, and its author is listed."""
        quoted = quoted_post(content)
        return () if quoted is None else self._gateway.verify_quoted(quoted, quotable)

    def render(self, content: Content, to: Recipient) -> Message:
        """The short text with the link to the announcement's page."""
        return render(content, to, self._style)

    def cost(self, message: Message) -> Decimal:
        """The account's price of a post, or of one with a link."""
        return cost(message, self._style)

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


class TwitterKit:
    """How to read settings for X and open an account."""

    def __init__(self) -> None:
        self.name = Twitter.name
        self.traits = TRAITS
        self.settings: type[Any] = Settings

    def open(self, account: str, settings: Settings, around: Surroundings) -> Twitter:
        """The channel of one account. Raises SetupError, MissingExtra where tweepy is not installed."""
        try:
            # Here and not above: X is optional, and everything else runs without tweepy.
            from channels.twitter.gateway import Gateway  # noqa: PLC0415
        except ModuleNotFoundError as missing:
            message = f"an account of X's needs a package that is not installed: {missing.name}"
            hint = "pip install 'carillon[x]', or take the account out of the settings"
            raise MissingExtra(Problem("missing_extra", account, message, hint)) from None
        public_url = around.public_url.rstrip("/") if around.public_url else None
        style = Style(
            public_url,
            quotes=settings.plan == "enterprise",
            price=settings.price,
            link_price=settings.link_price,
        )
        traits = replace(TRAITS, grace=settings.grace)
        return Twitter(account, Gateway(account, settings, around), style, traits)


kit = TwitterKit()
