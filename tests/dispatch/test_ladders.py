"""A duty that one way does not meet is met by the next, or stands on the slip sheet; nobody twice by the same way."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from broker import intake
from broker.actor import SYSTEM
from broker.announcement import Step
from broker.duty import DutyState
from broker.errors import InvalidAnnouncement, KeyConflict
from broker.ladders import climbing
from broker.ladders.ladder import Climbed, Ladder, Need, Opening, Outcome
from broker.office.reach import kinds_of
from broker.testing.channel_bench import Fault
from ledger import tables as t
from ledger.reads.ladders import climber, climbers
from ledger.reads.ladders import laddered as whole_ladder
from ledger.reads.status import status
from tests.support.broker_world import World
from tests.support.laddered import (
    HOUR,
    MINUTE,
    TEXT_THEN_MAIL,
    climb,
    gone,
    laddered,
    rungs,
    said_now,
    states,
)
from tests.support.school import SmallSchool


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
