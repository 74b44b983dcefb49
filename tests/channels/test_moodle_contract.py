"""Discussions keep the channel contract: over real sockets, against a stand-in that answers 200 whatever happened."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broker.testing.channel_bench import Bench, Fault, plain
from broker.testing.channel_contract import ChannelContract
from channels.moodle import kit
from channels.moodle.render import digest_of
from sandbox.client import RunningSandbox
from sandbox.stand_ins.moodle import TOKEN
from tests.channels.stand_in_bench import NO_ADDRESS, USUAL, StandInBench

FAULTS = {
    **USUAL,
    Fault.BUSY: "maintenance",
    Fault.RATE_LIMITED: "429",
    Fault.REJECTED_CONTENT: "invalid",
    Fault.REJECTED_ACCOUNT: "401",
}


class TestMoodle(ChannelContract):
    @pytest.fixture
    def bench(self, stand_ins: RunningSandbox) -> Iterator[Bench]:
        yield StandInBench(
            "moodle",
            kit,
            stand_ins,
            FAULTS,
            secrets=(TOKEN,),
            unsupported=NO_ADDRESS,
            faulty=((plain("{pupil} may come."), ()), (plain(" "), ()), (plain("x" * 100_001), ())),
            digest=lambda entry: digest_of(entry["subject"], entry["body"]),
            changed={"grace": 60},
        )
        stand_ins.control.clear()
