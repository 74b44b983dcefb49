"""Texts keep the channel contract: the real SDK, over real sockets, against the stand-in and its truth."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import pytest

from broker.announcement import Attachment, Content
from broker.channel import Channel, Key, Kit, Receipt, Recipient, Surroundings
from broker.delivery import Evidence
from broker.testing.channel_bench import Accepted, Bench, Callback, Fault, plain
from broker.testing.channel_contract import ChannelContract
from channels.sms import kit
from sandbox.client import RunningSandbox
from tests.channels.twilio_support import settings, sign

FAULTS = {
    Fault.TIMEOUT_BEFORE: "hang-before-accept",
    Fault.LOST_AFTER_ACCEPT: "reset-after-accept",
    Fault.GARBLED_ANSWER: "bad-json",
    Fault.SERVER_ERROR: "500-after-accept",
    Fault.RATE_LIMITED: "429",
    Fault.REJECTED_ADDRESS: "error:code=21211",
    Fault.REJECTED_CONTENT: "error:code=21617",
    Fault.REJECTED_ACCOUNT: "401",
}
STATUS = {Evidence.ACCEPTED: "sent", Evidence.DELIVERED: "delivered", Evidence.BOUNCED: "undelivered"}
numbers = itertools.count(911_000_000, 1_000)


class TwilioBench:
    hands = 8
    unsupported: Mapping[Fault, str] = {
        Fault.BUSY: "429 is the only answer of Twilio's that proves a text was not taken and may be taken later",
    }
    faulty: Sequence[tuple[Content, Sequence[Attachment]]] = ((plain("x" * 1_000), ()), (plain(" "), ()))

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.kit: Kit = kit
        self.secrets: Sequence[str] = (sandbox.auth_token,)
        self._sandbox = sandbox
        self._settled = len(sandbox.truth())
        self._numbers = next(numbers)  # of this test's own, so that no look-up sees another test's texts
        self._away = False

    def open(self) -> Channel:
        url = f"http://127.0.0.1:{_closed_port()}" if self._away else self._sandbox.twilio_url
        around = Surroundings(
            "school", "GB", "https://school.example", sandbox=True, timeout=timedelta(seconds=1)
        )
        return kit.open("office", settings(url, in_flight=self.hands), around)

    def recipient(self, number: int, names: tuple[str, ...] = ()) -> Recipient:
        return Recipient(f"+447{self._numbers + number:09d}", names)

    def order(self, fault: Fault, *, address: str = "") -> None:
        if fault is Fault.UNREACHABLE:
            self._away = True
            return
        kind, _, options = FAULTS[fault].partition(":")
        chosen = ",".join(filter(None, (options, f"to={address}" if address else "")))
        orders = [f"twilio:{kind}:{chosen}"]
        self._sandbox.control.order(*orders)

    def cure(self) -> None:
        self._away = False
        self._sandbox.control.clear()

    def truth(self) -> Sequence[Accepted]:
        entries = self._sandbox.truth()[self._settled :]
        return [Accepted(entry["id"], entry["to"], entry["sha256"]) for entry in entries]

    def callback(self, key: Key, receipt: Receipt, evidence: Evidence) -> Callback:
        fields = {"MessageSid": receipt.provider_id, "MessageStatus": STATUS[evidence], "To": "+447911000000"}
        return sign(f"https://school.example/callbacks/office/{key.token}", fields)

    def signed(self, url: str, body: bytes) -> Callback:
        return sign(url, body)


class TestSms(ChannelContract):
    @pytest.fixture
    def bench(self, twilio: RunningSandbox) -> Iterator[Bench]:
        yield TwilioBench(twilio)
        twilio.control.clear()


def _closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
