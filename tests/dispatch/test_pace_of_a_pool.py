"""The pace of a pool of numbers: turns in the ledger, and texts at a real stand-in, go no faster than all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import select

from broker.channel import Channel
from broker.failover import ways_of
from broker.ports.outside import GatewayAt
from config.registry import Registry
from config.settings import load
from config.ways_out import WaysOut
from ledger import tables as t
from ledger.pace import USUAL, apart
from sandbox.client import start_sandbox
from tests.support.broker_world import PretendChannels, World
from workers.loop import Loop

TEXTS = "CARILLON_ACCOUNTS__TEXTS__"
SECOND = timedelta(seconds=1)


@dataclass
class AsConfigured(PretendChannels):
    """Texts go as these settings have it."""

    ways_out: WaysOut | None = None

    def open(self, account: str) -> Channel:
        return self.ways_out.open(account) if self.ways_out and account == "texts" else super().open(account)

    def gateways(self, account: str) -> Sequence[GatewayAt]:
        if self.ways_out and account == "texts":
            return self.ways_out.gateways(account)
        return super().gateways(account)

    def through(self, account: str, gateway: str) -> Channel:
        if self.ways_out and account == "texts":
            return self.ways_out.through(account, gateway)
        return super().through(account, gateway)


def test_a_pool_of_ten_has_the_turns_of_ten_and_its_texts_all_take_one(thirty: World, tmp_path: Path) -> None:
    with start_sandbox(tmp_path / "truth.jsonl") as box:
        told = {
            "CHANNEL": "sms",
            "GATEWAYS": "twilio,sinch",
            "ACCOUNT_SID": box.account_sid,
            "AUTH_TOKEN": box.auth_token,
            "MESSAGING_SERVICE_SID": "MG" + "0" * 32,
            "NUMBERS": "10",
            "PER_NUMBER": "2",
            "API_BASE_URL": box.twilio_url,
            "SINCH__SERVICE_PLAN_ID": "plan",
            "SINCH__API_TOKEN": "token",
            "SINCH__SENDER": "+447400123456",
            "SINCH__CALLBACK_SECRET": "a-secret-of-twenty-letters",
            "SINCH__API_BASE_URL": "http://127.0.0.1:9",
            "SINCH__PER_SECOND": "1",
        }
        environ = {"CARILLON_SECRETS_DIR": "", "CARILLON_SANDBOX": "true"}
        settings = load(environ={**environ, **{TEXTS + k: v for k, v in told.items()}}, env_file=None)
        ways_out = WaysOut(Registry(), settings.accounts, settings.surroundings())
        thirty.channels = AsConfigured(ways_out=ways_out)
        thirty.ports = replace(thirty.ports, channels=thirty.channels)
        loop = Loop()
        thirty.run = loop.run
        with thirty.ledger.look() as tx:
            account = tx.accounts.named("texts")
        assert account is not None
        way = ways_of(thirty.ports, account)["twilio"]
        held: list[datetime] = []
        for most in (200, 5):  # two workers, one after the other
            with thirty.ledger.begin() as tx:
                turns = tx.pace.reserve(way.account, most=most, within=SECOND)
                # A second of ten numbers at two each, and not one more.
                assert most == 5 or turns.count == 20
                held += [tx.hand.now + turns.wait + n * turns.interval for n in range(turns.count)]
        apart_by = apart(20, USUAL)
        assert all(later - one >= apart_by - timedelta(milliseconds=1) for one, later in pairwise(held))
        begun, before = _next_turn(thirty), len(box.truth("sms"))
        thirty.plan(thirty.announce())
        while thirty.send():
            pass
        assert len(box.truth("sms")) - before == 30
        # Each of the thirty had a turn of its own: the ledger's next one lies at least so far on.
        assert _next_turn(thirty) - begun >= 30 * apart(20, timedelta(0)) - timedelta(milliseconds=1)
        ways_out.close()
        loop.close()


def _next_turn(world: World) -> Any:
    (row,) = world.rows(select(t.pace.c.next_at).where(t.pace.c.gateway == "twilio"))
    return row.next_at
