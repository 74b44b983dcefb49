"""STOP from a number, the roster imported again, a send: refused as opted out. START: sent. On both databases.

Everything is real but the provider: the web listens on loopback, the stand-in signs its texts as Twilio does, and knows
by itself who said STOP.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from broker import confirm, dispatch, fanout, intake
from broker.actor import SYSTEM
from broker.announcement import Announcement, Draft, Part, People, Step
from broker.audience import parse
from broker.brake import Brake, keep_fresh
from broker.office import expressions
from broker.office.reach import Question, Statement, before
from broker.rosters.imports import import_roster
from broker.values import Lane
from config.assembly import House, assemble
from config.settings import Settings, load
from ledger import tables as t
from sandbox.client import RunningSandbox, start_sandbox
from tests.support.installed import wait_until
from tests.support.school import SmallSchool
from tests.support.servers import free_port
from web.app import create_app
from web.serve import serving
from workers.loop import Loop

HERS, HIS = "+447911100001", "+447911100002"


def two_families() -> SmallSchool:
    school = SmallSchool()
    school.guardian("Mum", school.pupil("Amy", "Choir"), mobiles=(HERS,))
    school.guardian("Dad", school.pupil("Ben", "Choir"), mobiles=(HIS,))
    return school


@dataclass
class Office:
    """The school's house, its door on loopback, and the stand-in that texts to it."""

    house: House
    loop: Loop
    sandbox: RunningSandbox
    door: str

    def text(self, sender: str, body: str, **more: str | int | bool) -> str:
        return self.sandbox.control.text_from(
            sender, body, url=f"{self.door}/callbacks/texts/inbound", **more
        )

    def heard(self, count: int) -> None:
        """Wait for so many callbacks in the inbox, then confirm them."""
        wait_until(lambda: self.waiting() >= count, within=timedelta(seconds=20), what=f"{count} texts heard")
        confirm.drain_inbox(self.house.ports, actor=SYSTEM)

    def waiting(self) -> int:
        with self.house.ledger.reading() as hand:
            rows = hand.connection.execute(select(t.receipt.c.id).where(t.receipt.c.confirmed_at.is_(None)))
            return len(rows.all())

    def bring(self) -> None:
        import_roster(self.house.ports, two_families().roster(), actor=SYSTEM)

    def announce_and_send(self) -> dict[str, str]:
        """A send; each number's delivery as it ended."""
        words = {Part.SHORT: "The coach leaves at eight."}
        draft = Draft("office", "Choir", People.GUARDIANS, (Step(("sms",)),), words)
        said = intake.accept(self.house.ports, draft, actor=SYSTEM).announcement
        fanout.plan(self.house.ports, said.public_id, actor=SYSTEM)
        brake, over, faults = Brake(self.house.ledger), threading.Event(), list[Exception]()
        reader = threading.Thread(target=keep_fresh, args=(brake, over, faults.append))
        reader.start()
        try:
            process = dispatch.Process(brake, SYSTEM)
            budget = timedelta(seconds=20)
            self.loop.run(
                dispatch.deliver(self.house.ports, "texts", Lane.ROUTINE, process=process, budget=budget)
            )
        finally:
            over.set()
            reader.join()
        assert not faults
        return self.ended(said)

    def ended(self, said: Announcement) -> dict[str, str]:
        query = (
            select(t.address.c.value, t.delivery.c.state, t.delivery.c.code)
            .join(t.delivery, t.delivery.c.address_id == t.address.c.id)
            .where(t.delivery.c.announcement_id == said.id)
        )
        with self.house.ledger.reading() as hand:
            rows = hand.connection.execute(query).all()
        return {row.value: row.code if row.state == "refused" else row.state for row in rows}

    def state(self) -> Statement:
        with self.house.ledger.look() as tx:
            tree = expressions.resolve(tx, parse("Choir"))
            return before(self.house.ports, tx, Question(tree, People.GUARDIANS, ("sms",), "office"))


@pytest.fixture
def office(ledger_url: str, tmp_path: Path) -> Iterator[Office]:
    with start_sandbox(tmp_path / "truth.jsonl") as sandbox:
        port = free_port()
        door = f"http://127.0.0.1:{port}"
        settings = _settings(tmp_path, ledger_url, sandbox, door)
        with closing(Loop()) as loop, assemble(settings, serves=True) as house:
            app = create_app(house.ports, settings)
            with serving(app, "127.0.0.1", port):
                made = Office(house, loop, sandbox, door)
                made.bring()
                yield made


def _settings(folder: Path, ledger_url: str, sandbox: RunningSandbox, door: str) -> Settings:
    environ = {
        "DATA_DIR": str(folder),
        "DATABASE_URL": ledger_url,
        "SECRET_KEY": "a-secret-of-the-tests-and-of-nobody-else",
        "SANDBOX": "true",
        "PUBLIC_URL": door,
        "ACCOUNTS__TEXTS__CHANNEL": "sms",
        "ACCOUNTS__TEXTS__ACCOUNT_SID": sandbox.account_sid,
        "ACCOUNTS__TEXTS__AUTH_TOKEN": sandbox.auth_token,
        "ACCOUNTS__TEXTS__SENDER": "+447400123456",
        "ACCOUNTS__TEXTS__API_BASE_URL": sandbox.twilio_url,
    }
    return load(environ={f"CARILLON_{name}": value for name, value in environ.items()}, env_file=None)


def test_stop_holds_through_a_new_import_until_start(office: Office) -> None:
    office.text(HERS, "Stop.")
    office.heard(1)
    office.bring()
    promised = office.state()
    assert {one.name: one.why for one in promised.untold} == {
        "Amy Bell": "this address asked for no more messages"
    }
    assert office.announce_and_send() == {HERS: "opted_out", HIS: "sent"}
    assert {entry["to"] for entry in office.sandbox.truth("sms")} == {HIS}

    office.text(HERS, "START")
    office.heard(1)
    assert office.announce_and_send() == {HERS: "sent", HIS: "sent"}
    assert {entry["to"] for entry in office.sandbox.truth("sms")} == {HERS, HIS}


def test_a_text_that_is_played_again_or_forged_changes_nothing(office: Office) -> None:
    start = office.text(HERS, "START")
    office.heard(1)
    office.text(HERS, "STOP", times=3)
    office.heard(1)
    office.text(HERS, "START", sid=start)  # signed, and heard before
    office.text(HERS, "START", forged=True)
    office.text(HIS, "hello")
    office.heard(1)
    assert office.announce_and_send() == {HERS: "opted_out", HIS: "sent"}


def test_what_the_provider_alone_knows_of_is_learned_from_its_refusal(office: Office) -> None:
    office.sandbox.control.order(f"twilio:error:to={HERS},code=21610")
    assert office.announce_and_send() == {HERS: "rejected", HIS: "sent"}
    office.sandbox.control.clear()
    assert office.announce_and_send() == {HERS: "opted_out", HIS: "sent"}


def test_what_is_no_keyword_is_recorded_for_a_person_and_opts_nobody_out(office: Office) -> None:
    office.text(HERS, "Amy is ill today")
    office.heard(1)
    with office.house.ledger.reading() as hand:
        [kept] = hand.connection.execute(select(t.answer.c.text, t.answer.c.done_at)).all()
    assert (kept.text, kept.done_at) == ("Amy is ill today", None)
    assert office.announce_and_send() == {HERS: "sent", HIS: "sent"}
