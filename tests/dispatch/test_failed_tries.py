"""What becomes of a try that failed, was lost or may have left: the real verbs, and a provider failing to order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from broker import accounts, intake, recover
from broker.actor import SYSTEM
from broker.announcement import Step
from broker.errors import IllegalTransition, RuleBroken
from broker.policy import Case, Verdict
from broker.testing.channel_bench import Fault
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.school import SmallSchool


def test_a_transient_failure_is_tried_again_and_given_up_in_the_end(thirty: World) -> None:
    thirty.channels.texts.order(Fault.UNREACHABLE)
    said = thirty.announce()
    thirty.plan(said)
    for _ in range(3):
        thirty.send()
        thirty.pass_time(timedelta(minutes=1))
    assert thirty.states(said) == {"exhausted": 30}
    assert thirty.channels.texts.truth == []


def test_a_rate_limit_burns_no_attempt(thirty: World) -> None:
    thirty.channels.texts.order(Fault.RATE_LIMITED, times=30)
    said = thirty.announce()
    thirty.plan(said)
    thirty.send()
    assert {row.burned for row in thirty.rows(select(t.delivery.c.burned))} == {0}
    thirty.pass_time(timedelta(minutes=1))
    thirty.send()
    assert thirty.states(said) == {"sent": 30}


def test_a_lost_answer_is_looked_up_and_found(thirty: World) -> None:
    thirty.channels.texts.silence = timedelta(0)
    thirty.channels.texts.order(Fault.LOST_AFTER_ACCEPT, times=30)
    said = thirty.announce()
    thirty.plan(said)
    thirty.send()
    assert thirty.states(said) == {"uncertain": 30}
    thirty.pass_time(timedelta(minutes=1))
    thirty.sweep()
    assert thirty.states(said) == {"sent": 30}
    assert len(thirty.channels.texts.truth) == 30
    assert thirty.tallies(said) == {"sent": 30}


def test_absent_twice_is_sent_again_and_only_then(thirty: World) -> None:
    thirty.channels.texts.silence = timedelta(0)
    thirty.channels.texts.order(Fault.TIMEOUT_BEFORE, times=30)
    said = thirty.announce()
    thirty.plan(said)
    thirty.send()
    thirty.pass_time(timedelta(minutes=1))
    thirty.sweep()
    assert thirty.states(said) == {"uncertain": 30}
    thirty.pass_time(timedelta(minutes=1))
    thirty.sweep()
    assert thirty.states(said) == {"queued": 30}
    thirty.send()
    assert thirty.states(said) == {"sent": 30}
    assert len(thirty.channels.texts.truth) == 30


def test_one_message_at_the_provider_proves_one_attempt_and_not_two(world: World) -> None:
    """The same words twice to one number, one of them lost on the way there: the other's message is not its own."""
    school = SmallSchool()
    school.guardian("Mother", school.pupil("Amy", "Choir"), mobiles=("+447911123456",))
    world.bring(school)
    world.channels.texts.silence = timedelta(0)
    for fault in (Fault.LOST_AFTER_ACCEPT, Fault.TIMEOUT_BEFORE):
        world.channels.texts.cure()
        world.channels.texts.order(fault)
        world.plan(world.announce())
        world.send()
    world.channels.texts.cure()
    assert world.states() == {"uncertain": 2}
    for _ in range(3):
        world.pass_time(timedelta(minutes=1))
        world.sweep()
    world.send()
    assert world.states() == {"sent": 2}
    assert len(world.channels.texts.truth) == 2


def test_an_uncertain_mail_waits_for_a_person(thirty: World) -> None:
    thirty.channels.mails.silence = timedelta(0)
    thirty.channels.mails.order(Fault.LOST_AFTER_ACCEPT, times=1)
    said = thirty.announce(ways=(Step(("email",)),))
    thirty.plan(said)
    thirty.send("mails")
    thirty.pass_time(timedelta(minutes=10))
    thirty.sweep()
    assert thirty.states(said) == {"sent": 29, "uncertain": 1}
    doubtful = thirty.rows(select(t.delivery.c.id).where(t.delivery.c.state == "uncertain"))[0].id
    recover.settle(thirty.ports, doubtful, actor=SYSTEM)
    settled = thirty.rows(select(t.delivery.c.settled_by).where(t.delivery.c.id == doubtful))[0]
    assert settled.settled_by == SYSTEM.id


def test_a_person_may_requeue_what_was_rejected_but_not_what_was_sent(thirty: World) -> None:
    thirty.channels.texts.order(Fault.REJECTED_ADDRESS, times=1)
    said = thirty.announce()
    thirty.plan(said)
    thirty.send()
    by_state = {row.state: row.id for row in thirty.rows(select(t.delivery.c.state, t.delivery.c.id))}
    recover.requeue(thirty.ports, by_state["rejected"], actor=SYSTEM)
    thirty.send()
    assert thirty.states(said) == {"sent": 30}
    with pytest.raises(IllegalTransition):
        recover.requeue(thirty.ports, by_state["sent"], actor=SYSTEM)


def test_nothing_is_requeued_once_its_announcement_is_over(thirty: World) -> None:
    thirty.channels.texts.order(Fault.REJECTED_ADDRESS, times=1)
    said = thirty.announce()
    thirty.plan(said)
    thirty.send()
    intake.withdraw(thirty.ports, said.public_id, actor=SYSTEM)
    rejected = thirty.rows(select(t.delivery.c.id).where(t.delivery.c.state == "rejected"))[0].id
    with pytest.raises(RuleBroken, match="withdrawn or expired"):
        recover.requeue(thirty.ports, rejected, actor=SYSTEM)


def test_a_rejected_account_is_paused_and_its_deliveries_wait(thirty: World) -> None:
    thirty.channels.texts.order(Fault.REJECTED_ACCOUNT)
    said = thirty.announce()
    thirty.plan(said)
    thirty.send()
    assert thirty.states(said) == {"queued": 30}
    assert [row.kind for row in thirty.rows(select(t.alarm.c.kind))] == ["account_rejected"]
    thirty.channels.texts.cure()
    accounts.resume(thirty.ports, "texts", actor=SYSTEM)
    thirty.send()
    assert thirty.states(said) == {"sent": 30}


def test_a_policy_that_raises_pauses_its_account_and_loses_nothing(thirty: World) -> None:
    def broken(case: Case) -> Verdict:
        raise LookupError(case.channel)

    thirty.channels.open("texts").policies = (broken,)  # type: ignore[misc]
    said = thirty.announce()
    thirty.plan(said)
    thirty.send()
    assert thirty.states(said) == {"queued": 30}
    assert thirty.channels.texts.truth == []
    assert [row.kind for row in thirty.rows(select(t.alarm.c.kind))] == ["policy_failed"]


def test_what_cannot_be_rendered_is_held_and_told(thirty: World) -> None:
    def broken(content: object, to: object) -> object:
        raise ValueError("no")

    channel = thirty.channels.open("texts")
    good, channel.render = channel.render, broken  # type: ignore[method-assign,assignment]
    said = thirty.announce()
    thirty.plan(said)
    thirty.send()
    assert thirty.states(said) == {"queued": 30}
    assert {row.code for row in thirty.rows(select(t.delivery.c.code))} == {"render_failed"}
    channel.render = good  # type: ignore[method-assign]
    thirty.pass_time(timedelta(minutes=6))
    thirty.send()
    assert thirty.states(said) == {"sent": 30}
