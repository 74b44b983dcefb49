"""A duty that one way does not meet is met by the next, or stands on the slip sheet; nobody twice by the same way."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from broker import intake
from broker.actor import SYSTEM
from broker.announcement import AS_CORRECTION, RIGHT_TEXT, Announcement, Part, Step, Urgency
from broker.authority import switching
from broker.corrections import verbs
from broker.duty import DutyState
from broker.errors import InvalidAnnouncement, KeyConflict
from broker.intake import withdraw
from broker.ladders import climbing
from broker.ladders.ladder import Climbed, Ladder, Need, Opening, Outcome
from broker.office.reach import kinds_of
from broker.rules.switches import SwitchKind
from broker.testing.channel_bench import Fault
from ledger import tables as t
from ledger.reads.ladders import climber, climbers
from ledger.reads.ladders import laddered as whole_ladder
from ledger.reads.reached import reached
from ledger.reads.status import status
from tests.support.broker_world import World
from tests.support.school import SmallSchool

TEXT_THEN_MAIL = (Step(("sms",)), Step(("email",)))
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
DEAD = "+447911123401"


@pytest.fixture
def four(world: World) -> World:
    """Four families: all; a dead number; no number; nothing at all."""
    school = SmallSchool()
    school.guardian("Ma", school.pupil("Amy", "Choir"), mobiles=("+447911123400",), emails=("a@example.org",))
    school.guardian("Mb", school.pupil("Ben", "Choir"), mobiles=(DEAD,), emails=("b@example.org",))
    school.guardian("Mc", school.pupil("Cat", "Choir"), emails=("c@example.org",))
    school.guardian("Md", school.pupil("Dan", "Choir"))
    world.bring(school)
    world.channels.texts.order(Fault.REJECTED_ADDRESS, address=DEAD)
    return world


def laddered(
    world: World, *openings: Opening, ways: tuple[Step, ...] = TEXT_THEN_MAIL, **more: Any
) -> Announcement:
    ladder = Ladder(openings) if openings else None
    said = world.announce(ways=ways, ladder=ladder, **more)
    world.plan(said)
    return said


def climb(world: World) -> int:
    """One look, whatever its time."""
    world.sql("UPDATE ladder SET look_at = '2000-01-01 00:00:00'")
    return climbing.climb(world.ports, actor=SYSTEM)


def rungs(world: World, said: Announcement) -> dict[str, list[tuple[int, str]]]:
    """First name → the steps opened for it, and why."""
    query = (
        select(t.person.c.given_name, t.rung.c.step, t.rung.c.code)
        .join(t.duty, t.duty.c.id == t.rung.c.duty_id)
        .join(t.person, t.person.c.id == t.duty.c.person_id)
        .where(t.duty.c.announcement_id == said.id)
        .order_by(t.duty.c.id, t.rung.c.step)
    )
    found: dict[str, list[tuple[int, str]]] = {}
    for row in world.rows(query):
        found.setdefault(row.given_name, []).append((row.step, row.code))
    return found


def states(world: World, said: Announcement) -> dict[str, DutyState]:
    with world.ledger.reading() as hand:
        told = reached(hand, said_now(world, said), kinds=kinds_of(world.channels, said))
    return {one.name.split()[0]: one.state for one in told}


def said_now(world: World, said: Announcement) -> Announcement:
    with world.ledger.look() as tx:
        return tx.announcements.by_id(said.id)


def now_of(world: World) -> datetime:
    with world.ledger.look() as tx:
        return tx.now


def nobody_twice(world: World) -> None:
    for provider in world.channels.providers:
        assert max(Counter(kept.address for kept in provider.truth).values(), default=0) <= 1


def test_each_family_is_met_by_text_by_mail_or_stands_on_the_slip_sheet(four: World) -> None:
    said = laddered(four)
    assert set(states(four, said).values()) == {DutyState.OPEN}
    four.send("texts")
    assert climb(four) == 3  # Ben's was rejected, Cat and Dan have no number
    four.send("mails")
    assert climb(four) == 1
    assert climb(four) == 0
    assert rungs(four, said) == {
        "Ben": [(1, Climbed.FAILED)],
        "Cat": [(1, Climbed.NOT_APPLICABLE)],
        "Dan": [(1, Climbed.NOT_APPLICABLE), (2, Climbed.NOT_APPLICABLE)],
    }
    met, lapsed = DutyState.MET, DutyState.LAPSED
    assert states(four, said) == {"Amy": met, "Ben": met, "Cat": met, "Dan": lapsed}
    assert sorted(kept.address for kept in four.channels.mails.truth) == ["b@example.org", "c@example.org"]
    nobody_twice(four)


def gone(world: World, account: str) -> None:
    """The settings name it no more."""
    world.sql(f"UPDATE account SET active = false WHERE name = '{account}'")


def test_the_next_way_opens_where_the_first_ones_account_is_gone_before_it_was_planned(four: World) -> None:
    said = four.announce(ways=TEXT_THEN_MAIL)
    gone(four, "texts")
    assert four.plan(said) == 0
    assert climb(four) == 4
    four.send("mails")
    climb(four)
    met = {name for name, state in states(four, said).items() if state is DutyState.MET}
    assert met == {"Amy", "Ben", "Cat"}
    assert rungs(four, said)["Dan"][-1] == (2, Climbed.NOT_APPLICABLE)


def test_paper_comes_at_its_time_where_the_only_way_is_gone_and_no_sooner(four: World) -> None:
    said = four.announce(ways=(Step(("sms",)),), ladder=Ladder((Opening(HOUR),)))
    gone(four, "texts")
    four.plan(said)
    assert climb(four) == 0
    assert rungs(four, said) == {}
    four.pass_time(HOUR)
    four.plan(said)
    assert climb(four) == 4
    assert set(states(four, said).values()) == {DutyState.LAPSED}


def test_the_next_way_of_a_correction_opens_where_the_first_ones_account_is_gone(four: World) -> None:
    said = laddered(four)
    draft = verbs.correction(four.ports, said.public_id, {Part.SHORT: "The coach leaves at nine."})
    right = intake.accept(four.ports, draft, actor=SYSTEM).announcement
    gone(four, "texts")
    four.plan(right)
    climb(four)
    four.send("mails")
    assert len(four.channels.mails.truth) == 3


def again(world: World, said: Announcement, who: str, **more: Any) -> dict[str, list[str]]:
    """Say it again to somebody; by channel where it goes."""
    [row] = world.rows(select(t.person.c.public_id).where(t.person.c.given_name == who))
    draft = verbs.resend(world.ports, said.public_id, [row.public_id], **more)
    made = intake.accept(world.ports, draft, actor=SYSTEM).announcement
    world.plan(made)
    query = (
        select(t.delivery.c.channel, t.address.c.value)
        .join(t.address, t.address.c.id == t.delivery.c.address_id)
        .where(t.delivery.c.announcement_id == made.id)
    )
    found: dict[str, list[str]] = {}
    for one in world.rows(query):
        found.setdefault(one.channel, []).append(one.value)
    return found


def test_what_is_said_again_goes_by_the_ways_that_have_opened_for_somebody(four: World) -> None:
    said = laddered(four)
    four.send("texts")
    climb(four)
    four.send("mails")
    assert again(four, said, "Amy") == {"sms": ["+447911123400"]}
    assert again(four, said, "Ben") == {"sms": [DEAD], "email": ["b@example.org"]}
    assert again(four, said, "Amy", at_once=True) == {"sms": ["+447911123400"], "email": ["a@example.org"]}


def test_where_what_is_said_again_fails_the_ladder_goes_on(four: World) -> None:
    said = laddered(four)
    four.send("texts")
    four.sql("UPDATE delivery SET state = 'rejected' WHERE state = 'sent'")
    four.channels.texts.order(Fault.REJECTED_ADDRESS)
    assert again(four, said, "Amy") == {"sms": ["+447911123400"]}
    assert "Amy" not in rungs(four, said)
    climb(four)
    assert "Amy" not in rungs(four, said)  # it is under way again
    four.send("texts")
    climb(four)
    assert rungs(four, said)["Amy"] == [(1, Climbed.FAILED)]


def test_what_is_said_again_gives_each_further_way_its_time_anew(four: World) -> None:
    said = laddered(four, Opening(HOUR), Opening(2 * HOUR))
    four.channels.texts.order(Fault.UNREACHABLE, address="+447911123400")
    four.pass_time(HOUR - MINUTE)
    again(four, said, "Amy")
    four.pass_time(2 * MINUTE)
    climb(four)
    assert "Amy" not in rungs(four, said)
    four.pass_time(HOUR)
    climb(four)
    assert rungs(four, said)["Amy"] == [(1, Climbed.NOT_REACHED)]


def test_a_way_by_which_it_was_said_again_is_not_gone_a_second_time_by_the_ladder(four: World) -> None:
    said = laddered(four, Opening(HOUR), Opening(2 * HOUR))
    four.channels.texts.order(Fault.REJECTED_ADDRESS)
    assert "email" in again(four, said, "Amy", at_once=True)
    four.pass_time(HOUR + MINUTE)
    climb(four)
    for _ in range(2):
        four.send("texts")
        four.send("mails")
        climb(four)
    assert sorted(kept.address for kept in four.channels.mails.truth) == [
        "a@example.org",
        "b@example.org",
        "c@example.org",
    ]


def test_who_joined_since_climbs_the_ladder_from_its_foot(four: World) -> None:
    said = laddered(four)
    four.send("texts")
    climb(four)
    school = SmallSchool()
    for n, name in enumerate(("Amy", "Ben", "Cat", "Dan")):
        school.guardian(f"M{'abcd'[n]}", school.pupil(name, "Choir"), mobiles=(f"+44791112340{n}",))
    school.guardian("Me", school.pupil("Eve", "Choir"), mobiles=("+447911123409",), emails=("e@example.org",))
    four.bring(school)
    four.channels.texts.order(Fault.REJECTED_ADDRESS, address="+447911123409")
    draft = verbs.resend(four.ports, said.public_id, joined=True)
    made = intake.accept(four.ports, draft, actor=SYSTEM).announcement
    assert four.plan(made) == 1
    four.send("texts")
    climb(four)
    four.send("mails")
    assert rungs(four, said)["Eve"] == [(1, Climbed.FAILED)]
    assert states(four, said)["Eve"] is DutyState.MET


def test_a_mail_that_bounces_late_sends_its_family_to_the_sheet(four: World) -> None:
    said = laddered(four)
    four.send("texts")
    climb(four)
    four.send("mails")
    climb(four)
    four.sql("UPDATE delivery SET state = 'rejected' WHERE channel = 'email' AND state = 'sent'")
    assert climb(four) == 2
    assert rungs(four, said)["Cat"][-1] == (2, Climbed.FAILED)
    assert states(four, said)["Ben"] is DutyState.LAPSED


def test_an_announcement_is_settled_once_nobody_climbs_any_more(four: World) -> None:
    said = laddered(four)

    def settled() -> bool:
        with four.ledger.reading() as hand:
            found = status(hand, said.public_id)
        assert found is not None
        return found.settled

    four.send("texts")
    assert not settled()
    climb(four)
    four.send("mails")
    climb(four)
    assert not settled()  # the last of them climbed just now
    climb(four)
    assert settled()


def test_at_its_time_the_next_way_opens_for_whom_nothing_has_reached(four: World) -> None:
    said = laddered(four, Opening(HOUR), Opening(2 * HOUR))
    four.channels.texts.order(Fault.UNREACHABLE)
    four.send("texts")
    assert "Amy" not in rungs(four, said)
    assert climb(four) == 3
    four.pass_time(HOUR + MINUTE)
    climb(four)
    assert rungs(four, said)["Amy"] == [(1, Climbed.NOT_REACHED)]
    four.pass_time(HOUR + MINUTE)
    climb(four)
    assert rungs(four, said)["Amy"] == [(1, Climbed.NOT_REACHED), (2, Climbed.NOT_REACHED)]
    assert states(four, said)["Amy"] is DutyState.OPEN  # both are under way still


@pytest.mark.parametrize("first", [True, False])
def test_an_uncertain_text_waits_for_its_look_ups_unless_the_rule_says_otherwise(
    four: World, first: bool
) -> None:
    if not first:
        with four.ledger.begin() as tx:
            tx.rules.add(
                {**tx.rules.current().changed, "ladders.look_ups_first": "no"}, by=SYSTEM, why="a test"
            )
    four.channels.texts.order(Fault.LOST_AFTER_ACCEPT, address="+447911123400")
    said = laddered(four, Opening(HOUR), Opening(2 * HOUR))
    four.send("texts")
    climb(four)
    assert rungs(four, said).get("Amy", []) == ([] if first else [(1, Climbed.UNCERTAIN)])


def test_when_its_time_comes_before_the_look_up_the_next_way_opens_and_that_is_kept(four: World) -> None:
    four.channels.texts.order(Fault.LOST_AFTER_ACCEPT, address="+447911123400")
    said = laddered(four, Opening(HOUR), Opening(2 * HOUR))
    four.send("texts")
    climb(four)
    four.pass_time(HOUR)
    climb(four)
    assert rungs(four, said)["Amy"] == [(1, Climbed.DEADLINE_NEARER)]
    assert "ladder.climbed" in four.record()


def test_ways_whose_times_passed_while_nothing_ran_open_one_after_the_other_each_with_its_least(
    four: World,
) -> None:
    said = laddered(four, Opening(HOUR), Opening(2 * HOUR))
    four.channels.texts.order(Fault.UNREACHABLE)
    four.send("texts")
    four.pass_time(3 * HOUR)  # nobody looked meanwhile
    climb(four)
    climb(four)
    assert rungs(four, said)["Amy"] == [(1, Climbed.NOT_REACHED)]  # the mail has its time before the paper
    four.pass_time(6 * MINUTE)
    climb(four)
    assert rungs(four, said)["Amy"][-1] == (2, Climbed.NOT_REACHED)


@pytest.mark.parametrize("kind", [SwitchKind.EVERYTHING, SwitchKind.DEPARTMENT])
def test_while_all_is_stopped_a_ladder_stands_still_and_then_gives_each_way_its_time(
    four: World, kind: SwitchKind
) -> None:
    subject = "office" if kind is SwitchKind.DEPARTMENT else ""
    said = laddered(four, Opening(HOUR), Opening(2 * HOUR))
    switching.stop(four.ports, kind, subject, "a wrong list", actor=SYSTEM)
    four.send("texts")
    four.pass_time(3 * HOUR)
    assert climb(four) == 0
    switching.go(four.ports, kind, subject, "mended", actor=SYSTEM)
    climb(four)
    assert "Amy" not in rungs(four, said)
    four.send("texts")
    climb(four)
    four.send("mails")
    assert [kept.address for kept in four.channels.texts.truth] == ["+447911123400"]
    assert sorted(kept.address for kept in four.channels.mails.truth) == ["b@example.org", "c@example.org"]
    four.pass_time(20 * MINUTE)
    climb(four)
    assert "Amy" not in rungs(four, said)
    assert rungs(four, said)["Dan"][-1] == (2, Climbed.NOT_APPLICABLE)


def test_a_way_that_is_stopped_alone_keeps_no_ladder_waiting(four: World) -> None:
    said = laddered(four, Opening(HOUR), Opening(2 * HOUR))
    switching.stop(four.ports, SwitchKind.CHANNEL, "sms", "the provider is down", actor=SYSTEM)
    four.send("texts")
    four.pass_time(HOUR)
    climb(four)
    assert rungs(four, said)["Amy"] == [(1, Climbed.NOT_REACHED)]


def test_a_withdrawal_that_races_a_climb_comes_before_or_after_it_and_never_between(four: World) -> None:
    said = laddered(four)
    four.send("texts")
    four.sql("UPDATE ladder SET look_at = '2000-01-01 00:00:00'")
    with ThreadPoolExecutor(4) as hands:
        looks = [hands.submit(climbing.climb_one, four.ports, said.public_id, actor=SYSTEM) for _ in range(4)]
        taken = hands.submit(withdraw, four.ports, said.public_id, actor=SYSTEM)
        for one in (*looks, taken):
            one.result()
    climb(four)
    four.send("mails")
    assert not four.channels.mails.truth
    left = four.states(said)
    assert left.pop("sent") + left.pop("rejected") == 2
    assert left.keys() <= {"withdrawn"}


def test_expiry_ends_all(four: World) -> None:
    said = laddered(four, Opening(2 * HOUR), Opening(3 * HOUR))
    four.pass_time(timedelta(hours=25))
    assert climb(four) == 0
    assert rungs(four, said) == {}
    assert climb(four) == 0
    assert four.record().count("ladder.ended") == 1


def test_a_withdrawal_ends_it_too(four: World) -> None:
    said = laddered(four)
    four.send("texts")
    withdraw(four.ports, said.public_id, actor=SYSTEM)
    assert climb(four) == 0
    assert set(states(four, said).values()) == {DutyState.MET, DutyState.LAPSED}


def test_a_mother_is_written_to_once_for_two_children_whose_ladders_open_apart(world: World) -> None:
    school = SmallSchool()
    amy, ben = school.pupil("Amy", "Choir"), school.pupil("Ben", "Choir")
    school.guardian("Mum", amy, ben, emails=("mum@example.org",))
    school.guardian("Dad", ben, mobiles=("+447911123400",))
    world.bring(school)
    said = laddered(world)
    climb(world)  # Amy has nobody with a number
    assert rungs(world, said) == {"Amy": [(1, Climbed.NOT_APPLICABLE)]}
    world.channels.texts.order(Fault.REJECTED_ADDRESS)
    world.send("texts")
    climb(world)  # Ben's father cannot be reached: the mail that still waits tells of both
    world.send("mails")
    assert [kept.address for kept in world.channels.mails.truth] == ["mum@example.org"]
    assert set(states(world, said).values()) == {DutyState.MET}


def test_whom_a_mail_has_told_of_a_sister_is_not_mailed_again(world: World) -> None:
    school = SmallSchool()
    amy, ben = school.pupil("Amy", "Choir"), school.pupil("Ben", "Choir")
    school.guardian("Mum", amy, ben, emails=("mum@example.org",))
    school.guardian("Dad", ben, mobiles=("+447911123400",))
    world.bring(school)
    said = laddered(world)
    climb(world)
    world.send("mails")
    world.channels.texts.order(Fault.REJECTED_ADDRESS)
    world.send("texts")
    climb(world)
    climb(world)
    world.send("mails")
    assert len(world.channels.mails.truth) == 1
    assert rungs(world, said)["Ben"] == [(1, Climbed.FAILED), (2, Climbed.NOT_APPLICABLE)]


def test_two_workers_that_look_at_once_open_each_way_once(four: World) -> None:
    said = laddered(four)
    four.send("texts")
    climb(four)
    assert climbing.climb_one(four.ports, said.public_id, actor=SYSTEM) + climb(four) == 1
    four.send("mails")
    nobody_twice(four)


@pytest.mark.runs_on("sqlite")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ladder": Ladder((Opening(MINUTE), Opening(HOUR)))}, "too_soon"),
        ({"ladder": Ladder((Opening(HOUR), Opening(HOUR + MINUTE)))}, "too_soon"),
        ({"ladder": Ladder((Opening(), Opening(2 * MINUTE)))}, "too_soon"),
        ({"ladder": Ladder((Opening(HOUR), Opening(30 * HOUR)))}, "too_late"),
        ({"ladder": Ladder((Opening(HOUR),))}, "ladder_ways"),
        ({"ladder": Ladder((Opening(None, Need.DELIVERED), Opening()))}, "no_time"),
        ({"ladder": Ladder((Opening(-HOUR), Opening()))}, "past"),
        ({"ladder": Ladder((Opening(HOUR, Need.SEEN), Opening()))}, "no_public_url"),
        ({"ways": (Step(("sms",)), Step(("sms",)))}, "way_twice"),
    ],
)
def test_ways_that_could_not_come_in_time_are_refused_and_nothing_is_kept(
    world: World, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(InvalidAnnouncement) as refused:
        world.announce(**{"ways": TEXT_THEN_MAIL, **changes})
    assert refused.value.problem.code == code
    assert world.rows(select(t.announcement)) == []
    assert world.rows(select(t.ladder)) == []


@pytest.mark.runs_on("sqlite")
def test_the_same_words_with_another_ladder_are_another_announcement(world: World) -> None:
    draft = world.draft(ways=TEXT_THEN_MAIL, key="k", ladder=Ladder((Opening(HOUR), Opening())))
    intake.accept(world.ports, draft, actor=SYSTEM)
    assert not intake.accept(world.ports, draft, actor=SYSTEM).created
    with pytest.raises(KeyConflict):
        intake.accept(
            world.ports, replace(draft, ladder=Ladder((Opening(2 * HOUR), Opening()))), actor=SYSTEM
        )


def test_the_reads_tell_who_is_on_which_rung_and_what_came_of_each_way(four: World) -> None:
    said = laddered(four)
    four.send("texts")
    climb(four)
    four.send("mails")
    climb(four)
    with four.ledger.reading() as hand:
        now = said_now(four, said)
        whole = whole_ladder(hand, said.public_id)
        assert whole is not None
        counted = whole.counted
        by_mail = climbers(hand, now, rung=1)
        unmet = climbers(hand, now, unmet=True)
        assert climber(hand, now, by_mail[1].duty) == by_mail[1]
        assert climber(hand, now, 1_000_000) is None
        assert whole_ladder(hand, UUID(int=1)) is None
        found = {one.name.split()[0]: one for one in climbers(hand, now, kinds=kinds_of(four.channels, now))}
    assert counted == {0: {DutyState.MET: 1}, 1: {DutyState.MET: 2}, 2: {DutyState.LAPSED: 1}}
    came_to = {name: [rung.outcome for rung in one.rungs] for name, one in found.items()}
    assert whole.names == [("sms",), ("email",), ("sheet",)]
    assert [one.name.split()[0] for one in by_mail] == ["Ben", "Cat"]
    assert [one.name.split()[0] for one in unmet] == ["Dan"]
    closed, none = Outcome.CLOSED, Outcome.NOT_APPLICABLE
    assert came_to == {
        "Amy": [Outcome.SENT, closed, closed],
        "Ben": [Outcome.FAILED, Outcome.SENT, closed],
        "Cat": [none, Outcome.SENT, closed],
        "Dan": [none, none, Outcome.ON_SHEET],
    }
    assert [rung.why for rung in found["Ben"].rungs] == [None, Climbed.FAILED, None]
    assert {one.rung for one in found.values()} == {0, 1, 2}


def test_two_workers_at_the_same_moment_open_each_way_once(four: World) -> None:
    said = laddered(four)
    four.send("texts")
    four.sql("UPDATE ladder SET look_at = '2000-01-01 00:00:00'")
    with ThreadPoolExecutor(4) as workers:
        turns = [
            workers.submit(climbing.climb_one, four.ports, said.public_id, actor=SYSTEM) for _ in range(8)
        ]
    # Three climb at once; Dan, whom no mail can reach, goes on in a later turn.
    assert sum(turn.result() for turn in turns) == 4
    four.send("mails")
    nobody_twice(four)
    assert len(four.channels.mails.truth) == 2


def test_a_correction_climbs_and_says_so_only_where_a_wrong_text_may_be(four: World) -> None:
    said = laddered(four)
    four.send("texts")  # Amy's mother has the wrong text, and Ben's has a dead number
    climb(four)
    draft = verbs.correction(four.ports, said.public_id, {Part.SHORT: "The coach leaves at nine."})
    right = intake.accept(four.ports, draft, actor=SYSTEM).announcement
    four.plan(right)
    four.channels.texts.order(Fault.REJECTED_ADDRESS)
    four.send("texts")
    climb(four)
    query = (
        select(t.address.c.value, t.delivery.c.content_version)
        .join(t.delivery, t.delivery.c.address_id == t.address.c.id)
        .where(t.delivery.c.announcement_id == right.id, t.delivery.c.channel == "email")
    )
    versions = {row.value: row.content_version for row in four.rows(query)}
    assert versions["a@example.org"] == AS_CORRECTION
    assert versions["b@example.org"] == versions["c@example.org"] == RIGHT_TEXT
    assert four.record().count("ladder.ended") == 1


def test_a_correction_of_what_was_to_open_soon_opens_the_next_way_all_the_same(four: World) -> None:
    """Its texts wait for ever; without a time of its own it would stand on that rung until it expires."""
    said = laddered(four, Opening(now_of(four) + 2 * HOUR), Opening())
    four.pass_time(2 * HOUR - MINUTE)
    draft = verbs.correction(four.ports, said.public_id, {Part.SHORT: "At nine."})
    right = intake.accept(four.ports, draft, actor=SYSTEM).announcement
    four.plan(right)
    four.pass_time(HOUR)
    assert climb(four) > 0
    assert (1, Climbed.NOT_REACHED) in rungs(four, right)["Amy"]


def test_a_ladder_that_waits_for_its_correction_keeps_no_other_from_its_turn(four: World) -> None:
    said = laddered(four)
    draft = verbs.correction(four.ports, said.public_id, {Part.SHORT: "At nine."})
    intake.accept(four.ports, replace(draft, urgency=Urgency.ROUTINE), actor=SYSTEM)
    climb(four)
    with four.ledger.look() as tx:
        assert said.public_id not in tx.ladders.due(limit=100)
