"""A world that texts, posts by X at the sandbox, and keeps a pretended feed; one family to text to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from broker.actor import SYSTEM
from broker.brake import Brake
from broker.channel import Channel
from broker.licences import licensing
from broker.ports import Ports
from broker.testing.hints import PretendHints
from broker.testing.provider import PretendKit, PretendProvider
from channels.twitter import kit
from config.signer import HmacSigner
from ledger.connect import open_ledger
from ledger.setup import ConfiguredAccount, School, install
from sandbox.client import RunningSandbox
from tests.channels.twitter_support import AROUND, settings
from tests.support.broker_world import PretendChannels, World
from tests.support.school import SmallSchool

SCHOOL = School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB")
PLAIN = {"following": 0, "protected": False, "suspended": False, "duplicates": True}


@dataclass
class WithX(PretendChannels):
    """Pretended texts and feed, and a real channel to the stand-in for X."""

    feed: PretendProvider = field(default_factory=PretendProvider)
    x_url: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.kits["rss"] = PretendKit(self.feed, askable=False, address_kind=None)
        self.kits["twitter"] = kit  # type: ignore[assignment]

    def open(self, account: str) -> Channel:
        if account in self.opened:
            return self.opened[account]
        if account != "x":
            return super().open(account)
        self.opened[account] = kit.open(account, settings(self.x_url), AROUND)
        return self.opened[account]


def in_good_health(sandbox: RunningSandbox) -> RunningSandbox:
    """The stand-in without faults, its account as it should be."""
    sandbox.control.clear()
    sandbox.control.account_at_x(**PLAIN)
    return sandbox


@contextmanager
def world_with_x(ledger_url: str, at_x: RunningSandbox) -> Iterator[World]:
    signer, hints = HmacSigner(b"a secret of the tests"), PretendHints()
    ledger = open_ledger(ledger_url, signer)
    configured = [ConfiguredAccount(*each) for each in (("texts", "sms"), ("x", "twitter"), ("feed", "rss"))]
    install(ledger, SCHOOL, {"office": "School office"}, configured)
    channels = WithX(x_url=at_x.x_url)
    channels.opened["feed"] = channels.kits["rss"].open("feed", {}, AROUND)
    ports = Ports(ledger, hints, signer, channels)
    licensing.give_specimens(ports)
    world = World(ledger, channels, hints, ports, Brake(ledger))
    with ledger.begin() as tx:
        tx.rules.add(
            {**tx.rules.current().changed, "social.quotable": "jack"}, by=SYSTEM, why="a school's list"
        )
    school = SmallSchool()
    school.guardian("Parent", school.pupil("Pupil", "Choir"), mobiles=("+447911123400",))
    world.bring(school)
    yield world
    channels.open("x").close()
    ledger.close()
