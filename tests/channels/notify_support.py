"""What tests of GOV.UK Notify share: callbacks as the web door hands them on, and a bench for texts and mails."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any

from broker.announcement import Attachment, Content, Part
from broker.channel import Channel, Key, Kit, Receipt, Recipient, Surroundings, Traits
from broker.delivery import Evidence
from broker.testing.channel_bench import Accepted, Callback, Fault, plain
from channels import email, sms
from channels.email import settings_notify
from channels.email.gateway_notify import TRAITS
from channels.notify_news import reference_of
from sandbox.client import RunningSandbox
from sandbox.stand_ins import notify
from sandbox.truth import Entry
from tests.channels.stand_in_bench import closed_port

PLACE = "https://school.example/callbacks/office/notify"
AROUND = Surroundings("school", "GB", "https://school.example", sandbox=True, timeout=timedelta(seconds=1))
STATUS = {
    Evidence.ACCEPTED: "sending",
    Evidence.DELIVERED: "delivered",
    Evidence.BOUNCED: "permanent-failure",
}
FAULTS = {
    Fault.TIMEOUT_BEFORE: "hang-before-accept",
    Fault.LOST_AFTER_ACCEPT: "reset-after-accept",
    Fault.GARBLED_ANSWER: "html",
    Fault.SERVER_ERROR: "500-after-accept",
    Fault.RATE_LIMITED: "429",
    Fault.REJECTED_ADDRESS: "number",
    Fault.REJECTED_CONTENT: "long",
    Fault.REJECTED_ACCOUNT: "403",
}
numbers = itertools.count(922_000_000, 1_000)


def called(told: Any, *, url: str = PLACE, token: str = notify.CALLBACK_TOKEN) -> Callback:
    """A callback as the door hands it on: of its bearer token the digest alone."""
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    digest = sha256(f"Bearer {token}".encode()).hexdigest()
    return Callback(url, body, {"content-type": "application/json", "authorization-digest": digest})


@dataclass
class NotifyBench:
    """`kind` is what Notify calls it."""

    kit: Kit
    settings: Any
    sandbox: RunningSandbox
    kind: str
    hands: int = 4
    secrets: Sequence[str] = (notify.SECRET, notify.CALLBACK_TOKEN)
    unsupported: Mapping[Fault, str] = field(
        default_factory=lambda: {
            Fault.BUSY: "429 is the only answer of Notify's that proves a message was not taken and may be later"
        }
    )
    faulty: Sequence[tuple[Content, Sequence[Attachment]]] = ((plain(" "), ()),)
    _digests: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._settled = len(self.sandbox.truth())
        self._numbers = next(numbers)
        self._away = False

    def open(self) -> Channel:
        url = f"http://127.0.0.1:{closed_port()}" if self._away else self.sandbox.url("notify")
        told = self.settings.model_copy(update={"api_base_url": url, "in_flight": self.hands})
        return self.kit.open("office", told, AROUND)

    def recipient(self, number: int, names: tuple[str, ...] = ()) -> Recipient:
        if self.kind == "sms":
            return Recipient(f"+447{self._numbers + number:09d}", names)
        return Recipient(f"parent{self._numbers + number}@families.example", names)

    def order(self, fault: Fault, *, address: str = "") -> None:
        if fault is Fault.UNREACHABLE:
            self._away = True
            return
        kind = "address" if self.kind == "email" and fault is Fault.REJECTED_ADDRESS else FAULTS[fault]
        self.sandbox.control.order(f"notify:{kind}:{f'to={address}' if address else ''}")

    def cure(self) -> None:
        self._away = False
        self.sandbox.control.clear()

    def truth(self) -> Sequence[Accepted]:
        entries = self.sandbox.truth()[self._settled :]
        return [Accepted(entry["id"], entry["to"], self._digest(entry)) for entry in entries]

    def _digest(self, entry: Entry) -> str:
        if self.kind == "sms":
            return str(entry["sha256"])
        return sha256(f"{entry['subject']}\0{entry['body']}".encode()).hexdigest()

    def callback(self, key: Key, receipt: Receipt, evidence: Evidence) -> Callback:
        return called(
            {
                "id": receipt.provider_id,
                "reference": reference_of(key, "0" * 64),
                "to": "+447911000000",
                "status": STATUS[evidence],
                "notification_type": self.kind,
            }
        )

    def signed(self, url: str, body: bytes) -> Callback:
        return called(body, url=PLACE)


@dataclass
class MailKit:
    """The kit of mails as one of its gateways shows it: what SMTP can do and what Notify can differ."""

    name: str = "email"
    traits: Traits = TRAITS
    settings: type[Any] = settings_notify.Settings

    def open(self, account: str, settings: Any, around: Surroundings) -> Channel:
        return email.kit.open(account, settings, around)


def mails(sandbox: RunningSandbox) -> NotifyBench:
    """For mails."""
    told = notify.mail_settings(sandbox.url("notify"))
    made = settings_notify.Settings(**told).model_copy(update={"grace": TRAITS.grace})
    nothing = Content(1, "", {Part.LONG: " "})
    return NotifyBench(MailKit(), made, sandbox, "email", faulty=((nothing, ()),))


def texts(sandbox: RunningSandbox, **changed: Any) -> NotifyBench:
    """For texts."""
    told = {**notify.settings(sandbox.url("notify")), **changed}
    made = sms.kit.gateways["notify"](**told)
    return NotifyBench(sms.kit, made.model_copy(update={"grace": sms.TRAITS.grace}), sandbox, "sms")
