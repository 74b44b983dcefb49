"""“I have seen this”: a link in each message, counted once a duty; the next way for those who have not said so."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from broker import intake
from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Announcement, Part, People, Step
from broker.corrections import verbs
from broker.corrections.law import NotFollowed
from broker.duty import DutyState
from broker.errors import NotFound, NotToBeChanged
from broker.intake import withdraw
from broker.ladders import climbing, links, seen
from broker.ladders.ladder import Climbed, Ladder, Need, Opening
from ledger import tables as t
from ledger.reads import duties
from tests.support.broker_world import World
from tests.support.school import SmallSchool

HOUR = timedelta(hours=1)
BASE = "https://school.example"
WAYS = (Step(("sms",)), Step(("email",)))
UNLESS_SEEN = Ladder((Opening(HOUR, Need.SEEN), Opening(2 * HOUR, Need.SEEN)), seen=True)
OFFICE = Actor(ActorKind.PERSON, "Mrs Bell")
DADS = "SELECT id FROM person WHERE given_name = 'Dad'"
MUM, DAD = "+447911123401", "+447911123402"


@pytest.fixture
def two(world: World) -> World:
    """Amy and Ben; both parents have a number and an email each."""
    school = SmallSchool()
    amy, ben = school.pupil("Amy", "Choir"), school.pupil("Ben", "Choir")
    school.guardian("Mum", amy, ben, mobiles=(MUM,), emails=("mum@example.org",))
    school.guardian("Dad", amy, ben, mobiles=(DAD,), emails=("dad@example.org",))
    world.bring(school)
    world.ports = replace(world.ports, public_url=BASE)
    return world


def announced(world: World, *, send: bool = True) -> Announcement:
    said = world.announce(ways=WAYS, ladder=UNLESS_SEEN)
    world.plan(said)
    if send:
        world.send("texts")
    return said


def token(world: World, address: str) -> str:
    query = select(t.delivery.c.id).join(t.address, t.address.c.id == t.delivery.c.address_id)
    [row] = world.rows(query.where(t.address.c.value == address))
    return links.link_of(world.ports.signer, BASE, row.id).rpartition("/")[2]


def press(world: World, address: str) -> seen.Link | None:
    with world.ledger.begin() as tx:
        return seen.by_link(world.ports, tx, token(world, address), actor=SYSTEM)


def acknowledged(world: World, said: Announcement) -> int:
    query = select(t.duty.c.id).where(
        t.duty.c.announcement_id == said.id, t.duty.c.acknowledged_at.is_not(None)
    )
    return len(world.rows(query))


def rule(world: World, key: str, value: str) -> None:
    with world.ledger.begin() as tx:
        tx.rules.add({**tx.rules.current().changed, key: value}, by=SYSTEM, why="a test's")


def climb(world: World) -> int:
    world.sql("UPDATE ladder SET look_at = '2000-01-01 00:00:00'")
    return climbing.climb(world.ports, actor=SYSTEM)


def reasons(world: World) -> Sequence[tuple[int, str]]:
    return sorted({(row.step, row.code) for row in world.rows(select(t.rung))})


def test_each_message_carries_a_link_of_its_own(two: World) -> None:
    announced(two)
    expected = {
        address: f"For Amy and Ben: The coach leaves at eight.\n{links.SHORT_WORDS}{BASE}/s/{token(two, address)}"
        for address in (MUM, DAD)
    }
    assert {kept.address: kept.digest for kept in two.channels.texts.truth} == {
        address: hashlib.sha256(body.encode()).hexdigest() for address, body in expected.items()
    }


def test_one_press_counts_once_for_both_children(two: World) -> None:
    said = announced(two)
    first = press(two, MUM)
    assert first is not None
    assert (first.said, first.known, acknowledged(two, said)) == (True, True, 2)
    again = press(two, MUM)
    assert again is not None
    assert again.said
    assert len(two.rows(select(t.acknowledgement))) == 2
    assert two.record().count("duties.acknowledged") == 1


def test_to_look_changes_nothing(two: World) -> None:
    said = announced(two)
    with two.ledger.look() as tx:
        found = seen.look(two.ports, tx, token(two, MUM))
    assert found is not None
    assert not found.said
    assert acknowledged(two, said) == 0


def test_a_link_that_nobody_here_signed_is_nobodys(two: World) -> None:
    announced(two)
    right = token(two, MUM)
    other = two.ports.signer.sign("attempt", right.partition(".")[0])
    wrong = ["", "x", "7.x", right[:-1], right + "A", right.swapcase(), other, "9" * 100, "é", "\ud800"]
    wrong += [two.ports.signer.sign("seen", value) for value in ("0", "-1", "1e3", "²", "999999", str(2**70))]
    for each in wrong:
        with two.ledger.begin() as tx:
            assert seen.by_link(two.ports, tx, each, actor=SYSTEM) is None, each
    assert two.rows(select(t.acknowledgement)) == []


def test_what_is_said_again_carries_a_link_that_counts_for_the_first(two: World) -> None:
    said = announced(two)
    [amy] = two.rows(select(t.person.c.public_id).where(t.person.c.given_name == "Amy"))
    draft = verbs.resend(two.ports, said.public_id, [amy.public_id])
    again = intake.accept(two.ports, draft, actor=SYSTEM).announcement
    two.plan(again)
    two.send("texts")
    query = select(t.delivery.c.id).join(t.address, t.address.c.id == t.delivery.c.address_id)
    [row] = two.rows(query.where(t.delivery.c.announcement_id == again.id, t.address.c.value == MUM))
    link = links.link_of(two.ports.signer, BASE, row.id)
    body = f"The coach leaves at eight.\n{links.SHORT_WORDS}{link}"
    assert hashlib.sha256(body.encode()).hexdigest() in {kept.digest for kept in two.channels.texts.truth}
    with two.ledger.begin() as tx:
        found = seen.by_link(two.ports, tx, link.rpartition("/")[2], actor=SYSTEM)
    assert found is not None
    assert (found.said, found.announcement.id, acknowledged(two, said)) == (True, said.id, 1)
    withdraw(two.ports, said.public_id, actor=SYSTEM)
    with two.ledger.look() as tx:
        later = seen.look(two.ports, tx, link.rpartition("/")[2])
    assert later is not None
    assert later.over


def test_nothing_is_sent_again_to_whom_it_is_known_to_be_known(two: World) -> None:
    said = announced(two)
    amy, ben = two.rows(
        select(t.person.c.public_id, t.person.c.id)
        .where(t.person.c.given_name.in_(("Amy", "Ben")))
        .order_by(t.person.c.given_name)
    )
    seen.at_the_office(two.ports, said.public_id, amy.id, why="", actor=OFFICE)
    with pytest.raises(NotFollowed) as refused:
        verbs.shown(
            two.ports, verbs.resend(two.ports, said.public_id, [UUID(str(amy.public_id))]), actor=OFFICE
        )
    assert refused.value.problem.code == "seen"
    both = verbs.resend(two.ports, said.public_id, [UUID(str(each.public_id)) for each in (amy, ben)])
    shown = verbs.shown(two.ports, both, actor=OFFICE)
    assert [(one.knows, len(one.ways)) for one in shown.people] == [(True, 0), (False, 2)]
    again = intake.accept(two.ports, both, actor=OFFICE).announcement
    two.plan(again)
    covered = (
        select(t.duty.c.person_id)
        .join(t.delivery_covers, t.delivery_covers.c.duty_id == t.duty.c.id)
        .join(t.delivery, t.delivery.c.id == t.delivery_covers.c.delivery_id)
    )
    assert {row.person_id for row in two.rows(covered.where(t.delivery.c.announcement_id == again.id))} == {
        ben.id
    }


def test_what_is_over_counts_nothing(two: World) -> None:
    said = announced(two)
    withdraw(two.ports, said.public_id, actor=SYSTEM)
    found = press(two, MUM)
    assert found is not None
    assert (found.over, found.said, acknowledged(two, said)) == (True, False, 0)


def test_who_has_not_said_so_by_the_time_is_told_by_the_next_way_and_at_last_on_paper(two: World) -> None:
    announced(two)
    assert climb(two) == 0
    two.pass_time(HOUR)
    assert climb(two) == 2
    two.send("mails")
    assert len(two.channels.mails.truth) == 2
    two.pass_time(HOUR)
    assert climb(two) == 2
    assert reasons(two) == [(1, Climbed.NOT_SEEN), (2, Climbed.NOT_SEEN)]


def test_one_guardian_is_enough_and_nothing_more_goes_to_either(two: World) -> None:
    announced(two)
    press(two, MUM)
    two.pass_time(HOUR)
    assert climb(two) == 0
    assert two.channels.mails.truth == []


def test_where_both_are_wanted_only_who_has_not_said_so_is_written_to_again(two: World) -> None:
    rule(two, "ladders.all_guardians", "yes")
    said = announced(two)
    half = press(two, MUM)
    assert half is not None
    assert (half.said, half.known, acknowledged(two, said)) == (True, False, 0)
    two.pass_time(HOUR)
    assert climb(two) == 2
    two.send("mails")
    assert [kept.address for kept in two.channels.mails.truth] == ["dad@example.org"]
    whole = press(two, "dad@example.org")
    assert whole is not None
    assert (whole.known, acknowledged(two, said)) == (True, 2)
    two.pass_time(HOUR)
    assert climb(two) == 0


def test_a_guardian_whom_no_way_reaches_is_not_waited_for(two: World) -> None:
    two.sql(f"DELETE FROM person_address WHERE person_id IN ({DADS})")
    rule(two, "ladders.all_guardians", "yes")
    said = announced(two)
    press(two, MUM)
    assert acknowledged(two, said) == 2


def test_who_was_kept_from_a_child_since_has_no_say(two: World) -> None:
    said = announced(two)
    two.sql(f"UPDATE guardianship SET blocked = true WHERE guardian_id IN ({DADS})")
    assert press(two, DAD) is None
    assert acknowledged(two, said) == 0


def test_what_waits_for_somebody_who_has_said_so_does_not_leave(two: World) -> None:
    said = announced(two)
    two.pass_time(HOUR)
    climb(two)
    press(two, MUM)
    two.send("mails")
    assert two.channels.mails.truth == []
    with two.ledger.reading() as hand:
        assert duties.count(hand, said)[DutyState.MET] == 2


def test_the_office_may_say_it_for_somebody(two: World) -> None:
    said = announced(two)
    [amy] = two.rows(select(t.person.c.id).where(t.person.c.given_name == "Amy"))
    assert seen.at_the_office(two.ports, said.public_id, amy.id, why="her mother rang", actor=OFFICE)
    assert not seen.at_the_office(two.ports, said.public_id, amy.id, why="", actor=OFFICE)
    assert acknowledged(two, said) == 1
    [mum] = two.rows(select(t.person.c.id).where(t.person.c.given_name == "Mum"))
    with pytest.raises(NotFound):
        seen.at_the_office(two.ports, said.public_id, mum.id, why="", actor=OFFICE)


def test_the_office_says_it_of_the_correction_and_not_of_what_was_wrong(two: World) -> None:
    said = announced(two)
    [ben] = two.rows(select(t.person).where(t.person.c.given_name == "Ben"))
    draft = verbs.correction(two.ports, said.public_id, {Part.SHORT: "At nine."})
    right = intake.accept(two.ports, draft, actor=OFFICE).announcement
    two.plan(right)
    with pytest.raises(NotToBeChanged) as refused:
        seen.at_the_office(two.ports, said.public_id, ben.id, why="", actor=OFFICE)
    assert str(right.public_id) in refused.value.problem.hint
    assert seen.at_the_office(two.ports, right.public_id, ben.id, why="", actor=OFFICE)


def test_what_the_office_says_of_a_resend_counts_for_the_first(two: World) -> None:
    said = announced(two)
    [ben] = two.rows(select(t.person).where(t.person.c.given_name == "Ben"))
    draft = verbs.resend(two.ports, said.public_id, [UUID(str(ben.public_id))])
    again = intake.accept(two.ports, draft, actor=OFFICE).announcement
    two.plan(again)
    assert seen.at_the_office(two.ports, again.public_id, ben.id, why="", actor=OFFICE)
    assert acknowledged(two, said) == 1


def test_a_pupil_told_alone_says_it_alone(world: World) -> None:
    school = SmallSchool()
    for n in range(6):
        school.pupil(f"Pupil{n}", "Choir", emails=(f"p{n}@example.org",))
    world.bring(school)
    world.ports = replace(world.ports, public_url=BASE)
    rule(world, "ladders.all_guardians", "yes")
    asked = {"ways": (Step(("email",)),), "ladder": Ladder((Opening(),), seen=True), "people": People.PUPILS}
    said = world.announce(**asked)
    world.plan(said)
    world.send("mails")
    press(world, "p1@example.org")
    assert acknowledged(world, said) == 1
