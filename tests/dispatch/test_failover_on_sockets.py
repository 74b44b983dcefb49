"""Failover over real sockets: two stand-ins for providers, of which the first is hurt while thirty texts go out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from broker.announcement import Announcement, Part
from broker.channel import Channel, Surroundings
from broker.gateways import Stand
from channels.sms import kit
from channels.sms.settings import Settings
from ledger import tables as t
from sandbox.client import RunningSandbox, start_sandbox
from tests.channels.stand_in_bench import closed_port
from tests.support.broker_world import World
from tests.support.installed import wait_until
from tests.support.two_gateways import FIRST, QUICK, SECOND, TwoGateways, health
from workers.loop import Loop

AROUND = Surroundings("St Bride's", "GB", sandbox=True, timeout=timedelta(seconds=5))
PATIENT = replace(QUICK, slow_after=timedelta(seconds=1.5))

MINUTE = timedelta(minutes=1)


@dataclass
class OnSockets(TwoGateways):
    """The same, each gateway with a stand-in of its own."""

    urls: dict[str, str] = field(default_factory=dict)
    sandbox: RunningSandbox | None = None

    def through(self, account: str, gateway: str) -> Channel:
        if gateway not in self.opened:
            assert self.sandbox is not None
            settings = Settings.model_validate(
                {
                    "account_sid": self.sandbox.account_sid,
                    "auth_token": self.sandbox.auth_token,
                    "sender": "+447400123456",
                    "api_base_url": self.urls[gateway],
                    "in_flight": 8,
                }
            )
            self.opened[gateway] = kit.open(account, settings, AROUND)
        return self.opened[gateway]


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningSandbox, RunningSandbox]]:
    folder = tmp_path_factory.mktemp("two")
    with start_sandbox(folder / "1.jsonl") as first, start_sandbox(folder / "2.jsonl") as second:
        yield first, second


@pytest.fixture
def two(thirty: World, stand_ins: tuple[RunningSandbox, RunningSandbox]) -> Iterator[OnSockets]:
    first, second = stand_ins
    first.control.clear()
    channels = OnSockets(urls={FIRST: first.twilio_url, SECOND: second.twilio_url}, sandbox=first)
    thirty.channels = channels
    thirty.ports = replace(thirty.ports, channels=channels)
    thirty.tempo = replace(thirty.tempo, breaker=PATIENT)
    loop = Loop()
    thirty.run = loop.run
    yield channels
    for opened in channels.opened.values():
        opened.close()
    loop.close()


def texts(stand_in: RunningSandbox, since: int) -> Counter[str]:
    return Counter(str(entry["to"]) for entry in stand_in.truth("sms")[since:])


@pytest.mark.slow
@pytest.mark.parametrize(
    "hurt",
    ["hang-before-accept:ms=60000", "500-after-accept", "reset-before-accept", "slow:ms=4000", "refused"],
)
def test_everybody_gets_exactly_one_text_whatever_befalls_the_first(
    thirty: World, two: OnSockets, stand_ins: tuple[RunningSandbox, RunningSandbox], hurt: str
) -> None:
    first, second = stand_ins
    before = len(first.truth("sms")), len(second.truth("sms"))
    if hurt == "refused":
        two.urls[FIRST] = f"http://127.0.0.1:{closed_port()}"
    else:
        first.control.order(f"twilio:{hurt}")
    # Words of its own: the stand-ins remember what others of these tests sent to the same numbers.
    said = thirty.announce(parts={Part.SHORT: f"The coach leaves at eight ({uuid4()})."})
    thirty.plan(said)
    while thirty.send():
        pass
    assert health(thirty)[FIRST].stand in {Stand.OPEN, Stand.HALF_OPEN}
    doubtful = {
        row.value
        for row in thirty.rows(
            select(t.address.c.value)
            .join(t.delivery, t.delivery.c.address_id == t.address.c.id)
            .join(t.attempt, t.attempt.c.delivery_id == t.delivery.c.id)
            .where(t.delivery.c.state == "uncertain", t.attempt.c.gateway == FIRST)
        )
    }
    by_second = texts(second, before[1])
    assert by_second
    assert not doubtful & by_second.keys()  # the first was not asked yet
    first.control.clear()
    wait_until(lambda: _settled(thirty, said), within=MINUTE, what="nothing is in doubt")
    got = texts(first, before[0]) + texts(second, before[1])
    assert got == {f"+4479111234{n:02d}": 1 for n in range(30)}


def _settled(world: World, said: Announcement) -> bool:
    """Ask about what is in doubt, send what is proven absent, and look."""
    with world.ledger.begin() as tx:
        doubtful = t.delivery.c.state == "uncertain"
        tx.hand.connection.execute(t.delivery.update().where(doubtful).values(lookup_at=tx.now))
    world.sweep()
    while world.send():
        pass
    return world.states(said).keys() <= {"sent", "delivered"}
