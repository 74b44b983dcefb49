"""Posts keep the channel contract: real tweepy, over real sockets, against the stand-in and its truth."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from broker.announcement import Attachment, Content
from broker.channel import Channel, Key, Kit, Receipt, Recipient
from broker.delivery import Evidence
from broker.testing.channel_bench import Accepted, Bench, Callback, Fault, plain
from broker.testing.channel_contract import ChannelContract
from channels.posts import digest_of
from channels.twitter import kit
from sandbox.client import RunningSandbox
from tests.channels.twitter_support import AROUND, public, settings

FAULTS = {
    Fault.TIMEOUT_BEFORE: "hang-before-accept",
    Fault.LOST_AFTER_ACCEPT: "reset-after-accept",
    Fault.GARBLED_ANSWER: "bad-json",
    Fault.SERVER_ERROR: "500-after-accept",
    Fault.RATE_LIMITED: "429",
    Fault.REJECTED_CONTENT: "invalid",
    Fault.REJECTED_ACCOUNT: "401",
}
numbers = itertools.count(1_000, 1_000)


class XBench:
    hands = 1
    unsupported: Mapping[Fault, str] = {
        Fault.BUSY: "429 is the only answer of X's that proves a post was not taken and may be taken later",
        Fault.REJECTED_ADDRESS: "a post is to the public, which has no address",
    }
    faulty: Sequence[tuple[Content, Sequence[Attachment]]] = (
        (plain("x" * 281), ()),
        (plain(" "), ()),
        (plain("{pupil} may come."), ()),
    )

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.kit: Kit = kit
        self.secrets: Sequence[str] = (
            sandbox.x.consumer_secret,
            sandbox.x.access_token_secret,
            sandbox.x.access_token,
            sandbox.x.consumer_key,
        )
        self._sandbox = sandbox
        self._settled = len(sandbox.truth())
        self._numbers = next(numbers)  # announcements of this test's own
        self._away = False

    def open(self) -> Channel:
        url = f"http://127.0.0.1:{_closed_port()}" if self._away else self._sandbox.x_url
        return kit.open("music", settings(url), AROUND)

    def recipient(self, number: int, names: tuple[str, ...] = ()) -> Recipient:
        return replace(public(self._numbers + number), names=names)

    def order(self, fault: Fault, *, address: str = "") -> None:
        if fault is Fault.UNREACHABLE:
            self._away = True
            return
        self._sandbox.control.order(f"x:{FAULTS[fault]}")

    def cure(self) -> None:
        self._away = False
        self._sandbox.control.clear()

    def truth(self) -> Sequence[Accepted]:
        entries = self._sandbox.truth()[self._settled :]
        return [Accepted(entry["id"], entry["to"], digest_of(entry["body"])) for entry in entries]

    def callback(self, key: Key, receipt: Receipt, evidence: Evidence) -> Callback:
        raise AssertionError("X does not call back")

    def signed(self, url: str, body: bytes) -> Callback:
        raise AssertionError("X does not call back")


class TestTwitter(ChannelContract):
    @pytest.fixture
    def bench(self, x: RunningSandbox) -> Iterator[Bench]:
        # X itself takes no text twice; the suite asks what becomes of one that was.
        x.control.account_at_x(duplicates=True)
        yield XBench(x)
        x.control.clear()
        x.control.account_at_x(duplicates=False)


def _closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
