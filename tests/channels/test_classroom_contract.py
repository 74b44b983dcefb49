"""Announcements at Classroom keep the channel contract: over real sockets, signed in as Google has it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broker.testing.channel_bench import Bench, Fault, plain
from broker.testing.channel_contract import ChannelContract
from channels.classroom import kit
from channels.posts import digest_of
from sandbox.client import RunningSandbox
from sandbox.stand_ins.classroom import CLIENT_SECRET, REFRESH_TOKEN
from tests.channels.stand_in_bench import NO_ADDRESS, USUAL, StandInBench

FAULTS = {
    **USUAL,
    Fault.RATE_LIMITED: "429",
    Fault.REJECTED_CONTENT: "400",
    Fault.REJECTED_ACCOUNT: "401",
}
UNSUPPORTED = {
    **NO_ADDRESS,
    Fault.BUSY: "429 is the only answer that proves that it was not taken and may be later",
}


class TestClassroom(ChannelContract):
    @pytest.fixture
    def bench(self, stand_ins: RunningSandbox) -> Iterator[Bench]:
        yield StandInBench(
            "classroom",
            kit,
            stand_ins,
            FAULTS,
            secrets=(CLIENT_SECRET, REFRESH_TOKEN, "ya29."),
            unsupported=UNSUPPORTED,
            faulty=((plain("{pupil} may come."), ()), (plain(" "), ()), (plain("x" * 30_000), ())),
            digest=lambda entry: digest_of(entry["body"]),
            changed={"grace": 60},
        )
        stand_ins.control.clear()
