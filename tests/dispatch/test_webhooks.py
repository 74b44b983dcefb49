"""Programs elsewhere are told what became of deliveries: signed, in order, until they have it, by a real connection."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from broker import intake, webhooks
from broker.actor import SYSTEM, Actor, ActorKind
from broker.delivery import State
from broker.errors import NotFound, RuleBroken
from broker.outward import is_here
from broker.ports import Ports
from broker.ports.api import WebhookRow
from config.calls import WebCalls
from ledger import tables as t
from ledger.reads.health import Alarm, health
from tests.support.broker_world import World
from tests.support.installed import wait_until

pytestmark = pytest.mark.security
TURN = timedelta(minutes=2)  # longer than a turn's lease, and than the first wait
SOON = timedelta(seconds=60)


@dataclass
class Receiver:
    """A program elsewhere, on loopback; it answers what it is told to, else that it has it."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    hangs: threading.Event | None = None

    @property
    def messages(self) -> Sequence[dict[str, Any]]:
        return [json.loads(body) for _, body in self.came]

    @property
    def ids(self) -> Sequence[str]:
        return [headers["webhook-id"] for headers, _ in self.came]

    @property
    def told(self) -> Sequence[tuple[str, int, str]]:
        """(event, delivery, state) of all messages, in the order in which they came."""
        every = [one for message in self.messages for one in message["data"]["deliveries"]]
        return [(one["event"], one["delivery"], one["state"]) for one in every]


@pytest.fixture
def elsewhere() -> Iterator[Receiver]:
    receiver = Receiver()

    class Listens(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
            if receiver.hangs is not None:
                receiver.hangs.wait(60)
            status = receiver.answers.pop(0) if receiver.answers else 204
            with suppress(OSError):
                self.send_response(status)
                if status in {301, 302, 307, 308}:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listens)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/carillon"
    yield receiver
    if receiver.hangs is not None:
        receiver.hangs.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def calling(thirty: World) -> Ports:
    return replace(thirty.ports, calls=WebCalls(is_here))


def hooked(ports: Ports, at: Receiver, *states: State, department: str | None = None) -> WebhookRow:
    return webhooks.add(ports, at.url, states or (State.SENT,), department=department, actor=SYSTEM)


def sent(world: World, **changes: Any) -> int:
    """Announce, send, seal."""
    said = world.announce(**changes)
    planned = world.plan(said)
    assert world.send() == planned
    world.sweep()
    return planned


def alarms(world: World) -> Sequence[Alarm]:
    with world.ledger.reading() as hand:
        return [each for each in health(hand).alarms if each.kind == webhooks.ALARM]


def verified(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """As docs/api.md tells a receiver to do it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(expected, each) for each in headers["webhook-signature"].split())


def test_each_delivery_is_told_once_signed_and_nothing_of_anybody_is_in_it(
    thirty: World, calling: Ports, elsewhere: Receiver
):
    row = hooked(calling, elsewhere)
    count = sent(thirty)
    assert webhooks.tell_due(calling) >= 1
    assert len(elsewhere.told) == len({event for event, _, _ in elsewhere.told}) == count == 30
    assert {state for _, _, state in elsewhere.told} == {"sent"}
    secret = webhooks.secret_of(calling, row.public_id)
    for headers, body in elsewhere.came:
        assert verified(secret, headers, body)
        assert not verified(secret, headers, body.replace(b"sent", b"lost"))
        assert not verified(secret, {**headers, "webhook-timestamp": "1"}, body)
        assert not any(word in body for word in (b"+44", b"447911", b"Parent", b"Pupil", b"coach", b"@"))
    assert [message["sequence"] for message in elsewhere.messages] == [*range(1, len(elsewhere.came) + 1)]
    thirty.pass_time(TURN)
    assert webhooks.tell_due(calling) == 0


def test_what_failed_comes_again_as_the_same_message_and_the_next_comes_after_it(
    thirty: World, calling: Ports, elsewhere: Receiver
):
    hooked(calling, elsewhere)
    sent(thirty)
    elsewhere.answers = [500, 307, 429]  # whoever followed a 307 would send it all elsewhere
    for _ in range(3):
        assert webhooks.tell_due(calling) == 0
        assert webhooks.tell_due(calling) == 0  # not before its time
        sent(thirty)
        thirty.pass_time(timedelta(hours=2))
    assert len(elsewhere.came) == 3
    assert webhooks.tell_due(calling) >= 2
    assert len(set(elsewhere.ids[:4])) == 1
    assert len({body for _, body in elsewhere.came[:4]}) == 1
    assert [message["sequence"] for message in elsewhere.messages[3:]] == [*range(1, len(elsewhere.came) - 2)]
    arrived = [event for message in elsewhere.messages[3:] for event in message["data"]["deliveries"]]
    assert len({one["event"] for one in arrived}) == len(arrived) == 120


def test_a_worker_killed_in_mid_send_loses_nothing_and_tells_the_same_again(
    thirty: World, calling: Ports, elsewhere: Receiver, ledger_url: str
):
    hooked(calling, elsewhere)
    sent(thirty)
    elsewhere.hangs = threading.Event()
    with subprocess.Popen([sys.executable, "-m", "tests.support.telling", ledger_url]) as worker:
        wait_until(lambda: len(elsewhere.came) == 1, within=SOON, what="the message is on its way")
        worker.kill()
    elsewhere.hangs.set()
    elsewhere.hangs = None
    assert webhooks.tell_due(calling) == 0  # it is in the dead one's hands for a minute
    thirty.pass_time(TURN)
    assert webhooks.tell_due(calling) >= 1
    first, again = elsewhere.came[:2]
    assert first[1] == again[1]
    assert elsewhere.ids[0] == elsewhere.ids[1]
    assert len({event for event, _, _ in elsewhere.told}) == 30


def test_one_that_takes_nothing_for_three_days_rests_and_goes_on_where_it_stood(
    thirty: World, calling: Ports, elsewhere: Receiver
):
    row = hooked(calling, elsewhere)
    sent(thirty)
    elsewhere.answers = 100 * [503]
    for _ in range(8):
        webhooks.tell_due(calling)
        thirty.pass_time(timedelta(hours=11))
    assert 3 <= len(elsewhere.came) < 9
    came = len(elsewhere.came)
    (alarm,) = alarms(thirty)
    assert alarm.subject == str(row.public_id)
    assert "503" in alarm.message
    webhooks.tell_due(calling)
    assert len(elsewhere.came) == came
    elsewhere.answers = []
    webhooks.resume(calling, row.public_id, actor=SYSTEM)
    assert webhooks.tell_due(calling) >= 1
    assert len({event for event, _, _ in elsewhere.told}) == 30
    assert alarms(thirty) == []


def test_one_whose_batch_has_had_its_time_meanwhile_goes_on_with_what_came_after(
    thirty: World, calling: Ports, elsewhere: Receiver
):
    hooked(calling, elsewhere)
    sent(thirty)
    elsewhere.answers = [503]
    assert webhooks.tell_due(calling) == 0
    thirty.pass_time(timedelta(days=10))
    while thirty.ledger.transact(lambda tx: tx.prunings.messages(tx.now, limit=500)).more:
        pass
    assert thirty.rows(select(t.delivery)) == []
    webhooks.tell_due(calling)
    before = len(elsewhere.told)
    thirty.pass_time(TURN)
    sent(thirty)
    assert webhooks.tell_due(calling) >= 1
    assert len(elsewhere.told) - before == 30


def test_an_address_within_is_refused_when_it_is_added_and_when_it_is_called(
    thirty: World, calling: Ports, elsewhere: Receiver
):
    outside = replace(calling, calls=WebCalls())
    for url in (
        elsewhere.url,
        "http://10.0.0.1/",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "http://[::1]/",
    ):
        with pytest.raises(RuleBroken):
            webhooks.add(outside, url, [State.SENT], department=None, actor=SYSTEM)
    named = elsewhere.url.replace("127.0.0.1", "localhost")  # a name says nothing until it is asked for
    row = webhooks.add(outside, named, [State.SENT], department=None, actor=SYSTEM)
    sent(thirty)
    assert webhooks.tell_due(outside) == 0
    assert elsewhere.came == []
    with calling.ledger.look() as tx:
        stands = tx.webhooks.by_public_id(row.public_id)
    assert stands is not None
    assert "own network" in stands.why


def test_a_department_is_told_of_its_own_and_sees_its_own(thirty: World, calling: Ports, elsewhere: Receiver):
    row = hooked(calling, elsewhere, department="music")
    sent(thirty)
    assert webhooks.tell_due(calling) == 0
    count = sent(thirty, department="music")
    thirty.pass_time(TURN)
    assert webhooks.tell_due(calling) == 1
    assert len(elsewhere.told) == count
    office = Actor(ActorKind.TOKEN, "bells", "office")
    with calling.ledger.look() as tx:
        assert webhooks.listed(tx, office) == []
    for act in (webhooks.remove, webhooks.resume):
        with pytest.raises(NotFound):
            act(calling, row.public_id, actor=office)
    with pytest.raises(NotFound):
        webhooks.remove(calling, UUID(int=1), actor=SYSTEM)
    webhooks.remove(calling, row.public_id, actor=SYSTEM)
    sent(thirty, department="music")
    thirty.pass_time(TURN)
    assert webhooks.tell_due(calling) == 0


def test_two_workers_take_turns_and_not_the_same_one(thirty: World, calling: Ports, elsewhere: Receiver):
    hooked(calling, elsewhere)
    sent(thirty)
    first = calling.ledger.transact(lambda tx: tx.webhooks.take_due())
    second = calling.ledger.transact(lambda tx: tx.webhooks.take_due())
    assert first is not None
    assert second is None


def test_every_state_that_a_delivery_comes_to_is_told(thirty: World, calling: Ports, elsewhere: Receiver):
    hooked(calling, elsewhere, *State)
    said = thirty.announce()
    thirty.plan(said)
    intake.withdraw(calling, said.public_id, actor=SYSTEM)
    thirty.sweep()
    sent(thirty)
    webhooks.tell_due(calling)
    assert {state for _, _, state in elsewhere.told} == {"withdrawn", "sent"}
    last = {delivery: state for _, delivery, state in elsewhere.told}
    assert sorted(last.values()) == 30 * ["sent"] + 30 * ["withdrawn"]
