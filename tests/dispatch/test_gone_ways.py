"""A way whose account is taken out of the settings: what follows up goes by the others, and says whom it leaves out."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from broker import intake
from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Announcement, Draft, Part, Step
from broker.corrections import verbs
from broker.corrections.law import NotFollowed
from broker.duty import DutyState, Unreached
from broker.ladders import climbing
from broker.ladders.ladder import Climbed, Ladder, Opening
from broker.privacy import erasure
from ledger import tables as t
from ledger.reads.reached import reached
from tests.support.broker_world import World
from tests.support.school import SmallSchool

BOTH, IN_ORDER = (Step(("sms", "email")),), (Step(("sms",)), Step(("email",)))
MET, LAPSED = DutyState.MET, DutyState.LAPSED
RIGHT = {Part.SHORT: "The coach leaves at nine."}
OFFICE = Actor(ActorKind.PERSON, "Mrs Bell")
GONE = Unreached.WAY_GONE.value


@pytest.fixture
def three(world: World) -> World:
    """Amy has a number, Ben a number and an email, Cat an email."""
    school = SmallSchool()
    school.guardian("Ma", school.pupil("Amy", "Choir"), mobiles=("+447911123400",))
    school.guardian("Mb", school.pupil("Ben", "Choir"), mobiles=("+447911123401",), emails=("b@example.org",))
    school.guardian("Mc", school.pupil("Cat", "Choir"), emails=("c@example.org",))
    world.bring(school)
    return world


def told(world: World, ways: tuple[Step, ...]) -> Announcement:
    """Everybody, each by the ways there are for them; then the settings name no texts any more."""
    said = world.announce(ways=ways)
    world.plan(said)
    world.send("texts")
    climb(world)
    world.send("mails")
    gone(world)
    return said


def gone(world: World) -> None:
    world.sql("UPDATE account SET active = false WHERE name = 'texts'")


def climb(world: World) -> None:
    world.sql("UPDATE ladder SET look_at = '2000-01-01 00:00:00'")
    climbing.climb(world.ports, actor=SYSTEM)


def accepted(world: World, draft: Draft) -> Announcement:
    said = intake.accept(world.ports, draft, actor=SYSTEM).announcement
    world.plan(said)
    world.send("mails")
    return said


def standing(world: World, said: Announcement) -> dict[str, tuple[DutyState, str]]:
    with world.ledger.look() as tx:
        now = tx.announcements.by_id(said.id)
    with world.ledger.reading() as hand:
        return {one.name.split()[0]: (one.state, one.why) for one in reached(hand, now)}


def versions(world: World, said: Announcement) -> dict[str, int]:
    query = select(t.address.c.value, t.delivery.c.content_version).join(
        t.delivery, t.delivery.c.address_id == t.address.c.id
    )
    return {
        row.value: row.content_version
        for row in world.rows(query.where(t.delivery.c.announcement_id == said.id))
    }


def test_a_correction_goes_by_the_ways_that_still_are_and_names_whom_only_the_gone_one_had_reached(
    three: World,
) -> None:
    said = told(three, BOTH)
    draft = verbs.correction(three.ports, said.public_id, RIGHT)
    shown = verbs.shown(three.ports, draft, actor=SYSTEM)
    assert [(one.name.split()[0], one.why) for one in shown.untold] == [("Amy", GONE)]
    assert shown.ways == {"email": {2: 2}}
    right = accepted(three, draft)
    assert standing(three, right) == {"Amy": (LAPSED, GONE), "Ben": (MET, ""), "Cat": (MET, "")}
    with three.ledger.look() as tx:
        assert tx.announcements.by_id(right.id).fanned_out_at is not None


def test_whoever_had_it_by_the_gone_way_reads_by_another_one_that_it_is_a_correction(three: World) -> None:
    said = told(three, IN_ORDER)  # Ben by text alone
    right = accepted(three, verbs.correction(three.ports, said.public_id, RIGHT))
    assert versions(three, right) == {"b@example.org": 2, "c@example.org": 2}
    climb(three)
    sheets = select(t.person.c.given_name, t.rung.c.code).join(t.duty, t.duty.c.person_id == t.person.c.id)
    sheets = sheets.join(t.rung, t.rung.c.duty_id == t.duty.c.id)
    assert [tuple(row) for row in three.rows(sheets.where(t.duty.c.announcement_id == right.id))] == [
        ("Amy", Climbed.NOT_APPLICABLE)
    ]
    assert standing(three, right)["Amy"] == (LAPSED, GONE)


def test_the_times_of_the_ways_that_still_are_stay_theirs(three: World) -> None:
    ladder = Ladder((Opening(timedelta(hours=1)), Opening(timedelta(hours=2))))
    said = three.announce(ways=IN_ORDER, ladder=ladder)
    gone(three)
    draft = verbs.correction(three.ports, said.public_id, RIGHT)
    assert draft.ways == (Step(("email",)),)
    assert draft.ladder is not None
    assert [one.at for one in draft.ladder.openings] == [said.due_at + timedelta(hours=2)]


def test_that_it_is_taken_back_names_whom_only_the_gone_way_had_reached(three: World) -> None:
    said = told(three, BOTH)
    draft = verbs.withdrawal(three.ports, said.public_id, {Part.SHORT: "There is no coach."})
    _, withdrawn = verbs.withdraw_and_tell(three.ports, draft, actor=SYSTEM)
    three.plan(withdrawn.announcement)
    three.send("mails")
    assert standing(three, withdrawn.announcement)["Amy"] == (LAPSED, GONE)
    assert standing(three, withdrawn.announcement)["Ben"] == (MET, "")


def test_it_is_said_again_by_the_ways_that_still_are(three: World) -> None:
    said = told(three, BOTH)
    people = [
        UUID(str(row.public_id)) for row in three.rows(select(t.person).where(t.person.c.given_name == "Ben"))
    ]
    shown = verbs.shown(three.ports, verbs.resend(three.ports, said.public_id, people), actor=SYSTEM)
    assert [[way.channel for way in one.ways] for one in shown.people] == [["email"]]


def test_who_was_erased_since_has_no_part_in_a_correction(three: World) -> None:
    said = told(three, BOTH)
    for who in ("ma", "amy"):
        erasure.erase(three.ports, who, confirmed=who, ground=erasure.Ground.REQUEST, actor=OFFICE)
    shown = verbs.shown(three.ports, verbs.correction(three.ports, said.public_id, RIGHT), actor=SYSTEM)
    assert [one.name for one in shown.untold] == []
    assert shown.counted == 2


def test_where_no_way_is_left_it_is_said_so_and_nothing_is_kept(three: World) -> None:
    said = told(three, BOTH)
    three.sql("UPDATE account SET active = false WHERE name = 'mails'")
    with pytest.raises(NotFollowed) as refused:
        verbs.correction(three.ports, said.public_id, RIGHT)
    assert (refused.value.problem.code, refused.value.problem.field) == ("no_account", "id")


def test_a_way_that_goes_after_the_correction_was_accepted_and_never_comes_back_is_an_alarm(
    three: World,
) -> None:
    said = three.announce(ways=BOTH)
    three.plan(said)
    three.send("texts")
    three.send("mails")
    draft = verbs.correction(three.ports, said.public_id, RIGHT)
    right = intake.accept(three.ports, draft, actor=SYSTEM).announcement
    gone(three)
    three.plan(right)
    three.send("mails")
    assert standing(three, right)["Amy"][0] is DutyState.OPEN
    three.pass_time(timedelta(days=2))
    three.plan(right)
    assert standing(three, right) == {"Amy": (LAPSED, GONE), "Ben": (MET, ""), "Cat": (MET, "")}
    rows = three.rows(select(t.alarm).where(t.alarm.c.cleared_at.is_(None)))
    assert ("correction_over", str(right.public_id)) in [(row.kind, row.subject) for row in rows]


def test_the_same_key_is_the_same_correction_when_a_way_has_gone_since(three: World) -> None:
    said = told(three, BOTH)
    three.sql("UPDATE account SET active = true WHERE name = 'texts'")
    keyed = verbs.Wanted(key="k1")
    once = accepted(three, verbs.correction(three.ports, said.public_id, RIGHT, keyed))
    gone(three)
    assert accepted(three, verbs.correction(three.ports, said.public_id, RIGHT, keyed)).id == once.id
