"""Cards keep the channel contract: over real sockets, against workflows that tell no more than that they began."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broker.testing.channel_bench import Bench, Fault, plain
from broker.testing.channel_contract import ChannelContract
from channels.teams import kit
from sandbox.client import RunningSandbox
from sandbox.stand_ins.teams import SIGNATURE
from tests.channels.stand_in_bench import NO_ADDRESS, USUAL, StandInBench

FAULTS = {
    **USUAL,
    Fault.RATE_LIMITED: "429",
    Fault.REJECTED_CONTENT: "schema",
    Fault.REJECTED_ACCOUNT: "off",
}
UNSUPPORTED = {
    **NO_ADDRESS,
    Fault.BUSY: "429 is the only answer that proves that no run began and one may later",
}


class TestTeams(ChannelContract):
    @pytest.fixture
    def bench(self, stand_ins: RunningSandbox) -> Iterator[Bench]:
        yield StandInBench(
            "teams",
            kit,
            stand_ins,
            FAULTS,
            secrets=(SIGNATURE,),
            unsupported=UNSUPPORTED,
            faulty=((plain("{pupil} may come."), ()), (plain(" "), ()), (plain("x" * 21_000), ())),
            digest=lambda entry: entry["sha256"],
        )
        stand_ins.control.clear()
