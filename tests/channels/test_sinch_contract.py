"""Texts by Sinch keep the channel contract: its own client, over real sockets, against the stand-in and its truth."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broker.channel import Channel
from broker.testing.channel_bench import Bench
from broker.testing.channel_contract import ChannelContract
from sandbox.client import RunningSandbox
from sandbox.stand_ins import sinch
from tests.channels.sinch_support import SinchBench


class TestTextsBySinch(ChannelContract):
    @pytest.fixture
    def bench(self, stand_ins: RunningSandbox) -> Iterator[Bench]:
        # The suite's keys are the same in every test, and Sinch would find what was sent under them before.
        stand_ins.control.account_at("sinch", forget=True)
        yield SinchBench(stand_ins)
        stand_ins.control.clear()
        stand_ins.control.account_at("sinch", keeps_s=sinch.KEEPS)

    def test_what_was_forgotten_can_be_asked_for_again(self, bench: Bench, channel: Channel) -> None:
        bench.sandbox.control.account_at("sinch", keeps_s=0)  # type: ignore[attr-defined]
        super().test_what_was_forgotten_can_be_asked_for_again(bench, channel)

    def test_a_provider_has_no_more_of_it_and_keeps_the_others(self, bench: Bench, channel: Channel) -> None:
        pytest.skip("Sinch forgets by age and not by asking: see test_sinch.py")
