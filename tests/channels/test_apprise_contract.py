"""The bridge keeps the channel contract: real Apprise over real sockets, against one of the rooms that it posts to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broker.testing.channel_bench import Bench, Fault, plain
from broker.testing.channel_contract import ChannelContract
from channels.apprise import kit
from sandbox.client import RunningSandbox
from sandbox.stand_ins.apprise import TOKEN
from tests.channels.stand_in_bench import NO_ADDRESS, USUAL, StandInBench

YES_OR_NO = "Apprise tells only yes or no, and few statuses prove that nothing was posted"
UNSUPPORTED = {
    **NO_ADDRESS,
    Fault.BUSY: YES_OR_NO,
    Fault.REJECTED_CONTENT: YES_OR_NO,
}


class TestApprise(ChannelContract):
    @pytest.fixture
    def bench(self, stand_ins: RunningSandbox) -> Iterator[Bench]:
        yield StandInBench(
            "apprise",
            kit,
            stand_ins,
            {**USUAL, Fault.REJECTED_ACCOUNT: "401", Fault.RATE_LIMITED: "429"},
            secrets=(TOKEN,),
            unsupported=UNSUPPORTED,
            faulty=((plain("{pupil} may come."), ()), (plain(" "), ()), (plain("x" * 4_000), ())),
            digest=lambda entry: entry["sha256"],
        )
        stand_ins.control.clear()
