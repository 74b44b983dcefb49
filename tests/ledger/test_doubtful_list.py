"""The office's list of doubtful addresses: failing, bounced, shared by many, not confirmed for a year."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from broker.actor import Actor, ActorKind
from broker.address import AddressKind
from broker.announcement import Draft, Part, People, Step
from broker.errors import NotFound
from broker.fanout import plan
from broker.office.doubtful import CONFIRMED_FOR, Doubt, DoubtfulAddress, confirm
from broker.ports import Ports
from broker.rosters.imports import import_roster
from ledger import tables as t
from ledger.connect import Ledger
from ledger.reads.doubtful import doubtful
from ledger.rosters.people import keyed_hash
from tests.support.school import SmallSchool, family

pytestmark = pytest.mark.usefixtures("sandbox_school")
BELL = Actor(ActorKind.PERSON, "Mrs Bell")
MUM, DAD = "+447911100001", "+447911100002"


def bring(ports: Ports, school: SmallSchool | None = None) -> None:
    import_roster(ports, (school or family()).roster(), actor=BELL, expect_leaving=None)


def sent(
    ports: Ports, address: str, state: str, *, outcome: str = "accept", evidence: str | None = None
) -> None:
    """An announcement to the choir, and how it went with one number; everybody else got it."""
    with ports.ledger.begin() as tx:
        draft = Draft(
            "music", "Choir", People.GUARDIANS, (Step(("sms",)),), {Part.SHORT: "Rehearsal at four."}
        )
        made = tx.announcements.add(
            draft, digest="d", actor=BELL, due_at=tx.now, expires_at=tx.now + timedelta(hours=1)
        )
    plan(ports, made.public_id, actor=BELL)
    assert isinstance(ports.ledger, Ledger)
    with ports.ledger.begin() as tx:
        execute, now = tx.hand.connection.execute, tx.now
        one = t.delivery.c.announcement_id == made.id
        execute(
            update(t.delivery).where(one).values(state="delivered", changed_at=now + timedelta(seconds=1))
        )
        ids = select(t.address.c.id).where(t.address.c.value == address)
        execute(
            update(t.delivery)
            .where(one, t.delivery.c.address_id.in_(ids))
            .values(state=state, why="the number is not in use")
        )
        delivery = execute(select(t.delivery.c.id).where(one, t.delivery.c.address_id.in_(ids))).scalar_one()
        attempt = {
            "delivery_id": delivery,
            "fence": 1,
            "account_id": 1,
            "gateway": "twilio",
            "digest": "d",
            "started_at": now,
            "outcome": outcome,
            "evidence": evidence,
        }
        execute(insert(t.attempt).values(attempt))


def listed(ledger: Ledger, *doubts: Doubt) -> dict[str, tuple[Doubt, ...]]:
    with ledger.reading() as hand:
        found = doubtful(hand, doubts=doubts or tuple(Doubt))
        rows = hand.connection.execute(select(t.address.c.id, t.address.c.value))
        values = {row.id: row.value for row in rows}
    return {values[one.id]: one.doubts for one in found}


def number(ledger: Ledger, value: str) -> int:
    with ledger.reading() as hand:
        return int(
            hand.connection.execute(select(t.address.c.id).where(t.address.c.value == value)).scalar_one()
        )


def grow_old(ledger: Ledger, by: timedelta) -> None:
    with ledger.begin() as tx:
        tx.hand.connection.execute(update(t.address).values(confirmed_at=tx.now - by))


def test_a_school_that_was_just_imported_has_nothing_doubtful(ports, ledger):
    bring(ports)
    assert listed(ledger) == {}


def test_a_number_that_the_provider_refuses_is_failing_until_a_message_gets_through(ports, ledger):
    bring(ports)
    sent(ports, MUM, "rejected", outcome="reject", evidence="rejected")
    assert listed(ledger) == {MUM: (Doubt.FAILING,)}
    sent(ports, MUM, "delivered", evidence="delivered")
    assert listed(ledger) == {}
    sent(ports, MUM, "exhausted", outcome="exhaust")
    assert listed(ledger) == {MUM: (Doubt.FAILING,)}


def test_a_message_that_was_taken_and_came_back_is_a_bounce(ports, ledger):
    bring(ports)
    sent(ports, MUM, "rejected", outcome="accept", evidence="rejected")
    assert listed(ledger) == {MUM: (Doubt.BOUNCED,)}


def test_what_everybody_was_refused_is_no_doubt_about_a_number(ports, ledger):
    bring(ports)
    sent(ports, MUM, "rejected", outcome="reject", evidence="rejected")
    with ledger.begin() as tx:
        tx.hand.connection.execute(update(t.delivery).values(state="rejected"))
    assert listed(ledger) == {}


def test_who_asked_for_no_more_is_not_doubtful(ports, ledger, signer):
    bring(ports)
    sent(ports, MUM, "rejected", outcome="reject", evidence="rejected")
    with ledger.begin() as tx:
        tx.people.suppress(keyed_hash(signer, AddressKind.MOBILE, MUM), "sms", source="STOP")
    assert listed(ledger) == {}


def test_an_offices_number_is_shared(ports, ledger):
    school = family()
    school.people["fay"] = replace(school.people["fay"], mobiles=(MUM,))
    bring(ports, school)
    assert listed(ledger) == {MUM: (Doubt.SHARED,)}


def test_what_nobody_confirmed_for_a_year_is_listed_and_a_repeated_import_confirms_nothing(ports, ledger):
    bring(ports)
    grow_old(ledger, CONFIRMED_FOR + timedelta(days=1))
    bring(ports)
    found = listed(ledger)
    assert len(found) == 5
    assert set(found.values()) == {(Doubt.UNCONFIRMED,)}


def test_a_roster_that_brings_a_number_to_its_holder_confirms_it(ports, ledger):
    school = family()
    bring(ports, school)
    grow_old(ledger, CONFIRMED_FOR + timedelta(days=1))
    school.people["ann"] = replace(school.people["ann"], mobiles=(DAD,))
    bring(ports, school)
    assert DAD not in listed(ledger)
    assert MUM in listed(ledger)


def test_confirming_answers_every_doubt_but_that_it_is_shared_and_stands_in_the_record(ports, ledger):
    school = family()
    school.people["fay"] = replace(school.people["fay"], mobiles=(MUM,))
    bring(ports, school)
    grow_old(ledger, CONFIRMED_FOR + timedelta(days=1))
    sent(ports, MUM, "rejected", outcome="reject", evidence="rejected")
    assert listed(ledger)[MUM] == (Doubt.FAILING, Doubt.SHARED, Doubt.UNCONFIRMED)
    with ledger.begin() as tx:  # the call to the family comes after the message that failed
        tx.hand.connection.execute(update(t.delivery).values(changed_at=tx.now - timedelta(minutes=1)))
    confirm(ports, number(ledger, MUM), actor=BELL)
    assert listed(ledger)[MUM] == (Doubt.SHARED,)
    with ledger.reading() as hand:
        newest = hand.connection.execute(select(t.record_entry).order_by(t.record_entry.c.id.desc())).first()
    assert newest is not None
    assert newest.kind == "address.confirmed"
    told = json.loads(bytes(newest.body))
    assert (told["actor"]["id"], told["facts"]) == ("Mrs Bell", {"address": number(ledger, MUM)})


def test_confirming_what_is_not_there_is_refused(ports):
    with pytest.raises(NotFound):
        confirm(ports, 999, actor=BELL)


def test_an_address_whose_holders_have_all_left_is_not_listed(ports, ledger):
    school = family()
    bring(ports, school)
    grow_old(ledger, CONFIRMED_FOR + timedelta(days=1))
    school.leave("mum")
    import_roster(ports, school.roster(), actor=BELL, expect_leaving=1)
    assert MUM not in listed(ledger)


def test_the_list_names_holders_and_their_pupils_masks_addresses_and_comes_in_pages(ports, ledger):
    bring(ports)
    grow_old(ledger, CONFIRMED_FOR + timedelta(days=1))
    seen: list[DoubtfulAddress] = []
    last = 0
    while True:
        with ledger.reading() as hand:
            page = doubtful(hand, doubts=[Doubt.UNCONFIRMED], after=last, limit=2)
        if not page:
            break
        seen += page
        last = page[-1].id
    mum = next(one for one in seen if one.id == number(ledger, MUM))
    assert len(seen) == 5
    assert MUM not in mum.masked
    assert mum.holders[0].source_id == "mum"
    assert len(mum.holders[0].pupils) > 1
