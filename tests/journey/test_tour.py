"""docs/tour.md, walked: one announcement from the door to who got it, under the page's own headings."""

from __future__ import annotations

import ast
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from broker import dispatch, fanout
from broker.actor import SYSTEM
from broker.brake import Brake, keep_fresh
from broker.channel import Recipient
from broker.confirm import drain_inbox
from broker.ports import Ports
from broker.rosters.imports import import_roster
from broker.values import Lane
from cli.app import main
from config.assembly import House, assemble
from config.queue import DELIVER, FAN_OUT, make_app
from config.settings import load
from ledger import tables as t
from ledger.record import verify
from sandbox.client import RunningSandbox, start_sandbox
from tests.support.school import SmallSchool
from web.app import create_app
from web.serve import serving
from workers.loop import Loop
from workers.tasks import register

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tour.md").read_text()
HEADINGS = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
LAST = "Where to go next"
NAMED = sorted(set(re.findall(r"`([\w/]+\.py):([\w.]+)`", PAGE)))
MUM, DAN = "+447911100001", "+447911100002"
WORDS = "{pupil}: rehearsal at 15:30."


# --- the page itself ----------------------------------------------------------------------------------------------


def names_in(source: str) -> set[str]:
    """Functions, classes and their methods that a file defines."""
    found: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
            found |= {f"{node.name}.{method.name}" for method in methods}
    return found


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[f"{path}:{name}" for path, name in NAMED])
def test_every_function_that_the_tour_names_is_there(path: str, name: str) -> None:
    assert name in names_in((ROOT / path).read_text())


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:docs|tests|broker)/[\w/.-]+)`", PAGE))))
def test_every_page_that_the_tour_points_to_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_stop_names_where_it_is() -> None:
    stops = re.split(r"^## .+$", PAGE, flags=re.MULTILINE)[1:-1]
    assert len(stops) == len(HEADINGS) - 1
    assert all(re.search(r"`[\w/]+\.py:[\w.]+`", stop.strip().splitlines()[0]) for stop in stops)


# --- the walk -----------------------------------------------------------------------------------------------------


@dataclass
class ByHand:
    """The work that tasks ask for, done when they ask: nothing runs behind the tour's back."""

    ports: Ports
    loop: Loop
    started: int = 0

    def fan_out(self, announcement: UUID) -> None:
        fanout.plan(self.ports, announcement, actor=SYSTEM)

    def deliver(self, account: str, lane: Lane) -> None:
        brake, over, faults = Brake(self.ports.ledger), threading.Event(), list[Exception]()
        process = dispatch.Process(brake, SYSTEM)
        reader = threading.Thread(target=keep_fresh, args=(brake, over, faults.append))
        reader.start()
        try:
            self.started = self.loop.run(
                dispatch.deliver(self.ports, account, lane, process=process, budget=timedelta(seconds=20))
            )
        finally:
            over.set()
            reader.join()
        assert not faults

    def sweep(self) -> None:
        raise AssertionError("no stop of the tour needs it: every hint arrives")


@dataclass
class Walk:
    """The house the tour goes through, and the stops it has made."""

    house: House
    sandbox: RunningSandbox
    task: Callable[..., Any]
    work: ByHand
    stops: list[str] = field(default_factory=list)

    def at(self, heading: str) -> None:
        self.stops.append(heading)

    def command(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
        assert main([*arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    def rows(self, query: Any) -> list[Any]:
        with self.house.ledger.reading() as hand:
            return list(hand.connection.execute(query))

    def states(self) -> list[str]:
        return [row.state for row in self.rows(select(t.delivery.c.state).order_by(t.delivery.c.id))]


def choir() -> SmallSchool:
    """Amy and Ben share their mother; Cat has nobody whose number is known; Dan's father has his own."""
    school = SmallSchool()
    for name in ("Amy", "Ben", "Cat", "Dan"):
        school.pupil(name, "Choir")
    school.guardian("Mum", "amy", "ben", mobiles=(MUM,))
    school.guardian("Uncle", "cat")
    school.guardian("Father", "dan", mobiles=(DAN,))
    return school


@pytest.fixture
def walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Walk]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    truth = tmp_path / "truth.jsonl"
    flags = ["--keep-content"]
    with start_sandbox(truth, callbacks="all", step=timedelta(milliseconds=20), flags=flags) as sandbox:
        for name, value in {
            "DATA_DIR": str(tmp_path),
            "OPERATOR": "Mrs Bell",
            "SANDBOX": "true",
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "DEPARTMENTS__MUSIC": "Music",
            "ACCOUNTS__TEXTS__CHANNEL": "sms",
            "ACCOUNTS__TEXTS__ACCOUNT_SID": sandbox.account_sid,
            "ACCOUNTS__TEXTS__AUTH_TOKEN": sandbox.auth_token,
            "ACCOUNTS__TEXTS__SENDER": "+447400123456",
            "ACCOUNTS__TEXTS__API_BASE_URL": sandbox.twilio_url,
        }.items():
            monkeypatch.setenv(f"CARILLON_{name}", value)
        monkeypatch.chdir(tmp_path)  # no .env of somebody's is read
        settings = load()
        with (
            closing(Loop()) as loop,  # outlives the channels, whose connections live on it
            assemble(settings, serves=True, upgrade=True) as house,
            serving(create_app(house.ports, settings), "127.0.0.1", port),
        ):
            import_roster(house.ports, choir().roster(), actor=SYSTEM)
            work = ByHand(house.ports, loop)
            app = make_app("memory://", house.ways_out.names())
            register(app, work)
            yield Walk(house, sandbox, lambda name, *told: app.tasks[name](*told), work)
            app.close()


@pytest.mark.runs_on("sqlite")
def test_one_announcement_from_the_door_to_who_got_it(walk: Walk, capsys: pytest.CaptureFixture[str]) -> None:
    announcement = said_and_planned(walk, capsys)
    sent(walk)
    arrived(walk, capsys, announcement)
    assert [*walk.stops, LAST] == HEADINGS


def said_and_planned(walk: Walk, capsys: pytest.CaptureFixture[str]) -> str:
    walk.at("The door")
    said = walk.command(capsys, "announce", WORDS, "--to", "Choir", "--via", "sms", "--department", "music")
    announcement = str(said["announcement"])

    walk.at("Intake")
    (kept,) = walk.rows(select(t.announcement))
    assert (str(kept.public_id), kept.actor_id, kept.audience) == (announcement, "Mrs Bell", "Choir")
    assert walk.rows(select(t.delivery)) == [], "nothing is planned yet"

    walk.at("The rules")
    (told,) = walk.command(capsys, "why", announcement)["verdicts"]
    assert (told["answer"], told["account"], told["rules"]) == ("allow", "texts", 1)

    walk.at("The hint")
    walk.task(FAN_OUT, announcement)

    walk.at("Fan-out")
    assert len(walk.rows(select(t.duty))) == 4
    assert walk.states() == ["queued", "queued"], "two numbers, four pupils"
    assert len(walk.rows(select(t.delivery_covers))) == 3
    return announcement


def sent(walk: Walk) -> None:
    walk.at("Dispatch")
    walk.task(DELIVER, "texts", "routine")
    assert walk.work.started == 2
    attempts = walk.rows(select(t.attempt).order_by(t.attempt.c.id))
    assert [attempt.fence for attempt in attempts] == [1, 1]

    walk.at("Rendering")
    channel = walk.house.ways_out.open("texts")
    with walk.house.ledger.begin() as tx:
        (wording,) = tx.announcements.content(1, 1)
    message = channel.render(wording, Recipient(MUM, ("Amy", "Ben")))
    assert message.fields["body"] == "Amy and Ben: rehearsal at 15:30."
    assert message.digest in {attempt.digest for attempt in attempts}

    walk.at("The gateway")
    taken = {entry["to"]: entry for entry in walk.sandbox.truth()}
    assert {to: entry["body"] for to, entry in taken.items()} == {
        MUM: "Amy and Ben: rehearsal at 15:30.",
        DAN: "Dan: rehearsal at 15:30.",
    }
    assert {attempt.provider_id for attempt in attempts} == {entry["id"] for entry in taken.values()}

    walk.at("State and record")
    assert walk.states() == ["sent", "sent"]
    entries = walk.rows(select(t.record_entry).order_by(t.record_entry.c.id))
    kinds = ["announcement.accepted", "announcement.judged", "announcement.planned", "deliveries.tried"]
    assert [entry.kind for entry in entries][-4:] == kinds
    assert not any(number.encode() in bytes(entry.body) for entry in entries for number in (MUM, DAN))


def arrived(walk: Walk, capsys: pytest.CaptureFixture[str], announcement: str) -> None:
    walk.at("Later news")
    deadline = time.monotonic() + 20
    while walk.states() != ["delivered", "delivered"] and time.monotonic() < deadline:
        drain_inbox(walk.house.ports, actor=SYSTEM)
        time.sleep(0.05)
    assert walk.states() == ["delivered", "delivered"]

    walk.at("Who got it")
    told = walk.command(capsys, "status", announcement, "--who")
    by_name = {one["name"].split()[0]: one for one in told["who"]}
    states = {name: one["state"] for name, one in by_name.items()}
    assert states == {"Amy": "met", "Ben": "met", "Cat": "lapsed", "Dan": "met"}
    assert by_name["Cat"]["why"] == "no mobile number on file"
    assert MUM not in json.dumps(told)

    with walk.house.ledger.begin() as tx:
        tx.record.seal()
    with walk.house.ledger.reading() as hand:
        assert verify(hand.connection).ok
