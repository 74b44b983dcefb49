"""An announcement by text and by Mastodon, Bluesky or Facebook: the real verbs, the stand-ins, either database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from broker import accounts, intake, retract
from broker.actor import SYSTEM
from broker.announcement import Announcement, Part, Step
from broker.brake import Brake
from broker.capabilities import ReadsBack
from broker.channel import PUBLIC, Channel, Key, Message
from broker.errors import InvalidAnnouncement
from broker.licences import licensing, oversight
from broker.ports import Ports
from broker.testing.hints import PretendHints
from channels import bluesky, facebook, mastodon
from channels.posts import digest_of
from config.signer import HmacSigner
from ledger import tables as t
from ledger.connect import open_ledger
from ledger.setup import ConfiguredAccount, School, install
from sandbox.client import RunningSandbox
from tests.channels.stand_in_bench import open_at
from tests.support.broker_world import PretendChannels, World
from tests.support.school import SmallSchool

SCHOOL = School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB")
ACCOUNT = "public"


@dataclass(frozen=True)
class Network:
    """Its kit; how its account looks when all is well, and otherwise, and what holds it then; what refuses it."""

    kit: Any
    well: dict[str, Any]
    ill: dict[str, Any]
    code: str
    refusal: str


NETWORKS = {
    "mastodon": Network(
        mastodon.kit, {"following": 0, "automated": True}, {"following": 1}, "follows", "401"
    ),
    "bluesky": Network(
        bluesky.kit, {"following": 0, "messages": "none"}, {"messages": "all"}, "messages_open", "takedown"
    ),
    "facebook": Network(
        facebook.kit, {"published": True, "messages": "closed"}, {"published": False}, "not_published", "401"
    ),
}


@dataclass
class WithNetwork(PretendChannels):
    """Pretended texts, and a real channel to a network's stand-in."""

    sandbox: RunningSandbox | None = None
    name: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.kits[self.name] = NETWORKS[self.name].kit

    def open(self, account: str) -> Channel:
        if account != ACCOUNT:
            return super().open(account)
        assert self.sandbox is not None
        if account not in self.opened:
            self.opened[account] = open_at(self.name, NETWORKS[self.name].kit, self.sandbox)
        return self.opened[account]


@pytest.fixture(params=sorted(NETWORKS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def there(sandbox: RunningSandbox, name: str) -> Iterator[RunningSandbox]:
    sandbox.control.clear()
    yield sandbox
    sandbox.control.clear()
    sandbox.control.account_at(name, **NETWORKS[name].well)


@pytest.fixture
def world(ledger_url: str, there: RunningSandbox, name: str) -> Iterator[World]:
    signer, hints = HmacSigner(b"a secret of the tests"), PretendHints()
    ledger = open_ledger(ledger_url, signer)
    install(
        ledger,
        SCHOOL,
        {"office": "School office"},
        [ConfiguredAccount("texts", "sms"), ConfiguredAccount(ACCOUNT, name)],
    )
    channels = WithNetwork(sandbox=there, name=name)
    ports = Ports(ledger, hints, signer, channels)
    licensing.give_specimens(ports)
    world = World(ledger, channels, hints, ports, Brake(ledger))
    school = SmallSchool()
    school.guardian("Parent", school.pupil("Pupil", "Choir"), mobiles=("+447911123400",))
    world.bring(school)
    yield world
    channels.open(ACCOUNT).close()
    ledger.close()


def announced(world: World, name: str, **changes: object) -> Announcement:
    said = world.announce(**{"audience": "Choir", "ways": (Step(("sms", name)),), **changes})
    world.plan(said)
    return said


def post_of(world: World, said: Announcement, name: str) -> tuple[str, str]:
    found = select(t.delivery).where(t.delivery.c.announcement_id == said.id, t.delivery.c.channel == name)
    (row,) = world.rows(found)
    return row.state, row.code


def alarms(world: World) -> list[str]:
    return [row.kind for row in world.rows(select(t.alarm).where(t.alarm.c.cleared_at.is_(None)))]


def standing(world: World) -> set[str]:
    channel = world.channels.open(ACCOUNT)
    assert isinstance(channel, ReadsBack)
    return {post.text for post in channel.posts(datetime.now(UTC) - timedelta(minutes=1))}


def test_a_text_to_each_and_one_post_to_all(world: World, there: RunningSandbox, name: str) -> None:
    before = len(there.truth(name))
    said = announced(world, name)
    world.send("texts")
    world.send(ACCOUNT)
    assert world.states(said) == {"sent": 2}
    assert len(there.truth(name)) == before + 1
    assert f"The coach leaves at eight. https://news.stcecilias.org.uk/a/{said.public_id}" in {
        " ".join(text.split()) for text in standing(world)
    }
    assert "account.inspected" in world.record()


def test_a_lost_answer_is_looked_up_and_posted_once(world: World, there: RunningSandbox, name: str) -> None:
    before = len(there.truth(name))
    there.control.order(f"{name}:reset-after-accept:next=1")
    said = announced(world, name)
    world.send(ACCOUNT)
    assert post_of(world, said, name)[0] == "uncertain"
    world.pass_time(timedelta(minutes=3))
    world.sweep()
    assert post_of(world, said, name)[0] == "sent"
    assert len(there.truth(name)) == before + 1


def test_a_post_that_never_arrived_is_posted_again(world: World, there: RunningSandbox, name: str) -> None:
    before = len(there.truth(name))
    there.control.order(f"{name}:500-before-accept:next=1")
    said = announced(world, name)
    world.send(ACCOUNT)
    assert post_of(world, said, name)[0] == "uncertain"
    for _ in range(2):
        world.pass_time(timedelta(minutes=3))
        world.sweep()
    world.send(ACCOUNT)
    assert post_of(world, said, name)[0] == "sent"
    assert len(there.truth(name)) == before + 1


def test_credentials_that_do_not_hold_pause_this_account_alone(
    world: World, there: RunningSandbox, name: str
) -> None:
    there.control.order(f"{name}:{NETWORKS[name].refusal}:stage=create")
    said = announced(world, name)
    world.send(ACCOUNT)
    world.send("texts")
    assert post_of(world, said, name) == ("queued", "account_rejected")
    assert world.states(said) == {"queued": 1, "sent": 1}
    assert alarms(world) == ["account_rejected"]
    there.control.clear()
    accounts.resume(world.ports, ACCOUNT, actor=SYSTEM)
    world.send(ACCOUNT)
    assert post_of(world, said, name)[0] == "sent"
    assert alarms(world) == []


def test_an_account_that_is_not_as_it_must_be_posts_nothing_until_it_is(
    world: World, there: RunningSandbox, name: str
) -> None:
    network, before = NETWORKS[name], len(there.truth(name))
    there.control.account_at(name, **network.ill)
    said = announced(world, name)
    world.send(ACCOUNT)
    assert post_of(world, said, name) == ("queued", network.code)
    assert alarms(world) == ["posture"]
    there.control.account_at(name, **network.well)
    with world.ledger.begin() as tx:
        tx.hand.connection.execute(update(t.account).values(posture_at=tx.now - timedelta(hours=1)))
    world.pass_time(timedelta(minutes=6))
    world.send(ACCOUNT)
    assert post_of(world, said, name)[0] == "sent"
    assert len(there.truth(name)) == before + 1


def test_what_is_withdrawn_is_deleted(world: World, there: RunningSandbox, name: str) -> None:
    said = announced(world, name, parts={Part.SHORT: "Withdrawn later."})
    world.send(ACCOUNT)
    assert any(str(said.public_id) in text for text in standing(world))
    intake.withdraw(world.ports, said.public_id, actor=SYSTEM)
    there.control.order(f"{name}:500-before-accept:stage=delete,next=1")
    retract.take_back_due(world.ports, actor=SYSTEM)
    assert post_of(world, said, name)[0] == "sent"
    world.pass_time(timedelta(hours=1))
    retract.take_back_due(world.ports, actor=SYSTEM)
    assert post_of(world, said, name)[0] == "retracted"
    assert not any(str(said.public_id) in text for text in standing(world))


def test_a_post_made_by_hand_is_found(world: World, there: RunningSandbox, name: str) -> None:
    oversight.oversee(world.ports)  # from now on, what stands there is ours or somebody else's
    announced(world, name)
    world.send(ACCOUNT)
    by_hand: Channel = open_at(name, NETWORKS[name].kit, there)
    words = f"By hand, at {datetime.now(UTC).isoformat()}."
    by_hand.send(
        Message({"text": words, "facets": (), "page": ""}, digest_of(words)), PUBLIC, key=Key(0, 0, 0)
    )
    by_hand.close()
    with world.ledger.begin() as tx:
        (row,) = tx.hand.connection.execute(select(t.account_watch)).all()
        # Facebook tells whole seconds: what it calls earlier than the first look may be of the same one.
        earlier = {"due_at": row.due_at - timedelta(minutes=6), "since": row.since - timedelta(seconds=1)}
        tx.hand.connection.execute(update(t.account_watch).values(earlier))
    oversight.oversee(world.ports)
    with world.ledger.look() as tx:
        assert words in [post.text for post in tx.posts.found()]
    assert "found_post" in alarms(world)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ways": ()}, "never_alone"),
        ({"parts": {Part.SHORT: "{pupil} may come."}}, "personal_part"),
        ({"parts": {Part.SHORT: "x" * 70_000}}, ""),
        ({"parts": {Part.SHORT: "Ring 07911 123400."}}, "phone_number"),
    ],
)
@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)  # nothing of it is the database's
def test_what_may_not_be_public_is_refused_whole(
    world: World, name: str, changes: dict[str, Any], code: str
) -> None:
    ways = changes.get("ways", (Step(("sms", name)),)) or (Step((name,)),)
    draft = world.draft(**{"audience": "Choir", **changes, "ways": ways})
    with pytest.raises(InvalidAnnouncement) as caught:
        intake.accept(world.ports, draft, actor=SYSTEM)
    assert not code or caught.value.problem.code == code
    assert world.rows(select(t.announcement)) == []
