"""Four children, two shared numbers, one child under a court block: the texts, the names and the duties, exactly.

End to end on both databases: the roster comes in, the statement is made, texts and mails leave through the real
gateways, and what the stand-ins took is compared word for word.
"""

from __future__ import annotations

import email
import email.policy
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from broker import dispatch, fanout, intake
from broker.actor import SYSTEM
from broker.announcement import Announcement, Draft, Part, People, Step, Urgency
from broker.audience import parse
from broker.brake import Brake, keep_fresh
from broker.office import expressions, families
from broker.office.reach import Question, Statement, before
from broker.rosters.imports import import_roster
from broker.values import Lane
from config.assembly import House, assemble
from config.settings import load
from ledger.reads.reach import after
from ledger.reads.reached import reached
from sandbox.client import RunningSandbox, start_sandbox
from tests.support.school import SmallSchool
from workers.loop import Loop

HERS, HIS, OFFICE = "+447911100001", "+447911100002", "+447911100003"
MAIL = "bells@example.org"
WORDS = "Dear {guardian}, {pupil} of {class}: the coach leaves at eight."
FORMS = {"amy": "7A", "ben": "7B", "cal": "9A", "dee": "7B"}


def the_bells() -> SmallSchool:
    """Mum and Gran share one number, Dad has the other, Mum and Dad one mail; a court keeps Dad from Cal.

    Next door, two families who are no relations of each other share the number of an office.
    """
    school = SmallSchool()
    for name in ("Amy", "Ben", "Cal", "Dee"):
        school.pupil(name, "Choir")
    school.guardian("Mum", *FORMS, mobiles=(HERS,), emails=(MAIL,))
    school.guardian("Gran", *FORMS, mobiles=(HERS,))
    school.guardian("Dad", *FORMS, mobiles=(HIS,), emails=(MAIL,))
    for child, adult in (("Eve", "Fay"), ("Gus", "Hal")):
        school.guardian(adult, school.pupil(child, "Choir"), mobiles=(OFFICE,))
    order = {"mum": 1, "dad": 2, "gran": 3}
    school.guardianships = [
        replace(held, priority=order.get(held.guardian, 1)) for held in school.guardianships
    ]
    for child, form in FORMS.items():
        school.people[child] = replace(school.people[child], form=form)
    return school


@dataclass
class Office:
    """The school's house with its hands, and what the stand-ins took."""

    house: House
    loop: Loop
    sandbox: RunningSandbox

    def state(self, via: str, people: People = People.GUARDIANS) -> Statement:
        with self.house.ledger.look() as tx:
            tree = expressions.resolve(tx, parse("Choir"))
            return before(self.house.ports, tx, Question(tree, people, tuple(via.split(",")), "office"))

    def announce(self, via: str, **more: Any) -> Announcement:
        draft = Draft("office", "Choir", People.GUARDIANS, (Step(tuple(via.split(","))),), {Part.LONG: WORDS})
        said = intake.accept(self.house.ports, replace(draft, **more), actor=SYSTEM).announcement
        fanout.plan(self.house.ports, said.public_id, actor=SYSTEM)
        return said

    def send(self, lane: Lane = Lane.ROUTINE) -> None:
        brake, over, faults = Brake(self.house.ledger), threading.Event(), list[Exception]()
        reader = threading.Thread(target=keep_fresh, args=(brake, over, faults.append))
        reader.start()
        try:
            for account in ("texts", "mails"):
                self.loop.run(
                    dispatch.deliver(
                        self.house.ports,
                        account,
                        lane,
                        process=dispatch.Process(brake, SYSTEM),
                        budget=timedelta(seconds=20),
                    )
                )
        finally:
            over.set()
            reader.join()
        assert not faults

    def texts(self) -> dict[str, str]:
        taken = [entry for entry in self.sandbox.truth() if entry["channel"] == "sms"]
        assert len({entry["to"] for entry in taken}) == len(taken), "one text an address"
        return {entry["to"]: entry["body"] for entry in taken}

    def mails(self) -> list[tuple[str, str]]:
        return [
            (entry["to"], _words(entry["content"]))
            for entry in self.sandbox.truth()
            if entry["channel"] == "email"
        ]

    def told(self, said: Announcement) -> dict[str, tuple[str, set[str], str]]:
        """Child → how the duty stands, the ways, and why not."""
        with self.house.ledger.look() as tx:
            page = reached(tx.hand, tx.announcements.by_id(said.id))
        return {
            one.name.split()[0]: (one.state.value, {way.channel for way in one.ways}, one.why) for one in page
        }

    def stated(self, said: Announcement) -> Statement:
        with self.house.ledger.look() as tx:
            return after(tx.hand, tx.announcements.by_id(said.id), {})


def _words(raw: str) -> str:
    letter = email.message_from_string(raw, policy=email.policy.default)
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@pytest.fixture
def office(ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    with start_sandbox(tmp_path / "truth.jsonl", flags=["--keep-content"]) as sandbox:
        environ = {
            "DATA_DIR": str(tmp_path),
            "DATABASE_URL": ledger_url,
            "SECRET_KEY": "a-secret-of-the-tests-and-of-nobody-else",
            "SANDBOX": "true",
            "DEPARTMENTS": "office",
            "ACCOUNTS__TEXTS__CHANNEL": "sms",
            "ACCOUNTS__TEXTS__ACCOUNT_SID": sandbox.account_sid,
            "ACCOUNTS__TEXTS__AUTH_TOKEN": sandbox.auth_token,
            "ACCOUNTS__TEXTS__SENDER": "+447400123456",
            "ACCOUNTS__TEXTS__API_BASE_URL": sandbox.twilio_url,
            "ACCOUNTS__MAILS__CHANNEL": "email",
            "ACCOUNTS__MAILS__HOST": sandbox.smtp_host,
            "ACCOUNTS__MAILS__PORT": str(sandbox.smtp_port),
            "ACCOUNTS__MAILS__SECURITY": "none",
            "ACCOUNTS__MAILS__SENDER": "office@stbrides.example.org",
            "ACCOUNTS__MAILS__REPLY_TO": "office@stbrides.example.org",
        }
        settings = load(environ={f"CARILLON_{name}": value for name, value in environ.items()}, env_file=None)
        with closing(Loop()) as loop, assemble(settings, serves=True) as house:
            import_roster(house.ports, the_bells().roster(), actor=SYSTEM)
            families.block(house.ports, "dad", "cal", why="order of the family court", actor=SYSTEM)
            yield Office(house, loop, sandbox)


def test_texts_names_and_duties_are_exactly_right(office: Office) -> None:
    promised = office.state("sms,email")
    assert (promised.people, promised.reached, promised.untold) == (6, 6, [])
    assert {name: (way.addresses, way.people) for name, way in promised.ways.items()} == {
        "sms": (3, 6),
        "email": (1, 3),
    }

    said = office.announce("sms,email")
    office.send()

    assert office.texts() == {
        HERS: "Dear Mum Bell and Gran Bell, Amy, Ben, Cal and Dee of 7A, 7B and 9A: the coach leaves at eight.",
        HIS: "Dear Dad Bell, Amy, Ben and Dee of 7A and 7B: the coach leaves at eight.",
        # Strangers share it: no name is said to either.
        OFFICE: "Dear parent or carer, your child of the class: the coach leaves at eight.",
    }
    # Dad reads the mail too, so that it must not tell of Cal.
    [(to, words)] = office.mails()
    assert to == MAIL
    assert "Dear Mum Bell and Dad Bell, Amy, Ben and Dee of 7A and 7B: the coach leaves at eight." in words
    assert "Cal" not in words

    both, text = {"sms", "email"}, {"sms"}
    assert office.told(said) == {
        "Amy": ("met", both, ""),
        "Ben": ("met", both, ""),
        "Cal": ("met", text, ""),
        "Dee": ("met", both, ""),
        "Eve": ("met", text, ""),
        "Gus": ("met", text, ""),
    }
    came = office.stated(said)
    assert (came.people, came.reached, came.untold, came.ways) == (6, 6, [], promised.ways)


def test_nothing_overrides_the_block_and_who_is_not_reached_is_named_before_and_after(office: Office) -> None:
    promised = office.state("email")
    why = {one.name: one.why for one in promised.untold}
    assert why["Cal Bell"] == "contact is blocked for this child"
    assert why["Eve Bell"] == "no email on file"
    assert (promised.people, promised.reached) == (6, 3)

    said = office.announce("email", urgency=Urgency.URGENT)
    office.send(Lane.URGENT)
    [(to, words)] = office.mails()
    assert (to, "Cal" in words) == (MAIL, False)
    came = office.stated(said)
    assert (came.people, came.reached) == (6, 3)
    assert {one.name for one in came.untold} == set(why)
    assert office.told(said)["Cal"] == ("lapsed", set(), "contact is blocked for this child")


def test_the_first_contact_alone_is_told_once_and_of_all(office: Office) -> None:
    said = office.announce("sms", people=People.FIRST)
    office.send()
    assert set(office.texts()) == {HERS, OFFICE}
    assert "Amy, Ben, Cal and Dee" in office.texts()[HERS]
    assert {state for state, _, _ in office.told(said).values()} == {"met"}
