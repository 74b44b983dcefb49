"""What tests of Sinch share: callbacks signed as Sinch signs them, after its description and without its client."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from broker.announcement import Attachment, Content
from broker.channel import Channel, Key, Kit, Receipt, Recipient, Surroundings
from broker.delivery import Evidence
from broker.testing.channel_bench import Accepted, Callback, Fault, plain
from channels import sms
from sandbox.client import RunningSandbox
from sandbox.stand_ins import sinch
from tests.channels.stand_in_bench import closed_port

PLACE = "https://school.example/callbacks/office"
AROUND = Surroundings("school", "GB", "https://school.example", sandbox=True, timeout=timedelta(seconds=1))
STATUS = {
    Evidence.ACCEPTED: ("Dispatched", 401),
    Evidence.DELIVERED: ("Delivered", 0),
    Evidence.BOUNCED: ("Failed", 402),
}
FAULTS = {
    Fault.TIMEOUT_BEFORE: "hang-before-accept",
    Fault.LOST_AFTER_ACCEPT: "reset-after-accept",
    Fault.GARBLED_ANSWER: "changed",
    Fault.SERVER_ERROR: "500-after-accept",
    Fault.RATE_LIMITED: "429",
    Fault.REJECTED_ADDRESS: "number",
    Fault.REJECTED_CONTENT: "long",
    Fault.REJECTED_ACCOUNT: "401",
}
numbers = itertools.count(933_000_000, 1_000)


def called(told: Any, url: str = f"{PLACE}/sinch", *, secret: str = sinch.SECRET) -> Callback:
    """A callback under a good signature."""
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    signed = body + b".a-nonce.1700000000"
    mac = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return Callback(
        url,
        body,
        {
            "x-sinch-webhook-signature": b64encode(mac).decode(),
            "x-sinch-webhook-signature-nonce": "a-nonce",
            "x-sinch-webhook-signature-timestamp": "1700000000",
        },
    )


def report(token: str, batch: str, status: str, code: int = 0) -> Callback:
    """A report of one text."""
    told = {
        "type": "recipient_delivery_report_sms",
        "batch_id": batch,
        "recipient": "447911000000",
        "status": status,
        "code": code,
        "at": "2026-11-02T09:00:00.000Z",
        "client_reference": f"{token}.0123456789ab",
    }
    return called(told, f"{PLACE}/{token}")


@dataclass
class SinchBench:
    sandbox: RunningSandbox
    kit: Kit = sms.kit
    hands: int = 4
    secrets: Sequence[str] = (sinch.TOKEN, sinch.SECRET)
    unsupported: Mapping[Fault, str] = field(
        default_factory=lambda: {
            Fault.BUSY: "429 is the only answer of Sinch's that proves a text was not taken and may be taken later"
        }
    )
    faulty: Sequence[tuple[Content, Sequence[Attachment]]] = ((plain("x" * 1_000), ()), (plain(" "), ()))

    def __post_init__(self) -> None:
        self._settled = len(self.sandbox.truth())
        self._numbers = next(numbers)
        self._away = False

    def open(self) -> Channel:
        url = f"http://127.0.0.1:{closed_port()}" if self._away else self.sandbox.url("sinch")
        told = {**sinch.settings(url), "grace": sms.TRAITS.grace, "in_flight": self.hands}
        return sms.kit.open("office", sms.kit.gateways["sinch"](**told), AROUND)

    def recipient(self, number: int, names: tuple[str, ...] = ()) -> Recipient:
        return Recipient(f"+447{self._numbers + number:09d}", names)

    def order(self, fault: Fault, *, address: str = "") -> None:
        if fault is Fault.UNREACHABLE:
            self._away = True
        else:
            self.sandbox.control.order(f"sinch:{FAULTS[fault]}:{f'to={address}' if address else ''}")

    def cure(self) -> None:
        self._away = False
        self.sandbox.control.clear()

    def truth(self) -> Sequence[Accepted]:
        entries = self.sandbox.truth()[self._settled :]
        return [Accepted(entry["id"], entry["to"], entry["sha256"]) for entry in entries]

    def callback(self, key: Key, receipt: Receipt, evidence: Evidence) -> Callback:
        return report(key.token, receipt.provider_id, *STATUS[evidence])

    def signed(self, url: str, body: bytes) -> Callback:
        return called(body, url)
