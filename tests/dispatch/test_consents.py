"""Consent as a history, judged in the claim: who said yes, who speaks for whom, and who is too young to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Part, People, Purpose
from broker.audience import parse
from broker.authority import operators
from broker.consent import consents, optouts
from broker.consent.consents import ConsentRefused, Told
from broker.errors import NotAllowed
from broker.office import expressions, families
from broker.office.reach import Question, Statement, before
from broker.ports.approvals import OperatorRole
from broker.rules.ages import CHANNELS
from broker.rules.book import rules_of
from broker.values import StopKind
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.school import SmallSchool

HERS, HIS, AMYS, BENS = (f"+44791110000{n}" for n in range(1, 5))
LONG_AGO = date(2026, 1, 10)


@pytest.fixture
def school() -> SmallSchool:
    """Amy is eleven, Ben fifteen; both have telephones of their own, and so have Mum and Dad."""
    made = SmallSchool()
    made.pupil("Amy", "Choir", mobiles=(AMYS,))
    made.pupil("Ben", "Choir", mobiles=(BENS,))
    made.guardian("Mum", "amy", "ben", mobiles=(HERS,))
    made.guardian("Dad", "amy", "ben", mobiles=(HIS,))
    made.people["amy"] = replace(made.people["amy"], born=date(2015, 5, 1))
    made.people["ben"] = replace(made.people["ben"], born=date(2011, 5, 1))
    return made


@pytest.fixture
def here(world: World, school: SmallSchool) -> World:
    world.bring(school)
    return world


def say(world: World, who: str, yes: bool, **more: Any) -> None:
    consents.keep(world.ports, [Told(who, "sms", yes, "a form", **more)], actor=SYSTEM)


def limit(world: World, written: str) -> None:
    with world.ledger.begin() as tx:
        changed = {**tx.rules.current().changed, CHANNELS: written}
        tx.rules.add(rules_of(changed).changed, by=SYSTEM, why="a test")


def ended(world: World, **more: Any) -> dict[str, str]:
    """What became of a send to the choir: number → state, or why it was refused."""
    said = world.announce(audience="Choir", **more)
    world.plan(said)
    world.send()
    query = (
        select(t.address.c.value, t.delivery.c.state, t.delivery.c.code)
        .join(t.delivery, t.delivery.c.address_id == t.address.c.id)
        .where(t.delivery.c.announcement_id == said.id)
    )
    return {row.value: row.code if row.state == "refused" else row.state for row in world.rows(query)}


def stated(world: World, **more: Any) -> Statement:
    with world.ledger.look() as tx:
        wanted = {"people": People.GUARDIANS, "purpose": Purpose.PROMOTIONAL, **more}
        tree = expressions.resolve(tx, parse("Choir"))
        return before(world.ports, tx, Question(tree, channels=("sms",), department="office", **wanted))


WORDS = {Part.SHORT: "A concert on Friday. Reply STOP to have no more of these."}
PROMOTION = {"purpose": Purpose.PROMOTIONAL, "parts": WORDS}


def test_promotion_goes_to_those_who_said_yes_and_service_to_everybody(here: World) -> None:
    say(here, "mum", True)
    assert ended(here, **PROMOTION) == {HERS: "sent", HIS: "no_consent"}
    assert ended(here) == {HERS: "sent", HIS: "sent"}


def test_what_was_said_last_stands_whatever_the_order_it_is_typed_in(here: World) -> None:
    say(here, "mum", False, said_on=date(2026, 3, 2))
    say(here, "mum", True, said_on=date(2026, 3, 1), evidence="folder 7")
    assert ended(here, **PROMOTION)[HERS] == "no_consent"
    say(here, "mum", True, said_on=date(2026, 3, 3))
    assert ended(here, **PROMOTION)[HERS] == "sent"
    with here.ledger.look() as tx:
        _, history = consents.history_of(tx, "mum")
    assert [(row.given, row.stands, row.evidence) for row in history] == [
        (False, False, ""),
        (True, False, "folder 7"),
        (True, True, ""),
    ]


def test_of_one_days_words_the_no_stands(here: World) -> None:
    say(here, "mum", False, said_on=LONG_AGO)
    say(here, "mum", True, said_on=LONG_AGO)
    assert ended(here, **PROMOTION)[HERS] == "no_consent"


def test_what_is_taken_back_stops_what_is_in_hand_for_every_address_of_theirs(here: World) -> None:
    say(here, "mum", True)
    say(here, "mum", False)
    with here.ledger.look() as tx:
        _, stops = tx.stops.recent()
    [hers] = here.rows(select(t.address.c.id).where(t.address.c.value == HERS))
    assert (StopKind.ADDRESS, hers.id) in {(stop.kind, stop.subject) for stop in stops}
    assert ended(here, **PROMOTION)[HERS] == "no_consent"


def test_who_takes_back_service_messages_gets_none_by_that_way(here: World) -> None:
    say(here, "mum", False, purpose=Purpose.SERVICE)
    assert ended(here) == {HERS: "taken_back", HIS: "sent"}
    say(here, "mum", True, purpose=Purpose.SERVICE)
    assert ended(here) == {HERS: "sent", HIS: "sent"}


def test_below_the_age_of_consent_a_guardian_says_yes(here: World) -> None:
    say(here, "amy", True)
    say(here, "ben", True)
    assert ended(here, people=People.PUPILS, **PROMOTION) == {AMYS: "under_age", BENS: "sent"}
    promised = stated(here, people=People.PUPILS)
    assert [one.why for one in promised.untold] == [
        "under age: below 13 a guardian gives consent to promotional messages, and none has"
    ]
    assert promised.ways["sms"].refused == {"under_age": 1}
    say(here, "amy", True, by="mum")
    say(here, "amy", True)  # her own yes beside it does no harm
    assert ended(here, people=People.PUPILS, **PROMOTION) == {AMYS: "sent", BENS: "sent"}
    say(here, "amy", False)
    assert ended(here, people=People.PUPILS, **PROMOTION)[AMYS] == "no_consent"


def test_a_channels_age_holds_for_service_too_and_from_its_day_on(here: World, school: SmallSchool) -> None:
    everybody = {AMYS: "sent", BENS: "sent"}
    limit(here, "sms 16 from 2099-01-01")
    assert ended(here, people=People.PUPILS) == everybody
    limit(here, "sms 13 from 2024-04-11, sms 16 from 2099-01-01")
    assert ended(here, people=People.PUPILS) == {AMYS: "under_age", BENS: "sent"}
    assert stated(here, people=People.PUPILS, purpose=Purpose.SERVICE).ways["sms"].refused == {"under_age": 1}
    say(here, "amy", True, by="mum", purpose=Purpose.SERVICE)
    assert ended(here, people=People.PUPILS) == everybody


def test_without_a_birth_date_the_year_group_tells_and_nobody_knows_is_too_young(
    here: World, school: SmallSchool
) -> None:
    limit(here, "sms 13 from 2024-04-11")
    school.people["amy"] = replace(school.people["amy"], born=None, year=None)
    school.people["ben"] = replace(school.people["ben"], born=None, year="10")
    here.bring(school)
    assert ended(here, people=People.PUPILS) == {AMYS: "under_age", BENS: "sent"}


def test_a_number_that_a_guardian_holds_too_is_the_guardians(here: World, school: SmallSchool) -> None:
    limit(here, "sms 13 from 2024-04-11")
    school.people["mum"] = replace(school.people["mum"], mobiles=(AMYS,))
    here.bring(school)
    assert ended(here, people=People.PUPILS) == {AMYS: "sent", BENS: "sent"}


def test_nobody_speaks_for_a_pupil_but_a_guardian_whom_no_court_keeps_away(
    here: World, school: SmallSchool
) -> None:
    with pytest.raises(ConsentRefused, match="no guardian"):
        say(here, "amy", True, by="ben")
    families.block(here.ports, "dad", "amy", why="order of the family court", actor=SYSTEM)
    with pytest.raises(ConsentRefused) as refused:
        say(here, "amy", True, by="dad")
    assert refused.value.problem.code == "not_their_guardian"
    with pytest.raises(ConsentRefused, match="speak only for pupils"):
        say(here, "mum", True, by="dad")


def test_of_many_rows_one_that_is_wrong_keeps_all_of_them_out_and_each_is_named(here: World) -> None:
    told = [
        Told("mum", "sms", True, "a form", where="row 2"),
        Told("nobody", "sms", True, "a form", where="row 3"),
        Told("dad", "sms", True, "", where="row 4"),
        Told("dad", "sms", True, "a form", said_on=date(2999, 1, 1), where="row 5"),
    ]
    with pytest.raises(ConsentRefused) as refused:
        consents.keep(here.ports, told, actor=SYSTEM)
    assert [(one.field, one.code) for one in refused.value.problems] == [
        ("row 3.person", "unknown_person"),
        ("row 4.source", "bad_text"),
        ("row 5.on", "bad_date"),
    ]
    assert here.rows(select(t.consent_entry.c.id)) == []


@pytest.mark.parametrize("channel", ["pigeon", ""])
def test_a_channel_that_there_is_not_is_refused(here: World, channel: str) -> None:
    with pytest.raises(ConsentRefused):
        consents.keep(here.ports, [Told("mum", channel, True, "a form")], actor=SYSTEM)


def test_anybody_keeps_a_no_and_only_who_is_named_for_it_lets_hear_again(here: World) -> None:
    operators.add(here.ports, "Mrs Bell", [OperatorRole.AUTHOR, OperatorRole.ADMIN], None, actor=SYSTEM)
    bell, onlooker = (Actor(ActorKind.PERSON, name) for name in ("Mrs Bell", "Mr Low"))
    no, yes = (Told("mum", "sms", given, "a form") for given in (False, True))
    asked = {"why": "asked", "actor": onlooker}
    assert optouts.add(here.ports, "07911 100001", "sms", **asked).changed  # type: ignore[arg-type]
    assert consents.keep(here.ports, [no], actor=onlooker) == 1
    for lets in (
        lambda who: optouts.lift(here.ports, "07911 100001", "sms", why="asked", actor=who),
        lambda who: consents.keep(here.ports, [yes], actor=who),
        lambda who: consents.everything(here.ports, actor=who),
        lambda who: families.unblock(here.ports, "mum", "amy", why="over", actor=who),
    ):
        with pytest.raises(NotAllowed):
            lets(onlooker)
        lets(bell)


def test_the_record_keeps_who_said_what_and_never_the_proof(here: World) -> None:
    say(here, "mum", True, evidence="folder 7, signed A. Bell")
    assert here.record()[-1] == "consent.kept"
    [body] = [row.body for row in here.rows(select(t.record_entry).order_by(t.record_entry.c.id))][-1:]
    assert b"folder 7" not in bytes(body)
    assert len(consents.everything(here.ports, actor=SYSTEM)) == 1
    assert here.record()[-1] == "consent.exported"
