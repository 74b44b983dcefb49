"""A bench for the contract suite around a stand-in of `sandbox.stand_ins`, and the sandbox that they share."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from broker.announcement import Attachment, Content
from broker.channel import PUBLIC, Channel, Key, Kit, Receipt, Recipient, Surroundings
from broker.delivery import Evidence
from broker.testing.channel_bench import Accepted, Callback, Fault
from sandbox.client import RunningSandbox
from sandbox.stand_ins import found
from sandbox.truth import Entry

AROUND = Surroundings(
    "St Cecilia's", "GB", "https://news.stcecilias.org.uk", sandbox=True, timeout=timedelta(seconds=1)
)
NO_ADDRESS = {Fault.REJECTED_ADDRESS: "it speaks to no one person, so that there is no address to refuse"}
USUAL = {
    Fault.TIMEOUT_BEFORE: "hang-before-accept",
    Fault.LOST_AFTER_ACCEPT: "reset-after-accept",
    Fault.GARBLED_ANSWER: "html",
    Fault.SERVER_ERROR: "500-after-accept",
}


def public(number: int, audience: str = "") -> Recipient:
    """The public, told of the announcement with this number."""
    return replace(PUBLIC, links={"announcement": str(UUID(int=number))}, audience=audience)


def closed_port() -> int:
    """One at which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def settings_at(name: str, kit: Kit, url: str, **changed: Any) -> Any:
    """The settings of an account at a stand-in."""
    told = {**found()[name].account(url), **changed}
    del told["channel"]
    return kit.settings(**told)


def open_at(
    name: str, kit: Kit, sandbox: RunningSandbox, around: Surroundings = AROUND, **changed: Any
) -> Any:
    """A channel that speaks to a stand-in."""
    return kit.open("account", settings_at(name, kit, sandbox.url(name), **changed), around)


@dataclass
class StandInBench:
    """`faults` are the stand-in's words for the suite's; `digest` says what a look-up would recognise an entry by."""

    name: str
    kit: Kit
    sandbox: RunningSandbox
    faults: Mapping[Fault, str]
    secrets: Sequence[str]
    unsupported: Mapping[Fault, str] = field(default_factory=lambda: dict(NO_ADDRESS))
    faulty: Sequence[tuple[Content, Sequence[Attachment]]] = ()
    digest: Callable[[Entry], str] = lambda _: ""
    audience: str = ""
    changed: Mapping[str, Any] = field(default_factory=dict)
    hands: int = 1

    def __post_init__(self) -> None:
        self._settled = len(self.sandbox.truth())
        self._away = False

    def open(self) -> Channel:
        url = f"http://127.0.0.1:{closed_port()}/{self.name}" if self._away else self.sandbox.url(self.name)
        return self.kit.open("account", settings_at(self.name, self.kit, url, **self.changed), AROUND)

    def recipient(self, number: int, names: tuple[str, ...] = ()) -> Recipient:
        return replace(public(1_000 * self._settled + number, self.audience), names=names)

    def order(self, fault: Fault, *, address: str = "") -> None:
        if fault is Fault.UNREACHABLE:
            self._away = True
        else:
            self.sandbox.control.order(f"{self.name}:{self.faults[fault]}")

    def cure(self) -> None:
        self._away = False
        self.sandbox.control.clear()

    def truth(self) -> Sequence[Accepted]:
        entries = self.sandbox.truth()[self._settled :]
        return [Accepted(entry["id"], entry["to"], self.digest(entry)) for entry in entries]

    def callback(self, key: Key, receipt: Receipt, evidence: Evidence) -> Callback:
        raise AssertionError("it does not call back")

    def signed(self, url: str, body: bytes) -> Callback:
        raise AssertionError("it does not call back")
