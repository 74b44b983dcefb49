"""The reach statement: who will be told and who will not, and that sending comes to the same."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from broker import accounts
from broker.actor import SYSTEM
from broker.address import AddressKind
from broker.announcement import Announcement, Part, People, Purpose, Step
from broker.audience import parse
from broker.duty import DutyState
from broker.errors import InvalidAnnouncement
from broker.licences import licensing
from broker.office import expressions, families
from broker.office.reach import NO_PERSONAL_WAY, Question, Statement, Way, before, kinds_of
from broker.testing.provider import PretendKit, PretendProvider
from ledger import tables as t
from ledger.audience import members
from ledger.reads.reach import after, week
from ledger.reads.reached import reached, reached_in_order
from ledger.reads.status import status
from ledger.rosters.people import keyed_hash
from ledger.setup import ConfiguredAccount, install
from tests.support.broker_world import SURROUNDINGS, World
from tests.support.school import SmallSchool, family
from tests.support.world_with_x import SCHOOL

MUM, DAD, FAY = (f"+44791110000{n}" for n in (1, 2, 3))
STOPPED = "this address asked for no more messages"
NO_NUMBER, NO_MAIL = "no mobile number on file", "no email on file"


@pytest.fixture
def school() -> SmallSchool:
    """The family, next door, and a pupil without a guardian."""
    made = family()
    made.pupil("Gus", "7B")
    return made


def state(world: World, audience: str = "Choir + 7B", ways: str = "sms,email", **more: Any) -> Statement:
    with world.ledger.look() as tx:
        tree = expressions.resolve(tx, parse(audience))
        wanted = {"people": People.GUARDIANS, "department": "office", **more}
        channels = tuple(filter(None, ways.split(",")))
        return before(world.ports, tx, Question(tree, channels=channels, **wanted))


def stated(world: World, announcement: Announcement) -> Statement:
    with world.ledger.look() as tx:
        kinds = {"sms": AddressKind.MOBILE, "email": AddressKind.EMAIL}
        said = tx.announcements.by_id(announcement.id)
        return after(tx.hand, said, {name: kinds[name] for name in said.ways[0].channels})


def send_all(world: World, announcement: Announcement) -> None:
    """A busy machine may let a brake grow stale: what it kept back goes in the next turn."""
    for _ in range(10):
        for account in ("texts", "mails"):
            world.send(account)
        if not {"queued", "sending"} & world.states(announcement).keys():
            return


def whys(statement: Statement) -> dict[str, str]:
    return {one.name.split()[0]: one.why for one in statement.untold}


def stop(world: World, kind: AddressKind, value: str, channel: str) -> None:
    with world.ledger.begin() as tx:
        tx.people.suppress(keyed_hash(world.ports.signer, kind, value), channel, source="STOP")


def test_every_way_is_counted_and_who_has_none_is_named_with_form_and_reason(world, school):
    school.people["gus"] = replace(school.people["gus"], year="7", form="7B")
    world.bring(school)
    found = state(world)
    assert (found.people, found.reached) == (6, 5)
    assert found.ways == {"sms": Way(3, 5), "email": Way(1, 4)}
    assert [(one.name, one.group, one.why) for one in found.untold] == [
        ("Gus Bell", "7B", "no guardian on file")
    ]


def test_who_was_not_told_is_told_of_as_exactly_in_the_list_of_everybody(world, school):
    school.guardian("Uma", "gus", mobiles=())
    school.people["uma"] = replace(school.people["uma"], mobile_refused=True)
    world.bring(school)
    said = world.announce(audience="7B", ways=(Step(("sms", "email")),))
    world.plan(said)
    send_all(world, said)
    with world.ledger.look() as tx:
        known = tx.announcements.by_id(said.id)
        kinds = kinds_of(world.ports.channels, known)
        listed = {one.person: one.why for one in reached(tx.hand, known, unmet=True, kinds=kinds)}
    found = stated(world, said)
    assert whys(found)["Gus"] == f"sms: the mobile number on file cannot be used; email: {NO_MAIL}"
    assert listed == {one.person: one.why for one in found.untold}


def test_a_way_says_by_name_what_stands_against_it(world, school):
    for n, name in enumerate(("Hal", "Jon", "Kim", "Lou"), start=5):
        child = school.pupil(name, "7B")
        number = () if name == "Jon" else (f"+44791110000{n}",)
        school.guardian(
            f"Of{name}", child, mobiles=number, emails=("k@example.org",) if name == "Kim" else ()
        )
    school.block("ofhal", "hal")
    world.bring(school)
    stop(world, AddressKind.MOBILE, FAY, "sms")
    stop(world, AddressKind.MOBILE, "+447911100007", "sms")
    stop(world, AddressKind.EMAIL, "k@example.org", "email")
    found = state(world, "7B")
    assert whys(found) == {
        "Eve": f"sms: {STOPPED}; email: {NO_MAIL}",
        "Gus": "no guardian on file",
        "Hal": "contact is blocked for this child",
        "Jon": f"sms: {NO_NUMBER}; email: {NO_MAIL}",
        "Kim": STOPPED,
    }
    assert found.ways["sms"] == Way(3, 2, {"opted_out": 2})
    assert whys(state(world, "7B", "sms"))["Jon"] == NO_NUMBER


def test_a_number_that_cannot_be_used_is_told_from_none_at_all(world, school):
    world.bring(school)
    world.sql("UPDATE person SET mobile_refused = true WHERE source_id = 'fay'")
    world.sql("DELETE FROM person_address WHERE person_id = (SELECT id FROM person WHERE source_id = 'fay')")
    assert (
        whys(state(world, "7B"))["Eve"] == f"sms: the mobile number on file cannot be used; email: {NO_MAIL}"
    )


def test_a_number_lost_to_a_blocked_guardian_counts_as_blocked(world, school):
    school.people["mum"] = replace(school.people["mum"], mobiles=(DAD,))
    school.block("dad", "ann")
    world.bring(school)
    assert whys(state(world, "Choir & 7B")) == {"Ann": "contact is blocked for this child"}


def test_promotion_reaches_only_who_consented(world, school):
    world.bring(school)
    with world.ledger.begin() as tx:
        mum = tx.hand.connection.execute(select(t.person.c.id).where(t.person.c.source_id == "mum"))
        row = {"person_id": mum.scalar_one(), "channel": "sms", "purpose": "promotional", "given": True}
        tx.hand.connection.execute(t.consent.insert().values(**row, source="a form", at=tx.now))
    found = state(world, purpose=Purpose.PROMOTIONAL)
    assert found.ways == {"sms": Way(1, 4, {"no_consent": 2}), "email": Way(0, 0, {"no_consent": 1})}
    assert set(whys(found)) == {"Eve", "Gus"}
    assert "no consent for promotional messages" in whys(found)["Eve"]


def test_a_paused_account_is_told_and_still_counts(world, school):
    world.bring(school)
    accounts.pause(world.ports, "texts", "a test", actor=SYSTEM)
    found = state(world, ways="sms")
    assert found.reached == 5
    assert found.ways["sms"].waits == "the account it would go by is paused"


def test_without_a_personal_way_nobody_is_reached(world, school):
    world.bring(school)
    found = state(world, ways="")
    assert (found.people, found.reached, found.ways) == (6, 0, {})
    assert set(whys(found).values()) == {NO_PERSONAL_WAY}


def with_a_feed(world: World) -> None:
    named = {"texts": "sms", "mails": "email", "feed": "rss"}
    kit = PretendKit(PretendProvider(), askable=False, address_kind=None)
    world.channels.kits["rss"], world.channels.opened["feed"] = kit, kit.open("feed", {}, SURROUNDINGS)
    accounts_ = [ConfiguredAccount(*one) for one in named.items()]
    install(world.ledger, SCHOOL, {"music": "Music", "office": "School office"}, accounts_, sandbox=True)
    licensing.give_specimens(world.ports)


def test_what_is_for_anybody_to_read_leaves_nobody_untold_before_and_after(world, school):
    world.bring(school)
    with_a_feed(world)
    found = state(world, ways="rss")
    assert (found.people, found.reached, found.public, found.for_anybody) == (6, 0, ("rss",), True)
    assert not found.untold
    said = world.announce(audience="Choir + 7B", ways=(Step(("rss",)),))
    world.plan(said)
    with world.ledger.look() as tx:
        known = tx.announcements.by_id(said.id)
        since, stands = after(tx.hand, known, {}), status(tx.hand, known.public_id)
        assert not reached(tx.hand, known)
        assert reached_in_order(tx.hand, known) == ([], None)
    assert (since.people, since.reached, since.public, since.for_anybody) == (6, 0, ("rss",), True)
    assert not since.untold
    assert stands is not None
    assert (stands.for_anybody, set(stands.duties.values())) == (True, {0})


def test_beside_a_personal_way_whom_that_does_not_reach_is_untold_whatever_everybody_reads(world, school):
    world.bring(school)
    with_a_feed(world)
    assert set(whys(state(world, ways="rss,sms"))) == {"Gus"}
    said = world.announce(audience="7B", ways=(Step(("sms", "rss")),))
    world.plan(said)
    send_all(world, said)
    with world.ledger.look() as tx:
        stands = status(tx.hand, said.public_id)
    assert stands is not None
    assert (stands.for_anybody, stands.duties[DutyState.LAPSED]) == (False, 1)


def test_a_way_without_an_account_is_one_clear_error(world, school):
    world.bring(school)
    world.sql("UPDATE account SET active = false WHERE name = 'mails'")
    with pytest.raises(InvalidAnnouncement) as caught:
        state(world)
    assert (caught.value.problem.code, caught.value.problem.field) == ("no_account", "via")


def test_after_sending_the_ledger_says_the_same(world, school):
    world.bring(school)
    said = world.announce(audience="Choir + 7B", ways=(Step(("sms", "email")),))
    promised = state(world)
    world.plan(said)
    under_way = stated(world, said)
    assert (under_way.people, under_way.reached, under_way.open) == (6, 0, 5)
    world.send("texts")
    world.send("mails")
    came = stated(world, said)
    assert (came.people, came.reached, came.open) == (promised.people, promised.reached, 0)
    assert came.ways == promised.ways
    assert whys(came) == whys(promised)


def test_after_sending_a_refused_number_is_named_with_its_reason(world, school):
    world.bring(school)
    stop(world, AddressKind.MOBILE, FAY, "sms")
    said = world.announce(audience="7B")
    world.plan(said)
    world.send("texts")
    came = stated(world, said)
    assert whys(came) == {"Eve": f"sms: {STOPPED}", "Gus": "no guardian on file"}
    assert (came.people, came.reached) == (3, 1)


def test_a_family_is_told_how_many_messages_it_had_this_week(world, school):
    world.bring(school)
    for _ in range(2):
        said = world.announce(audience="Choir", ways=(Step(("sms", "email")),))
        world.plan(said)
    said = world.announce(audience="7B")
    world.plan(said)
    world.send("texts")
    world.send("mails")
    with world.ledger.reading() as hand:
        found = week(hand)
    # Two by two numbers and one mail, to one family of four; then both numbers about Ann, and Fay's about Eve.
    assert found.messages == 2 * 3 + 2 + 1
    assert [(one.pupils, one.messages) for one in found.families] == [
        ("Ann Bell, Ben Bell, Cat Bell, Dan Bell", 8),
        ("Eve Bell", 1),
    ]
    with world.ledger.look() as tx:
        among = members(expressions.resolve(tx, parse("7B - Choir")), People.GUARDIANS, date(2026, 11, 22))
        theirs = week(tx.hand, among)
    assert (theirs.messages, [one.pupils for one in theirs.families]) == (1, ["Eve Bell"])


def test_a_week_later_nothing_is_counted_any_more(world, school):
    world.bring(school)
    said = world.announce(audience="Choir")
    world.plan(said)
    world.send("texts")
    with world.ledger.begin() as tx:
        past = tx.now.replace(year=tx.now.year - 1)
        tx.hand.connection.execute(t.announcement.update().values(due_at=past))
    with world.ledger.reading() as hand:
        assert (week(hand).messages, week(hand).families) == (0, [])


def odd_school(seed: int) -> SmallSchool:
    """Thirty pupils whose guardians share numbers and mails, have none, or are kept away by a court."""
    chance = random.Random(seed)
    school = SmallSchool()
    for n in range(30):
        own = (f"+4479111{n + 500:05d}",) if chance.random() < 0.3 else ()
        school.pupil(f"P{n}", "Choir" if chance.random() < 0.7 else "Band", mobiles=own)
    for n in range(35):
        numbers = (f"+4479111{chance.randrange(25):05d}",) if chance.random() < 0.8 else ()
        mails = (f"m{chance.randrange(25)}@example.org",) if chance.random() < 0.6 else ()
        children = [f"p{each}" for each in chance.sample(range(30), chance.randrange(4))]
        school.guardian(f"G{n}", *children, mobiles=numbers, emails=mails)
    school.guardianships = [
        replace(held, priority=chance.randrange(1, 4), blocked=chance.random() < 0.15)
        for held in school.guardianships
    ]
    for n in range(5):
        school.staff(f"S{n}", "Choir", mobiles=(f"+4479111{n:05d}",) if n % 2 else ())
    return school


@pytest.mark.parametrize("seed", range(3))
def test_what_is_stated_before_is_what_sending_comes_to(world, seed):
    """One truth with the dispatcher: whoever is told, by however odd a family, was promised, and nobody else."""
    world.bring(odd_school(seed))
    chance = random.Random(seed)
    for n in range(0, 25, 3):
        stop(world, AddressKind.MOBILE, f"+4479111{n:05d}", "sms")
        stop(world, AddressKind.EMAIL, f"m{n}@example.org", "email")
    for people in People:
        ways = chance.choice(["sms", "email", "sms,email"])
        promised = state(world, "Choir + Band", ways, people=people)
        said = world.announce(
            audience="Choir + Band",
            people=people,
            ways=(Step(tuple(ways.split(","))),),
            parts={Part.SHORT: f"To {people}"},
        )
        world.plan(said)
        send_all(world, said)
        came = stated(world, said)
        assert (came.people, came.reached, came.open) == (promised.people, promised.reached, 0)
        assert {one.person for one in came.untold} == {one.person for one in promised.untold}
        bare = {one.person: one.why for one in promised.untold if "asked for no more" not in one.why}
        assert {one.person: one.why for one in came.untold if one.person in bare} == bare
        assert {name: (way.addresses, way.people) for name, way in came.ways.items()} == {
            name: (way.addresses, way.people) for name, way in promised.ways.items()
        }


def test_a_block_shows_at_once(world, school):
    world.bring(school)
    assert state(world, "7B", "sms").reached == 2
    families.block(world.ports, "fay", "eve", why="order of the court", actor=SYSTEM)
    assert whys(state(world, "7B", "sms"))["Eve"] == "contact is blocked for this child"
