"""What the record keeps: it explains what left while the keys are there, and verifies in silence once they are not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import select

from broker import accounts, intake, recover
from broker.actor import SYSTEM
from broker.announcement import Part, Step
from broker.record import commitment, joint_key
from broker.testing.channel_bench import Fault
from broker.values import Lane
from ledger import tables as t
from ledger.record import verify
from tests.support.broker_world import World
from tests.support.one_worker import OneWorker, Point
from tests.support.school import SmallSchool

NUMBER, EMAIL, WORDS = "+447911123456", "bell.family@example.org", "The rehearsal of {pupil} is at six"


@pytest.fixture
def family(world: World) -> World:
    """Two pupils, one mother; one text to her is about both."""
    school = SmallSchool()
    amy, ben = school.pupil("Amaryllis", "Choir"), school.pupil("Benedict", "Choir")
    school.guardian("Cordelia", amy, ben, mobiles=(NUMBER,), emails=(EMAIL,))
    world.bring(school)
    return world


def committed(world: World) -> list[str]:
    """What the entries of tries commit to."""
    bodies = world.rows(select(t.record_entry.c.body).where(t.record_entry.c.kind == "deliveries.tried"))
    return [row[-1] for body in bodies for row in json.loads(bytes(body.body))["facts"]["tries"]]


def explained(world: World) -> str:
    """The commitment to the one text, made again from what the ledger holds."""
    address = world.rows(select(t.address).where(t.address.c.kind == "mobile"))[0]
    digest = world.rows(select(t.attempt.c.digest))[0].digest
    pupils = world.rows(select(t.person.c.commitment_key).where(t.person.c.is_pupil).order_by(t.person.c.id))
    keys = [address.commitment_key, *(row.commitment_key for row in pupils)]
    return commitment(joint_key(bytes(key) for key in keys if key is not None), address.value, digest)


def test_an_entry_commits_to_address_and_text_under_the_keys_of_all_it_is_about(family: World) -> None:
    family.plan(family.announce(parts={Part.SHORT: WORDS}))
    family.send()
    assert committed(family) == [explained(family)]
    address = family.rows(select(t.address).where(t.address.c.kind == "mobile"))[0]
    digest = family.rows(select(t.attempt.c.digest))[0].digest
    alone = commitment(bytes(address.commitment_key), address.value, digest)
    assert committed(family) != [alone], "the mother's key alone must not tell what was said of her children"


@pytest.mark.parametrize("whose", ["Amaryllis", "Cordelia"])
def test_who_is_erased_leaves_the_record_verifying_and_unexplained(family: World, whose: str) -> None:
    family.plan(family.announce(parts={Part.SHORT: WORDS}))
    family.send()
    family.sweep()
    erase(family, whose)
    with family.ledger.reading() as hand:
        found = verify(hand.connection)
    assert (found.ok, found.unsealed, found.first_fault) == (True, 0, None)
    if whose == "Amaryllis":
        assert committed(family) != [explained(family)]
    else:
        assert family.rows(select(t.address).where(t.address.c.kind == "mobile")) == []


def erase(world: World, given_name: str) -> None:
    """As erasure will: the person's key is destroyed, and with a holder their addresses."""
    with world.ledger.begin() as tx:
        run = tx.hand.connection.execute
        who = run(select(t.person.c.id).where(t.person.c.given_name == given_name)).scalar_one()
        held = select(t.person_address.c.address_id).where(t.person_address.c.person_id == who)
        ids = list(run(held).scalars())
        run(t.person_address.delete().where(t.person_address.c.person_id == who))
        run(t.address.delete().where(t.address.c.id.in_(ids)))
        run(t.person.update().where(t.person.c.id == who).values(given_name="", commitment_key=None))


def test_no_entry_holds_a_number_an_address_a_name_or_the_words(family: World) -> None:
    """After everything that can be done to an announcement."""
    texts = family.channels.texts
    texts.silence = timedelta(0)
    family.plan(family.announce(parts={Part.SHORT: WORDS}, ways=(Step(("sms", "email")),), audience="Choir"))
    texts.order(Fault.TIMEOUT_BEFORE, times=1)
    family.send("texts")
    family.send("mails")
    for _ in range(2):
        family.pass_time(timedelta(minutes=2))
        family.sweep()
    texts.order(Fault.REJECTED_ADDRESS, times=1)
    family.send("texts")
    accounts.pause(family.ports, "texts", "the bill", actor=SYSTEM)
    rejected = family.rows(select(t.delivery.c.id).where(t.delivery.c.state == "rejected"))[0].id
    recover.requeue(family.ports, rejected, actor=SYSTEM)
    family.send("texts")
    said = family.announce(parts={Part.SHORT: WORDS})
    intake.withdraw(family.ports, said.public_id, actor=SYSTEM)
    entries = entries_by_kind(family)
    assert len(entries) >= 9, "a busy day"
    secrets = (NUMBER, NUMBER[3:], EMAIL, "Amaryllis", "Benedict", "Cordelia", "rehearsal", "Bell")
    told = [(kind, secret) for kind, body in entries.items() for secret in secrets if secret in body]
    assert told == []


def test_every_delivery_that_was_withdrawn_stands_in_the_record(thirty: World) -> None:
    said = thirty.announce()
    thirty.plan(said)
    intake.withdraw(thirty.ports, said.public_id, actor=SYSTEM)
    told = thirty.rows(select(t.record_entry.c.body).where(t.record_entry.c.kind == "deliveries.withdrawn"))
    withdrawn = [one for row in told for one in json.loads(bytes(row.body))["facts"]["deliveries"]]
    assert sorted(withdrawn) == [
        row.id for row in thirty.rows(select(t.delivery.c.id).order_by(t.delivery.c.id))
    ]


def test_a_late_proof_that_nothing_left_stands_in_the_record(family: World) -> None:
    """The worker is overtaken between its start and its call; its brake keeps it from calling, which it tells late."""
    family.plan(family.announce())
    worker = OneWorker(family, "texts", family.channels.texts, Lane.ROUTINE)
    while worker.point is not Point.STARTED:
        worker.step()
    family.pass_time(timedelta(minutes=2))
    family.sweep()
    assert family.states() == {"uncertain": 1}
    while not worker.done:
        worker.step()
    assert family.states() == {"queued": 1}
    assert "it proved that it had not left" in entries_by_kind(family)["deliveries.moved"]


def test_why_an_account_was_stopped_and_went_on_stands_in_the_record(world: World) -> None:
    accounts.pause(world.ports, "texts", "the bill", actor=SYSTEM)
    accounts.resume(world.ports, "texts", actor=SYSTEM, why="paid")
    kinds = entries_by_kind(world)
    assert "the bill" in kinds["account.paused"]
    assert "paid" in kinds["account.resumed"]


def entries_by_kind(world: World) -> Mapping[str, str]:
    rows = world.rows(select(t.record_entry.c.kind, t.record_entry.c.body))
    kinds: dict[str, str] = {}
    for row in rows:
        kinds[row.kind] = kinds.get(row.kind, "") + bytes(row.body).decode()
    return kinds
