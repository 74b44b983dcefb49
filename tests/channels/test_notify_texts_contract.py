"""Texts by GOV.UK Notify keep the channel contract: its own client, over real sockets, against the stand-in's truth."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broker.channel import Channel
from broker.testing.channel_bench import Bench
from broker.testing.channel_contract import ChannelContract
from sandbox.client import RunningSandbox
from tests.channels.notify_support import texts


class TestTextsByNotify(ChannelContract):
    @pytest.fixture
    def bench(self, stand_ins: RunningSandbox) -> Iterator[Bench]:
        # The suite's keys are the same in every test, and Notify would find what was sent under them before.
        stand_ins.control.account_at("notify", forget=True)
        yield texts(stand_ins)
        stand_ins.control.clear()
        stand_ins.control.account_at("notify", keeps_s=604_800)

    def test_what_was_forgotten_can_be_asked_for_again(self, bench: Bench, channel: Channel) -> None:
        bench.sandbox.control.account_at("notify", keeps_s=0)  # type: ignore[attr-defined]
        super().test_what_was_forgotten_can_be_asked_for_again(bench, channel)

    def test_a_provider_has_no_more_of_it_and_keeps_the_others(self, bench: Bench, channel: Channel) -> None:
        pytest.skip("Notify forgets by age and not by asking: see test_notify_texts.py")
