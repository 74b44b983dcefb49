"""Heads of the record leave the house: mailed to governors by the ordinary dispatch, and read from their mails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from broker.actor import Actor, ActorKind
from broker.authority import rule_changes
from broker.errors import NotFound, RuleBroken
from broker.scrutiny import governors
from broker.scrutiny.heads import read_heads
from broker.values import Lane
from config.signer import HmacSigner
from ledger import tables as t
from ledger.connect import open_ledger
from ledger.scrutiny.audit import audit
from ledger.setup import ConfiguredAccount, install
from tests.record.conftest import SCHOOL
from tests.support.broker_world import World
from tests.support.tampering import without_guards

BELL = Actor(ActorKind.PERSON, "Mrs Bell")


@pytest.fixture
def world(ledger_url: str) -> Iterator[World]:
    signer = HmacSigner(b"a secret of the tests")
    ledger = open_ledger(ledger_url, signer)
    accounts = [ConfiguredAccount("texts", "sms"), ConfiguredAccount("mails", "email")]
    install(ledger, SCHOOL, {"office": "School office"}, accounts)
    yield World.over(ledger, signer)
    ledger.close()


def swept(world: World) -> None:
    report = world.sweep()
    assert report.clean, report.failed


def mailed(world: World) -> list[str]:
    world.send("mails", lane=Lane.URGENT)
    return [each.address for each in world.channels.mails.truth]


def change_the_past(connection: Connection) -> None:
    """Another name in what was sealed; then all seals go, and the sweep makes new ones."""
    entry = connection.execute(select(t.record_entry).where(t.record_entry.c.kind == "governor.added")).one()
    body = bytes(entry.body).replace(b"Mrs Bell", b"Mr Hook")
    connection.execute(t.record_entry.update().where(t.record_entry.c.id == entry.id).values(body=body))
    connection.execute(t.record_seal.delete())


def test_each_governor_is_mailed_the_head_once_and_again_when_it_is_time(world: World) -> None:
    swept(world)
    assert mailed(world) == []
    governors.add(world.ports, "Dr Okafor", "okafor@example.org", actor=BELL)
    governors.add(world.ports, "Mr Hook", "hook@example.org", actor=BELL)
    for _ in range(3):
        swept(world)
    assert sorted(mailed(world)) == ["hook@example.org", "okafor@example.org"]
    world.pass_time(timedelta(days=6))
    swept(world)
    assert len(mailed(world)) == 2
    governors.remove(world.ports, "Mr Hook", actor=BELL)
    world.pass_time(timedelta(days=2))
    swept(world)
    assert mailed(world)[2:] == ["okafor@example.org"]


def test_what_a_governor_was_mailed_shows_a_record_made_anew(world: World) -> None:
    governors.add(world.ports, "Dr Okafor", "okafor@example.org", actor=BELL)
    swept(world)
    swept(world)
    [words] = world.rows(select(t.content.c.text).where(t.content.c.part == "long"))
    [head] = read_heads(words.text)
    assert audit(world.ledger, [head]).ok
    with world.ledger.begin() as tx, without_guards(tx.hand.connection):
        change_the_past(tx.hand.connection)
        tx.hand.connection.execute(t.record_head.delete())
    swept(world)
    assert audit(world.ledger).seals.ok, "made anew, it agrees with itself"
    [fault] = audit(world.ledger, [head]).faults
    assert fault.where == "head"


def test_the_schools_own_list_of_heads_finds_a_clumsy_thief(world: World) -> None:
    governors.add(world.ports, "Dr Okafor", "okafor@example.org", actor=BELL)
    swept(world)
    swept(world)
    with world.ledger.begin() as tx, without_guards(tx.hand.connection):
        change_the_past(tx.hand.connection)
    swept(world)
    assert [fault.where for fault in audit(world.ledger).faults] == ["head"]


def test_never_is_never(world: World) -> None:
    rule_changes.change(world.ports, "record.mail_every", "0", "we print it", actor=BELL)
    governors.add(world.ports, "Dr Okafor", "okafor@example.org", actor=BELL)
    swept(world)
    swept(world)
    assert mailed(world) == []


def test_who_cannot_be_a_governor_is_refused(world: World) -> None:
    with pytest.raises(RuleBroken):
        governors.add(world.ports, "Dr Okafor", "no email", actor=BELL)
    with pytest.raises(NotFound):
        governors.remove(world.ports, "Dr Okafor", actor=BELL)
    for n in range(governors.MOST):
        governors.add(world.ports, f"G{n}", f"g{n}@example.org", actor=BELL)
    with pytest.raises(RuleBroken, match="already"):
        governors.add(world.ports, "One more", "more@example.org", actor=BELL)
