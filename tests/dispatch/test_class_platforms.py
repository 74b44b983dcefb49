"""What is for a class goes to its class on the platforms that classes use: the real verbs, either database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select

from broker.announcement import Announcement, Step
from broker.brake import Brake
from broker.channel import Channel
from broker.errors import InvalidAnnouncement
from broker.licences import licensing
from broker.ports import Ports
from broker.testing.hints import PretendHints
from channels import classroom, moodle, teams
from config.signer import HmacSigner
from ledger import tables as t
from ledger.connect import open_ledger
from ledger.setup import ConfiguredAccount, School, install
from sandbox.client import RunningSandbox
from tests.channels.stand_in_bench import open_at
from tests.support.broker_world import PretendChannels, World
from tests.support.school import SmallSchool

SCHOOL = School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB")
# Of each platform: its kit, without the place that everybody reads, and how the truth tells the class 7B from the rest.
PLATFORMS: dict[str, tuple[Any, dict[str, Any], dict[str, str]]] = {
    "classroom": (classroom.kit, {"course": None}, {"7B": "700000000041", "everyone": "700000000003"}),
    "moodle": (moodle.kit, {"forum": None}, {"7B": "41", "everyone": "3"}),
    "teams": (teams.kit, {"workflow": None}, {"7B": "7b", "everyone": "everybody"}),
}


@dataclass
class WithPlatform(PretendChannels):
    """Pretended texts and mails, and a real channel to a platform's stand-in."""

    sandbox: RunningSandbox | None = None
    name: str = ""
    changed: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.kits[self.name] = PLATFORMS[self.name][0]

    def open(self, account: str) -> Channel:
        if account != "classes":
            return super().open(account)
        assert self.sandbox is not None
        if account not in self.opened:
            self.opened[account] = open_at(self.name, PLATFORMS[self.name][0], self.sandbox, **self.changed)
        return self.opened[account]


@pytest.fixture(params=sorted(PLATFORMS))
def platform(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def world(ledger_url: str, sandbox: RunningSandbox, platform: str) -> Iterator[World]:
    sandbox.control.clear()
    signer, hints = HmacSigner(b"a secret of the tests"), PretendHints()
    ledger = open_ledger(ledger_url, signer)
    accounts = [ConfiguredAccount("texts", "sms"), ConfiguredAccount("classes", platform)]
    install(ledger, SCHOOL, {"office": "School office"}, accounts)
    channels = WithPlatform(sandbox=sandbox, name=platform)
    ports = Ports(ledger, hints, signer, channels)
    licensing.give_specimens(ports)
    world = World(ledger, channels, hints, ports, Brake(ledger))
    school = SmallSchool()
    school.guardian("Parent", school.pupil("Pupil", "7B", "Choir"), mobiles=("+447911123400",))
    world.bring(school)
    yield world
    channels.open("classes").close()
    ledger.close()
    sandbox.control.clear()


def announced(world: World, platform: str, audience: str) -> Announcement:
    said = world.announce(audience=audience, ways=(Step(("sms", platform)),))
    world.plan(said)
    world.send("classes")
    return said


def test_each_class_reads_what_is_for_it_and_everybody_the_rest(
    world: World, platform: str, sandbox: RunningSandbox
):
    for audience, where in PLATFORMS[platform][2].items():
        said = announced(world, platform, audience)
        posted = sandbox.truth(platform)[-1]
        assert posted["key"] == where
        assert str(said.public_id) in posted["body"]
        assert world.states(said) == {"queued": 1, "sent": 1}


def test_for_whom_there_is_no_class_is_said_before_anything_is_kept(world: World, platform: str):
    world.channels.changed = PLATFORMS[platform][1]  # type: ignore[attr-defined]
    with pytest.raises(InvalidAnnouncement) as refused:
        announced(world, platform, "Choir")
    assert refused.value.problem.code == "no_class"
    assert not world.rows(select(t.announcement.c.id))
    assert world.states(announced(world, platform, "7b")) == {"queued": 1, "sent": 1}


def test_refused_credentials_stop_that_account_alone(world: World, platform: str, sandbox: RunningSandbox):
    sandbox.control.order(f"{platform}:401")
    said = announced(world, platform, "7B")
    world.send("texts")
    assert world.states(said) == {"queued": 1, "sent": 1}
    paused = world.rows(select(t.account.c.name).where(t.account.c.paused_at.is_not(None)))
    assert [row.name for row in paused] == ["classes"]
    (alarm,) = world.rows(select(t.alarm.c.subject).where(t.alarm.c.kind == "account_rejected"))
    assert alarm.subject == "classes"


@pytest.mark.parametrize("fault", ["html", "changed", "truncated"])
def test_an_answer_of_another_kind_is_uncertain_and_is_not_sent_again(
    world: World, platform: str, sandbox: RunningSandbox, fault: str
):
    before = len(sandbox.truth(platform))
    sandbox.control.order(f"{platform}:{fault}")
    said = announced(world, platform, "7B")
    world.send("classes")
    assert world.states(said) == {"queued": 1, "uncertain": 1}
    assert len(sandbox.truth(platform)) == before + 1
