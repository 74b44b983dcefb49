"""Mails keep the channel contract: pipelined over real sockets, against the stand-in and its truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest

from broker.announcement import Attachment, Content
from broker.channel import Channel, Key, Kit, Receipt, Recipient
from broker.delivery import Evidence
from broker.testing.channel_bench import Accepted, Bench, Callback, Fault, plain
from broker.testing.channel_contract import ChannelContract
from channels.email import kit
from sandbox.client import RunningSandbox
from tests.channels.mail_support import PASSWORD, account, closed_port, wording

FAULTS = {
    Fault.TIMEOUT_BEFORE: "hang:ms=4000",
    Fault.LOST_AFTER_ACCEPT: "lost-after-dot:",
    Fault.BUSY: "reply:code=451,text=4.3.0 Busy",
    Fault.RATE_LIMITED: "reply:stage=rcpt,code=450,text=4.7.1 Slow down",
    Fault.REJECTED_ADDRESS: "reply:stage=rcpt,code=550,text=5.1.1 No such mailbox",
    Fault.REJECTED_CONTENT: "reply:code=554,text=5.7.1 It reads like spam",
    Fault.REJECTED_ACCOUNT: "reply:stage=mail,code=550,text=5.7.1 Not from you",
}
PROGRAM = Attachment("0" * 64, "concert.exe", "application/octet-stream", b"MZ")


class MailBench:
    connections = 2
    hands = 2 * connections  # the stand-in offers PIPELINING: one ahead a connection
    secrets: Sequence[str] = (PASSWORD,)
    faulty: Sequence[tuple[Content, Sequence[Attachment]]] = (
        (plain(" "), ()),
        (wording(title=" ", long="\n"), ()),
        (plain(), (PROGRAM,)),
    )
    unsupported: Mapping[Fault, str] = {
        Fault.SERVER_ERROR: "a mail server that answers 4xx or 5xx has not accepted (RFC 5321 §4.2.1)",
        Fault.GARBLED_ANSWER: "the stand-in answers well; test_email_stages has a server that does not",
    }

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.kit: Kit = kit
        self._sandbox = sandbox
        self._settled = len(sandbox.truth())
        self._away = False

    def open(self) -> Channel:
        port = {"port": closed_port()} if self._away else {}
        return account(
            self._sandbox, connections=self.connections, username="office", password=PASSWORD, **port
        )

    def recipient(self, number: int, names: tuple[str, ...] = ()) -> Recipient:
        return Recipient(f"parent{number}@families.example", names)

    def order(self, fault: Fault, *, address: str = "") -> None:
        if fault is Fault.UNREACHABLE:
            self._away = True
            return
        chosen = f",to={address}" if address else ""
        self._sandbox.control.order(f"smtp:{FAULTS[fault]}{chosen}".replace(":,", ":"))

    def cure(self) -> None:
        self._away = False
        self._sandbox.control.clear()

    def truth(self) -> Sequence[Accepted]:
        entries = self._sandbox.truth()[self._settled :]
        return [Accepted(entry["message_id"].strip("<>"), entry["to"]) for entry in entries]

    def callback(self, key: Key, receipt: Receipt, evidence: Evidence) -> Callback:
        raise AssertionError("a mail server calls nobody back")

    def signed(self, url: str, body: bytes) -> Callback:
        raise AssertionError("a mail server calls nobody back")


class TestEmail(ChannelContract):
    @pytest.fixture
    def bench(self, mail_server: RunningSandbox) -> Iterator[Bench]:
        yield MailBench(mail_server)
        mail_server.control.clear()
