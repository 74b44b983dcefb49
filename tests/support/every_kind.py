"""A world with a channel of every kind: asked and called back, neither, harmless when doubled, and posted in public."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass, field

from broker.brake import Brake
from broker.channel import Channel, Item, Key, MayStart, Outcome
from broker.ports import Ports
from broker.testing.hints import PretendHints
from broker.testing.provider import PretendChannel, PretendKit, PretendProvider
from config.signer import HmacSigner
from ledger.connect import Ledger
from tests.support.broker_world import SURROUNDINGS, PretendChannels, World
from tests.support.invariants import AtTheDoor, Had, Seen

ACCOUNTS = {"sms": "texts", "email": "mails", "rss": "feed", "twitter": "posts"}


@dataclass
class EveryKind(PretendChannels):
    """Texts that can be looked up, mails that cannot, a feed that may be doubled, posts that can be deleted."""

    feed: PretendProvider = field(default_factory=PretendProvider)
    posts: PretendProvider = field(default_factory=PretendProvider)
    door: AtTheDoor | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.kits["rss"] = PretendKit(self.feed, askable=False, harmless=True, address_kind=None)
        self.kits["twitter"] = PretendKit(self.posts, address_kind=None)

    @property
    def providers(self) -> Sequence[PretendProvider]:
        return (self.texts, self.mails, self.feed, self.posts)

    def provider(self, channel: str) -> PretendProvider:
        return {"sms": self.texts, "email": self.mails, "rss": self.feed, "twitter": self.posts}[channel]

    def open(self, account: str) -> Channel:
        if account not in self.opened:
            name = next(channel for channel, known in ACCOUNTS.items() if known == account)
            opened = self.opened[account] = self.kits[name].open(account, {}, SURROUNDINGS)
            opened.name = name
            self._have_watched(opened)
        return self.opened[account]

    def seen(self, ledger: Ledger, **more: object) -> Seen:
        """The ledger, and what these providers have."""
        truth = [Had.by_pretence(name, kept) for name in self.kits for kept in self.provider(name).truth]
        kits = {name: self.kits[name] for name in self.kits}
        traits = {name: kit.traits for name, kit in kits.items()}
        retries = {name: self.open(ACCOUNTS[name]).retry for name in kits}
        return Seen.of(ledger, truth, traits=traits, retries=retries, **more)

    def _have_watched(self, channel: PretendChannel) -> None:
        plain = channel.send_many

        def watched(items: AsyncIterable[Item], *, may_start: MayStart) -> AsyncIterator[tuple[Key, Outcome]]:
            return plain(items, may_start=self.door.watch(may_start) if self.door else may_start)

        channel.send_many = watched  # type: ignore[method-assign]


def world_of_every_kind(ledger: Ledger, signer: HmacSigner) -> World:
    """A world whose provider calls are witnessed."""
    channels, hints = EveryKind(), PretendHints()
    channels.door = AtTheDoor(ledger)
    return World(ledger, channels, hints, Ports(ledger, hints, signer, channels), Brake(ledger))
