"""Corrections where posts are no feed: a receiver is told that the wrong one is over, a card says what it corrects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from broker import intake, retract
from broker.actor import SYSTEM
from broker.announcement import Announcement, Part, Step
from broker.brake import Brake
from broker.channel import Channel, Kit
from broker.corrections import verbs
from broker.corrections.law import NotFollowed
from broker.licences import licensing
from broker.ports import Ports
from broker.testing.hints import PretendHints
from channels import teams, webhook
from config.signer import HmacSigner
from ledger.connect import open_ledger
from ledger.setup import ConfiguredAccount, School, install
from sandbox.client import RunningSandbox
from tests.channels.stand_in_bench import open_at
from tests.support.broker_world import PretendChannels, World
from tests.support.school import SmallSchool

SCHOOL = School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB")
WRONG, RIGHT = "Concert at six.", "Concert at seven."
KITS: dict[str, Kit] = {"webhook": webhook.kit, "teams": teams.kit}


@dataclass
class AtStandIns(PretendChannels):
    """Pretended texts and mails, and a channel of each kit at its stand-in, by an account of the same name."""

    sandbox: RunningSandbox | None = None
    more: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.kits |= KITS  # type: ignore[arg-type]

    def open(self, account: str) -> Channel:
        if account not in KITS:
            return super().open(account)
        assert self.sandbox is not None
        if account not in self.opened:
            self.opened[account] = open_at(account, KITS[account], self.sandbox)
        return self.opened[account]


@pytest.fixture
def world(sqlite_ledger: str, sandbox: RunningSandbox) -> Iterator[World]:
    sandbox.control.clear()
    signer, hints = HmacSigner(b"a secret of the tests"), PretendHints()
    ledger = open_ledger(sqlite_ledger, signer)
    accounts = [ConfiguredAccount(*each) for each in (("texts", "sms"), *((name, name) for name in KITS))]
    install(ledger, SCHOOL, {"office": "School office"}, accounts)
    channels = AtStandIns(sandbox=sandbox)
    ports = Ports(ledger, hints, signer, channels)
    licensing.give_specimens(ports)
    world = World(ledger, channels, hints, ports, Brake(ledger))
    school = SmallSchool()
    school.guardian("Parent", school.pupil("Pupil", "Choir"), mobiles=("+447911123400",))
    world.bring(school)
    yield world
    for name in KITS:
        channels.open(name).close()
    ledger.close()


def go(world: World, said: Announcement) -> Announcement:
    world.plan(said)
    for account in ("texts", *KITS):
        world.send(account)
    retract.take_back_due(world.ports, actor=SYSTEM)
    return said


def announced(world: World, channel: str) -> Announcement:
    return go(
        world, world.announce(audience="Choir", parts={Part.SHORT: WRONG}, ways=(Step(("sms", channel)),))
    )


def corrected(world: World, first: Announcement) -> Announcement:
    draft = verbs.correction(world.ports, first.public_id, {Part.SHORT: RIGHT})
    return go(world, intake.accept(world.ports, draft, actor=SYSTEM).announcement)


def test_a_receiver_is_told_the_right_one_and_that_the_wrong_one_is_over(
    world: World, sandbox: RunningSandbox
):
    first = announced(world, "webhook")
    asked = sandbox.control.counts()["webhook"]["hook"]
    again = corrected(world, first)
    told = [json.loads(entry["body"])["data"] for entry in sandbox.truth("webhook")[-2:]]
    assert [(one["id"], one["text"]) for one in told] == [
        (f"urn:uuid:{first.public_id}", WRONG),
        (f"urn:uuid:{again.public_id}", RIGHT),
    ]
    assert sandbox.control.counts()["webhook"]["hook"] == asked + 2  # the withdrawal, and the right one
    assert world.states(first) == {"retracted": 1, "sent": 1}


def test_a_card_that_cannot_be_taken_back_is_followed_by_one_that_says_it_is_a_correction(
    world: World, sandbox: RunningSandbox
):
    first = announced(world, "teams")
    corrected(world, first)
    assert f"Correction: {RIGHT}" in sandbox.truth("teams")[-1]["text"]
    assert world.states(first) == {"sent": 2}


@pytest.mark.parametrize("channel", KITS)
def test_a_slip_of_the_pen_is_mended_in_feeds_alone(world: World, channel: str):
    first = announced(world, channel)
    with pytest.raises(NotFollowed, match="no feed"):
        verbs.edit(world.ports, first.public_id, {Part.SHORT: "Concert at six!"})
