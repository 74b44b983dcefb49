"""Ports for tests that send nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from broker.address import AddressKind
from broker.channel import Traits
from broker.ports.outside import GatewayAt
from broker.testing.provider import PretendChannel, PretendProvider
from broker.values import Hint


class NoHints:
    """A queue that is away: the sweep would find the work."""

    def publish(self, hint: Hint) -> None:
        """Lose it."""


class TraitsOnly:
    """Texts, mails and a feed by their traits alone: enough to plan, and nothing can be sent."""

    KNOWN: Mapping[str, Traits] = {
        "sms": Traits(AddressKind.MOBILE, can_reconcile=True),
        "email": Traits(AddressKind.EMAIL, carries_files=True),
        "rss": Traits(None),
    }

    CHANNEL_OF: Mapping[str, str] = {"texts": "sms", "mails": "email", "feed": "rss"}

    def names(self) -> Sequence[str]:
        """All three."""
        return tuple(self.KNOWN)

    def traits(self, channel: str) -> Traits:
        """A channel's facts."""
        return self.KNOWN[channel]

    def open(self, account: str) -> PretendChannel:
        """A channel that judges and renders; nobody in these tests sends by it."""
        return PretendChannel(self.KNOWN[self.CHANNEL_OF[account]], PretendProvider())

    def gateways(self, account: str) -> Sequence[GatewayAt]:
        """One."""
        return [GatewayAt(self.CHANNEL_OF[account], self.CHANNEL_OF[account])]

    def through(self, account: str, gateway: str) -> PretendChannel:
        """The one."""
        return self.open(account)
