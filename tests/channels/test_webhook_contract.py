"""Webhooks keep the channel contract: over real sockets, against a receiver that checks every signature."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broker.testing.channel_bench import Bench, Fault, plain
from broker.testing.channel_contract import ChannelContract
from channels.webhook import kit
from sandbox.client import RunningSandbox
from sandbox.stand_ins.webhook import SECRET
from tests.channels.stand_in_bench import NO_ADDRESS, USUAL, StandInBench

FAULTS = {
    **USUAL,
    Fault.RATE_LIMITED: "429",
    Fault.REJECTED_CONTENT: "422",
    Fault.REJECTED_ACCOUNT: "401",
}
UNSUPPORTED = {
    **NO_ADDRESS,
    Fault.BUSY: "429 is the only answer of a receiver's that proves a message was not taken and may be later",
}


class TestWebhook(ChannelContract):
    @pytest.fixture
    def bench(self, stand_ins: RunningSandbox) -> Iterator[Bench]:
        yield StandInBench(
            "webhook",
            kit,
            stand_ins,
            FAULTS,
            secrets=(SECRET, SECRET.removeprefix("whsec_")),
            unsupported=UNSUPPORTED,
            faulty=((plain("{pupil} may come."), ()), (plain(" "), ()), (plain("x" * 50_001), ())),
            digest=lambda entry: entry["sha256"],
        )
        stand_ins.control.clear()
