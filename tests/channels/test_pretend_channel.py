"""The pretend channel keeps the contract that it is used to test others by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from broker.address import AddressKind
from broker.announcement import Attachment, Content
from broker.channel import Channel, Key, Kit, Receipt, Recipient, Surroundings
from broker.delivery import Evidence
from broker.testing.channel_bench import Accepted, Bench, Callback, Fault, plain
from broker.testing.channel_contract import ChannelContract
from broker.testing.provider import (
    LONGEST,
    SECRET,
    PretendKit,
    PretendProvider,
    pretend_news,
    signed_by_pretend,
)


class PretendBench:
    hands = 4
    unsupported: Mapping[Fault, str] = {}
    secrets: Sequence[str] = (SECRET,)
    faulty: Sequence[tuple[Content, Sequence[Attachment]]] = ((plain("x" * (LONGEST + 1)), ()),)

    def __init__(self, *, askable: bool, address_kind: AddressKind | None = AddressKind.MOBILE) -> None:
        self.provider = PretendProvider()
        self.kit: Kit = PretendKit(
            self.provider, askable=askable, address_kind=address_kind, hands=self.hands
        )

    def open(self) -> Channel:
        return self.kit.open("an account", None, Surroundings("school", "GB"))

    def recipient(self, number: int, names: tuple[str, ...] = ()) -> Recipient:
        if self.kit.traits.broadcast:
            return Recipient("")
        return Recipient(f"+4479111{number:05d}", names)

    def order(self, fault: Fault, *, address: str = "") -> None:
        self.provider.order(fault, address=address)

    def cure(self) -> None:
        self.provider.cure()

    def truth(self) -> Sequence[Accepted]:
        return self.provider.truth

    def callback(self, key: Key, receipt: Receipt, evidence: Evidence) -> Callback:
        return pretend_news(key, receipt, evidence)

    def signed(self, url: str, body: bytes) -> Callback:
        return signed_by_pretend(url, body)


class TestAskablePretendChannel(ChannelContract):
    @pytest.fixture
    def bench(self) -> Bench:
        return PretendBench(askable=True)


class TestPretendChannelThatCannotBeAsked(ChannelContract):
    @pytest.fixture
    def bench(self) -> Bench:
        return PretendBench(askable=False)


class TestPretendBroadcast(ChannelContract):
    @pytest.fixture
    def bench(self) -> Bench:
        return PretendBench(askable=False, address_kind=None)
