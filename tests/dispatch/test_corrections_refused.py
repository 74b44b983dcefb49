"""What is not corrected, is corrected once, or is taken back: and what the record tells of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from broker import intake, recover
from broker.actor import SYSTEM
from broker.announcement import Announcement, Part, Step
from broker.corrections.law import NotFollowed
from broker.errors import InvalidAnnouncement, RuleBroken
from broker.ladders.ladder import Ladder, Opening
from broker.testing.channel_bench import Fault
from ledger import tables as t
from ledger.scrutiny.audit import audit
from tests.support.broker_world import World
from tests.support.corrected import (
    WRONG,
    correct,
    deliveries_of,
    fresh,
    half_sent,
    seconds_to_undo,
    states,
)


def _withdrawn(world: World) -> Announcement:
    said = half_sent(world)
    intake.withdraw(world.ports, said.public_id, actor=SYSTEM)
    return said


def _expired(world: World) -> Announcement:
    said = half_sent(world)
    world.pass_time(timedelta(days=2))
    return said


def _corrected(world: World) -> Announcement:
    said = half_sent(world)
    correct(world, said)
    return said


@pytest.mark.parametrize(
    ("make", "code"), [(_withdrawn, "withdrawn"), (_expired, "expired"), (_corrected, "corrected")]
)
def test_what_is_over_is_not_corrected(thirty: World, make: Callable[[World], Announcement], code: str):
    said = make(thirty)
    count = thirty.rows(select(func.count()).select_from(t.announcement))[0][0]
    with pytest.raises(NotFollowed) as refused:
        correct(thirty, said, "The coach leaves at ten.")
    assert refused.value.problem.code == code
    assert thirty.rows(select(func.count()).select_from(t.announcement))[0][0] == count


def test_the_same_words_are_no_correction(thirty: World):
    said = half_sent(thirty)
    with pytest.raises(InvalidAnnouncement, match="said before"):
        correct(thirty, said, WRONG)
    thirty.send("texts")
    assert states(thirty, said) == {"sent": 30}


def test_nothing_that_was_corrected_is_tried_again(thirty: World):
    said = thirty.announce(parts={Part.SHORT: WRONG})
    thirty.plan(said)
    thirty.channels.texts.order(Fault.REJECTED_ADDRESS, times=1)
    thirty.send("texts")
    rejected = next(row for row in deliveries_of(thirty, said) if row.state == "rejected")
    correct(thirty, said)
    with pytest.raises(RuleBroken, match="corrected"):
        recover.requeue(thirty.ports, rejected.id, actor=SYSTEM)


def test_a_correction_taken_back_before_it_speaks_lets_the_first_one_go_on(thirty: World):
    said = half_sent(thirty)
    seconds_to_undo(thirty)
    again = correct(thirty, said)
    intake.withdraw(thirty.ports, again.public_id, actor=SYSTEM)
    assert fresh(thirty, said).corrected_by is None
    thirty.send("texts")
    assert states(thirty, said) == {"sent": 30}


def test_withdrawing_the_first_takes_its_correction_with_it(thirty: World):
    said = half_sent(thirty)
    again = correct(thirty, said)
    thirty.plan(again)
    intake.withdraw(thirty.ports, said.public_id, actor=SYSTEM)
    thirty.send("texts")
    assert states(thirty, again) == {"withdrawn": 30}


def test_the_same_key_is_the_same_correction(thirty: World):
    said = half_sent(thirty)
    once, twice = (correct(thirty, said, key="k1") for _ in range(2))
    assert once.id == twice.id


@pytest.mark.runs_on("sqlite")
def test_the_same_key_is_the_same_correction_when_its_times_are_past(thirty: World):
    with thirty.ledger.look() as tx:
        later = tx.now + timedelta(hours=1)
    ladder = Ladder((Opening(timedelta(hours=1)), Opening(timedelta(hours=2))))
    ways = (Step(("sms",)), Step(("email",)))
    said = thirty.announce(parts={Part.SHORT: WRONG}, send_at=later, ways=ways, ladder=ladder)
    once = correct(thirty, said, key="k1", expires_at=later + timedelta(hours=9))
    thirty.pass_time(timedelta(hours=3))
    assert correct(thirty, said, key="k1", expires_at=later + timedelta(hours=9)).id == once.id


def test_the_record_tells_of_it_and_the_rows_agree(thirty: World):
    said = half_sent(thirty)
    again = correct(thirty, said)
    thirty.plan(again)
    thirty.send("texts")
    kinds = thirty.record()
    assert {"announcement.follows", "announcement.being_corrected", "announcement.corrected"} <= set(kinds)
    thirty.sweep()
    assert not audit(thirty.ledger).faults
