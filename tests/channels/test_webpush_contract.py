"""Web push keeps the channel contract: real sockets, a push service that checks signatures, browsers that decrypt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from broker.channel import Recipient
from broker.testing.channel_bench import Bench, Fault, plain
from broker.testing.channel_contract import ChannelContract
from channels.webpush import kit
from channels.webpush.gateway import HANDS
from sandbox.client import RunningSandbox
from sandbox.stand_ins.webpush import KEY, address
from tests.channels.stand_in_bench import USUAL, StandInBench, closed_port

FAULTS = {
    **USUAL,
    Fault.RATE_LIMITED: "429",
    Fault.REJECTED_ADDRESS: "410",
    Fault.REJECTED_CONTENT: "413",
    Fault.REJECTED_ACCOUNT: "401",
}
UNSUPPORTED = {
    Fault.BUSY: "429 is the only answer of a push service's that proves a notification was not taken and may be later",
}


@dataclass
class PushBench(StandInBench):
    def recipient(self, number: int, names: tuple[str, ...] = ()) -> Recipient:
        about = {"announcement": str(UUID(int=1_000 * self._settled + number))}
        url = f"http://127.0.0.1:{closed_port()}" if self._away else self.sandbox.url("webpush")
        return Recipient(address(url, f"browser-{number}"), names, links=about)

    def order(self, fault: Fault, *, address: str = "") -> None:
        if not address:
            super().order(fault)
            return
        browser = address.partition(" ")[0].rpartition("/")[2]
        self.sandbox.control.order(f"webpush:{self.faults[fault]}:to={browser}")


class TestWebPush(ChannelContract):
    @pytest.fixture
    def bench(self, stand_ins: RunningSandbox) -> Iterator[Bench]:
        yield PushBench(
            "webpush",
            kit,
            stand_ins,
            FAULTS,
            secrets=(KEY,),
            unsupported=UNSUPPORTED,
            faulty=((plain("{pupil} may come."), ()), (plain(" "), ())),
            digest=lambda entry: entry["sha256"],
            hands=HANDS,
        )
        stand_ins.control.clear()
