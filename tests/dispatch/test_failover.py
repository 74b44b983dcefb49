"""Failover: a gateway that fails hands over to the next, and what it may have stays with it until it is asked."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from sqlalchemy import select

from broker import accounts, confirm
from broker.actor import SYSTEM
from broker.announcement import Urgency
from broker.delivery import Evidence
from broker.errors import NotFound, RuleBroken
from broker.gateways import Stand
from broker.testing.channel_bench import Fault
from broker.values import Lane, News
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.two_gateways import (
    FIRST,
    QUICK,
    SECOND,
    TwoGateways,
    health,
    open_alarms,
    tries,
    who_got_it,
    with_two,
)

ONE_EACH = {f"+4479111234{n:02d}": 1 for n in range(30)}
MINUTE = timedelta(minutes=1)
A_SECOND = timedelta(seconds=1)


@pytest.fixture
def two(thirty: World) -> TwoGateways:
    return with_two(thirty)


def sent(world: World, **changes: object) -> None:
    """Announced, planned and sent, again and again as a worker would, until a turn starts nothing."""
    world.plan(world.announce(**changes))
    turns(world)


def turns(world: World, lane: Lane = Lane.ROUTINE) -> None:
    """Until a turn starts nothing, and nothing was to be due a moment after it: what was given back is due at once.

    At once by the brake's reckoning of the database's clock, which is a moment ahead where its reading took one.
    """
    for _ in range(20):
        with world.ledger.look() as tx:
            before = tx.now
        if not world.send(lane=lane):
            waits = select(t.delivery.c.id).where(
                t.delivery.c.state == "queued", t.delivery.c.due_at > before
            )
            if not world.rows(waits.where(t.delivery.c.due_at < before + 2 * A_SECOND)):
                return
            time.sleep(0.05)
    raise AssertionError("it never comes to rest")


def test_while_the_first_is_well_the_second_is_not_used_and_nothing_is_noted(
    thirty: World, two: TwoGateways
) -> None:
    sent(thirty)
    assert who_got_it(two.texts) == ONE_EACH
    assert tries(thirty) == {FIRST: 30}
    assert health(thirty) == {}


def test_refused_connections_cost_no_attempt_and_go_by_the_second_at_once(
    thirty: World, two: TwoGateways
) -> None:
    two.texts.order(Fault.UNREACHABLE)
    sent(thirty)
    assert who_got_it(two.others) == ONE_EACH
    assert thirty.states() == {"sent": 30}
    assert {row.burned for row in thirty.rows(select(t.delivery.c.burned))} == {1}
    stands = health(thirty)[FIRST]
    assert stands.stand is Stand.OPEN
    assert open_alarms(thirty) == [("gateway", f"texts {FIRST}")]
    assert "gateway.open" in thirty.record()


def test_a_single_text_goes_by_the_second_too(thirty: World, two: TwoGateways) -> None:
    two.texts.order(Fault.UNREACHABLE)
    only = thirty.draft()
    thirty.plan(thirty.announce())
    with thirty.ledger.begin() as tx:
        first = min(row.id for row in tx.hand.connection.execute(select(t.delivery.c.id)))
        tx.hand.connection.execute(
            t.delivery.update().where(t.delivery.c.id != first).values(due_at=tx.now + MINUTE)
        )
    assert only.audience == "everyone"
    turns(thirty)
    assert len(two.others.truth) == 1


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.TIMEOUT_BEFORE])
def test_what_is_in_doubt_with_the_first_goes_by_the_second_only_when_the_first_has_said_twice_that_it_is_absent(
    thirty: World, two: TwoGateways, fault: Fault
) -> None:
    two.texts.order(fault)
    sent(thirty)
    doubtful = thirty.states()["uncertain"]
    assert 0 < doubtful < 30
    assert len(two.others.truth) == 30 - doubtful
    thirty.pass_time(MINUTE)
    thirty.sweep()  # the first does not answer: nothing is proven
    turns(thirty)
    assert thirty.states() == {"sent": 30 - doubtful, "uncertain": doubtful}
    two.texts.cure()
    two.texts.order(Fault.UNREACHABLE, address="nobody", times=0)
    thirty.pass_time(MINUTE)
    thirty.sweep()
    assert thirty.states()["uncertain"] == doubtful  # absent once
    thirty.pass_time(MINUTE)
    thirty.sweep()
    assert thirty.states() == {"sent": 30 - doubtful, "queued": doubtful}
    two.texts.order(Fault.UNREACHABLE)
    turns(thirty)
    assert who_got_it(two.texts, two.others) == ONE_EACH
    assert thirty.states() == {"sent": 30}


def test_what_the_first_accepted_without_a_word_is_found_there_and_never_sent_again(
    thirty: World, two: TwoGateways
) -> None:
    two.texts.order(Fault.LOST_AFTER_ACCEPT)
    sent(thirty)
    two.texts.cure()
    for _ in range(3):
        thirty.pass_time(MINUTE)
        thirty.sweep()
        turns(thirty)
    assert who_got_it(two.texts, two.others) == ONE_EACH
    assert two.texts.truth
    assert thirty.states() == {"sent": 30}


def test_slow_answers_turn_it_before_they_are_there(thirty: World, two: TwoGateways) -> None:
    two.texts.answer_in = timedelta(seconds=2)
    sent(thirty)
    assert who_got_it(two.texts, two.others) == ONE_EACH
    assert 0 < len(two.texts.truth) <= 8  # what was in flight
    assert health(thirty)[FIRST].stand is Stand.OPEN
    assert thirty.states() == {"sent": 30}


def test_a_provider_that_refuses_the_account_is_out_and_the_account_goes_on_by_the_other(
    thirty: World, two: TwoGateways
) -> None:
    two.texts.order(Fault.REJECTED_ACCOUNT)
    sent(thirty)
    assert who_got_it(two.others) == ONE_EACH
    assert health(thirty)[FIRST].stand is Stand.OUT
    thirty.pass_time(60 * MINUTE)
    sent(thirty)
    assert tries(thirty)[SECOND] == 60  # nothing but a person takes it back
    accounts.resume(thirty.ports, "texts", actor=SYSTEM)
    assert health(thirty)[FIRST].stand is Stand.CLOSED


def test_an_account_is_paused_when_no_gateway_is_left(thirty: World, two: TwoGateways) -> None:
    two.texts.order(Fault.REJECTED_ACCOUNT)
    two.others.order(Fault.REJECTED_ACCOUNT)
    sent(thirty)
    assert thirty.states() == {"queued": 30}
    with thirty.ledger.look() as tx:
        account = tx.accounts.named("texts")
        assert account is not None
        assert account.paused_at is not None
    assert ("account_rejected", "texts") in open_alarms(thirty)


def test_a_trial_of_a_few_routine_texts_takes_it_back(thirty: World, two: TwoGateways) -> None:
    two.texts.order(Fault.UNREACHABLE)
    sent(thirty)
    two.texts.cure()
    thirty.pass_time(MINUTE)
    thirty.plan(thirty.announce())
    thirty.send()
    turns(thirty)
    assert health(thirty)[FIRST].stand is Stand.CLOSED
    assert len(two.texts.truth) >= QUICK.trials
    assert open_alarms(thirty) == []
    before = len(two.texts.truth)
    sent(thirty)
    assert len(two.texts.truth) == before + 30


def test_a_trial_that_fails_risks_a_few_and_lets_it_rest_longer(thirty: World, two: TwoGateways) -> None:
    two.texts.order(Fault.UNREACHABLE)
    sent(thirty)
    before = tries(thirty)[FIRST]
    thirty.pass_time(MINUTE)
    sent(thirty)
    assert tries(thirty)[FIRST] - before == QUICK.trials
    assert health(thirty)[FIRST].openings == 2
    assert len(two.others.truth) == 60


def test_urgent_texts_are_no_trial(thirty: World, two: TwoGateways) -> None:
    two.texts.order(Fault.UNREACHABLE)
    sent(thirty)
    two.texts.cure()
    thirty.pass_time(MINUTE)
    thirty.plan(thirty.announce(urgency=Urgency.URGENT))
    turns(thirty, Lane.URGENT)
    assert len(two.others.truth) == 60
    assert two.texts.truth == []


def test_when_both_fail_urgent_texts_try_on_and_routine_ones_wait(thirty: World, two: TwoGateways) -> None:
    for provider in (two.texts, two.others):
        provider.order(Fault.UNREACHABLE)
    sent(thirty)
    assert thirty.states() == {"queued": 30}
    assert {one.stand for one in health(thirty).values()} == {Stand.OPEN}
    for provider in (two.texts, two.others):
        provider.cure()
    assert thirty.send() == 0  # until a trial is due
    thirty.plan(thirty.announce(urgency=Urgency.URGENT))
    turns(thirty, Lane.URGENT)
    assert thirty.states() == {"queued": 30, "sent": 30}
    turns(thirty)  # that success closed one
    assert thirty.states() == {"sent": 60}


def test_a_worker_that_dies_leaves_what_was_started_with_the_gateway_that_had_it(
    thirty: World, two: TwoGateways
) -> None:
    """Its look-up asks there, though the other one is used by now."""
    two.texts.order(Fault.LOST_AFTER_ACCEPT)
    two.texts.silence = timedelta(0)
    sent(thirty)
    asked = {
        row.gateway
        for row in thirty.rows(
            select(t.attempt.c.gateway)
            .join(t.delivery, t.delivery.c.id == t.attempt.c.delivery_id)
            .where(t.delivery.c.state == "uncertain")
        )
    }
    assert asked == {FIRST}
    two.texts.cure()
    two.order = (SECOND, FIRST)
    thirty.pass_time(MINUTE)
    thirty.sweep()
    assert thirty.states() == {"sent": 30}
    assert who_got_it(two.texts, two.others) == ONE_EACH


def test_what_is_in_doubt_with_a_gateway_that_is_named_no_more_stays_for_a_person(
    thirty: World, two: TwoGateways
) -> None:
    two.texts.order(Fault.SERVER_ERROR)
    sent(thirty)
    doubtful = thirty.states()["uncertain"]
    with thirty.ledger.begin() as tx:
        tx.hand.connection.execute(
            t.attempt.update().where(t.attempt.c.gateway == FIRST).values(gateway="gone")
        )
    for _ in range(4):
        thirty.pass_time(MINUTE)
        thirty.sweep()
        turns(thirty)
        assert ("cannot_open", "texts gone") in open_alarms(thirty)  # once, for as long as it lasts
    assert thirty.states()["uncertain"] == doubtful


@pytest.mark.parametrize("how", ["named again", "known by a receipt"])
def test_the_alarm_for_what_cannot_be_asked_ends_when_it_can_be_or_need_not_be(
    thirty: World, two: TwoGateways, how: str
) -> None:
    two.texts.order(Fault.SERVER_ERROR)
    sent(thirty)
    with thirty.ledger.begin() as tx:
        tx.hand.connection.execute(
            t.attempt.update().where(t.attempt.c.gateway == FIRST).values(gateway="gone")
        )
    thirty.pass_time(MINUTE)
    thirty.sweep()
    assert ("cannot_open", "texts gone") in open_alarms(thirty)
    with thirty.ledger.begin() as tx:
        run = tx.hand.connection.execute
        gone = run(t.attempt.select().where(t.attempt.c.gateway == "gone")).all()
        if how == "named again":
            run(t.attempt.update().where(t.attempt.c.gateway == "gone").values(gateway=FIRST))
        else:
            confirm.apply_news(tx, [News(Evidence.DELIVERED, attempt=row.id) for row in gone], actor=SYSTEM)
    thirty.sweep()
    assert ("cannot_open", "texts gone") not in open_alarms(thirty)


def test_each_gateway_has_a_pace_of_its_own(thirty: World, two: TwoGateways) -> None:
    two.pace = {FIRST: 40.0}
    sent(thirty)
    with thirty.ledger.begin() as tx:
        turns_of = {row.gateway for row in tx.hand.connection.execute(select(t.pace.c.gateway))}
    assert turns_of == {FIRST}
    two.texts.order(Fault.UNREACHABLE)
    sent(thirty)
    assert thirty.states() == {"sent": 60}


def test_what_it_costs_follows_the_gateway(thirty: World, two: TwoGateways) -> None:
    two.texts.price, two.others.price = Decimal(2), Decimal(3)
    two.texts.order(Fault.UNREACHABLE)
    sent(thirty)
    costs = {row.gateway: row.cost for row in thirty.rows(select(t.attempt.c.gateway, t.attempt.c.cost))}
    assert costs == {FIRST: None, SECOND: 3_000_000}
    with thirty.ledger.look() as tx:
        spent = sum(row.cost for row in tx.hand.connection.execute(select(t.spend_delta.c.cost)))
    assert spent == 30 * 3_000_000  # what the first could not be handed was given back


def test_two_attempts_of_one_delivery_are_never_open_at_two_gateways(thirty: World, two: TwoGateways) -> None:
    """Whatever the order of things: an attempt at the second began after the one at the first was over."""
    thirty.tempo = replace(thirty.tempo, chunk=7)
    for fault in (Fault.SERVER_ERROR, Fault.UNREACHABLE, Fault.LOST_AFTER_ACCEPT, Fault.BUSY):
        two.texts.cure()
        two.texts.order(fault, times=5)
        sent(thirty)
    rows = thirty.rows(select(t.attempt).order_by(t.attempt.c.delivery_id, t.attempt.c.fence))
    for one, following in pairwise(rows):
        if one.delivery_id == following.delivery_id:
            assert one.outcome in {"retry", "not-sent"}


def test_a_person_holds_one_out_and_takes_it_back(thirty: World, two: TwoGateways) -> None:
    accounts.hold_out(thirty.ports, "texts", FIRST, "its prices doubled", actor=SYSTEM)
    sent(thirty)
    assert tries(thirty) == {SECOND: 30}
    held = health(thirty)[FIRST]
    assert (held.stand, held.why) == (Stand.OUT, "its prices doubled")
    assert open_alarms(thirty) == []  # somebody decided it
    with pytest.raises(RuleBroken, match="no other gateway"):
        accounts.hold_out(thirty.ports, "texts", SECOND, "this one too", actor=SYSTEM)
    with pytest.raises(NotFound, match="no such gateway"):
        accounts.take_back(thirty.ports, "texts", "third", actor=SYSTEM)
    accounts.resume(thirty.ports, "texts", actor=SYSTEM)
    assert health(thirty)[FIRST].stand is Stand.OUT  # not by the way
    accounts.take_back(thirty.ports, "texts", FIRST, actor=SYSTEM)
    sent(thirty)
    assert tries(thirty) == {FIRST: 30, SECOND: 30}
    assert {"gateway.out", "gateway.closed"} <= set(thirty.record())


def test_two_providers_may_give_the_same_id(thirty: World, two: TwoGateways) -> None:
    """What one has is never taken for what the other has: both count from one here."""
    two.others.truth.clear()
    two.order = (SECOND, FIRST)
    sent(thirty)
    two.order = (FIRST, SECOND)
    two.texts.order(Fault.LOST_AFTER_ACCEPT)
    two.texts.silence = timedelta(0)
    sent(thirty)
    two.texts.cure()
    thirty.pass_time(MINUTE)
    thirty.sweep()
    assert thirty.states() == {"sent": 60}
    assert {kept.provider_id for kept in two.texts.truth} & {kept.provider_id for kept in two.others.truth}
