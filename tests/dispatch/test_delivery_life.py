"""The life of a delivery, through the real verbs, a real ledger and a provider that fails to order."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import select, update

from broker import accounts, intake, recover
from broker.actor import SYSTEM
from broker.announcement import Part, Purpose, Step, Urgency
from broker.channel import Key, Message, Receipt, Recipient
from broker.claim import claim
from broker.delivery import Evidence
from broker.dispatch import Process, Tempo, deliver
from broker.errors import AddressRejected, IllegalTransition, KeyConflict, RuleBroken
from broker.policy import Case, Verdict
from broker.testing.channel_bench import Fault
from broker.testing.provider import pretend_news
from broker.values import Lane, Started
from ledger import tables as t
from ledger.record import verify
from tests.support.broker_world import World
from tests.support.school import SmallSchool
from tests.support.tampering import without_guards


def test_every_guardian_of_a_group_gets_one_text(thirty: World) -> None:
    said = thirty.announce(audience="Choir")
    assert thirty.plan(said) == 30
    assert thirty.send() == 30
    assert thirty.states(said) == {"sent": 30}
    assert len(thirty.channels.texts.truth) == 30
    assert thirty.tallies(said) == {"sent": 30}


def test_two_ways_at_once_reach_each_person_by_both(thirty: World) -> None:
    said = thirty.announce(ways=(Step(("sms", "email")),))
    assert thirty.plan(said) == 60
    thirty.send("texts")
    thirty.send("mails")
    assert thirty.states(said) == {"sent": 60}
    assert len(thirty.channels.mails.truth) == 30


def test_planning_twice_adds_nothing(thirty: World) -> None:
    said = thirty.announce()
    assert [thirty.plan(said), thirty.plan(said)] == [30, 0]


def test_the_same_key_and_words_are_the_same_announcement(thirty: World) -> None:
    first = intake.accept(thirty.ports, thirty.draft(key="k1"), actor=SYSTEM)
    again = intake.accept(thirty.ports, thirty.draft(key="k1"), actor=SYSTEM)
    assert (first.created, again.created) == (True, False)
    assert first.announcement.id == again.announcement.id


def test_the_same_key_with_other_words_is_a_conflict(thirty: World) -> None:
    thirty.announce(key="k1")
    with pytest.raises(KeyConflict):
        thirty.announce(key="k1", parts={Part.SHORT: "Something else."})


def test_four_children_and_two_shared_numbers_make_two_texts_that_name_the_four(world: World) -> None:
    school = SmallSchool()
    four = [school.pupil(name, "Choir") for name in ("Amy", "Ben", "Cal", "Dee")]
    school.guardian("Mother", *four, mobiles=("+447911123456",))
    school.guardian("Father", *four, mobiles=("+447911123457",))
    world.bring(school)
    said = world.announce(audience="Choir", parts={Part.SHORT: "Rehearsal for {pupil} is at six."})
    world.plan(said)
    world.send()
    assert world.states(said) == {"sent": 2}
    covered = world.rows(select(t.delivery_covers.c.duty_id))
    assert len(covered) == 8
    rendered = world.channels.open("texts").render
    assert rendered is not None
    assert sorted(kept.address for kept in world.channels.texts.truth) == ["+447911123456", "+447911123457"]
    assert len({kept.digest for kept in world.channels.texts.truth}) == 1


def test_nothing_starts_after_withdrawal(thirty: World) -> None:
    said = thirty.announce()
    thirty.plan(said)
    intake.withdraw(thirty.ports, said.public_id, actor=SYSTEM)
    thirty.send()
    assert thirty.states(said) == {"withdrawn": 30}
    assert thirty.channels.texts.truth == []
    assert thirty.tallies(said) == {"withdrawn": 30}


def test_what_is_withdrawn_before_it_is_planned_is_never_planned(thirty: World) -> None:
    said = thirty.announce()
    intake.withdraw(thirty.ports, said.public_id, actor=SYSTEM)
    assert thirty.plan(said) == 0


def test_what_expired_is_refused_and_says_so(thirty: World) -> None:
    said = thirty.announce()
    thirty.plan(said)
    thirty.pass_time(timedelta(days=2))
    thirty.send()
    assert thirty.states(said) == {"refused": 30}
    assert {row.code for row in thirty.rows(select(t.delivery.c.code))} == {"expired"}


def test_a_paused_account_holds_and_a_resumed_one_goes_on(thirty: World) -> None:
    said = thirty.announce()
    thirty.plan(said)
    accounts.pause(thirty.ports, "texts", "the bill", actor=SYSTEM)
    thirty.send()
    assert thirty.states(said) == {"queued": 30}
    accounts.resume(thirty.ports, "texts", actor=SYSTEM)
    thirty.send()
    assert thirty.states(said) == {"sent": 30}


def test_an_opt_out_refuses_and_survives_a_new_import(world: World) -> None:
    school = SmallSchool()
    school.guardian("Mother", school.pupil("Amy", "Choir"), mobiles=("+447911123456",))
    world.bring(school)
    hashed = world.rows(select(t.address.c.hash))[0].hash
    with world.ledger.begin() as tx:
        tx.people.suppress(hashed, "sms", source="test")
    world.bring(school)
    said = world.announce()
    world.plan(said)
    world.send()
    assert world.states(said) == {"refused": 1}
    assert world.channels.texts.truth == []


def test_a_court_block_made_after_planning_still_holds(world: World) -> None:
    school = SmallSchool()
    amy, ben = school.pupil("Amy", "Choir"), school.pupil("Ben", "Choir")
    father = school.guardian("Father", amy, ben, mobiles=("+447911123456",))
    world.bring(school)
    said = world.announce(audience="Choir")
    world.plan(said)
    school.block(father, amy)
    world.bring(school)
    world.send()
    dropped = {row.dropped for row in world.rows(select(t.delivery_covers.c.dropped))}
    assert world.states(said) == {"sent": 1}
    assert dropped == {True, False}


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


def test_urgent_work_is_found_in_its_own_lane(thirty: World) -> None:
    said = thirty.announce(urgency=Urgency.URGENT)
    thirty.plan(said)
    assert thirty.send(lane=Lane.ROUTINE) == 0
    assert thirty.send(lane=Lane.URGENT) == 30


def test_promotion_without_consent_is_refused(thirty: World) -> None:
    said = thirty.announce(
        purpose=Purpose.PROMOTIONAL,
        parts={Part.SHORT: "Tickets are here. Reply STOP to have no more of these."},
    )
    thirty.plan(said)
    thirty.send()
    assert thirty.states(said) == {"refused": 30}


def test_an_expired_lease_that_never_started_is_queued_again(thirty: World) -> None:
    said = thirty.announce()
    thirty.plan(said)
    claim_and_die(thirty)
    thirty.pass_time(timedelta(minutes=5))
    thirty.sweep()
    assert thirty.states(said) == {"queued": 30}


def test_an_expired_lease_that_started_is_uncertain_and_never_queued(thirty: World) -> None:
    said = thirty.announce()
    thirty.plan(said)
    claim_and_die(thirty, start=True)
    thirty.pass_time(timedelta(minutes=5))
    thirty.sweep()
    assert thirty.states(said) == {"uncertain": 30}


def test_a_worker_that_comes_back_late_changes_nothing_but_what_it_learned_is_kept(thirty: World) -> None:
    """The lease runs out while the provider answers: the outcome is stale, and enters as evidence."""
    said = thirty.announce()
    thirty.plan(said)
    truth = thirty.channels.texts
    accept = truth.receive

    def overtaken(message: Message, to: Recipient) -> Receipt:
        truth.receive = accept  # type: ignore[method-assign]
        thirty.pass_time(timedelta(minutes=5))
        recover.expired_leases(thirty.ports, actor=SYSTEM)
        assert thirty.states(said) == {"uncertain": 30}
        return accept(message, to)

    truth.receive = overtaken  # type: ignore[method-assign]
    thirty.send()
    thirty.send()  # what the brake kept from starting proved that it never left, and is due again
    assert thirty.states(said) == {"sent": 30}
    assert len(truth.truth) == 30


def test_what_waits_behind_a_provider_that_hangs_is_given_back_before_its_lease_ends(thirty: World) -> None:
    """Begun later it could go twice: recovery calls it lost, a look-up finds it absent, another worker sends it."""
    thirty.tempo = Tempo(lease=timedelta(seconds=6), margin=timedelta(seconds=4))
    thirty.channels.texts.silence = timedelta(seconds=0.8)
    thirty.channels.texts.order(Fault.TIMEOUT_BEFORE)
    said = thirty.announce()
    thirty.plan(said)
    thirty.send()
    states = thirty.states(said)
    assert states["queued"] + states["uncertain"] == 30
    assert states["uncertain"] <= 12, "four hands, two rounds or three, and then the lease is too short"
    began = thirty.rows(select(t.attempt.c.outcome).where(t.attempt.c.outcome == "not-sent"))
    assert len(began) == states["queued"]


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


def test_a_brake_that_cannot_read_starts_nothing(thirty: World) -> None:
    said = thirty.announce()
    thirty.plan(said)
    thirty.brake.clock = lambda: 0.0
    thirty.brake.refresh()
    thirty.brake.clock = lambda: 1.0
    process = Process(thirty.brake, SYSTEM)
    turn = deliver(thirty.ports, "texts", Lane.ROUTINE, process=process, budget=timedelta(seconds=0.3))
    started = asyncio.run(turn)
    assert (started, thirty.channels.texts.truth) == (0, [])


def test_the_sweep_hints_at_what_no_hint_told_of(thirty: World) -> None:
    said = thirty.announce()
    thirty.hints.flush()
    thirty.sweep()
    assert len(thirty.hints) == 1
    thirty.hints.flush()
    thirty.plan(said)
    thirty.hints.flush()
    thirty.sweep()
    assert len(thirty.hints) == 1


def test_the_record_verifies_after_a_busy_day_and_not_after_a_change(thirty: World) -> None:
    thirty.channels.texts.order(Fault.REJECTED_ADDRESS, times=3)
    said = thirty.announce()
    thirty.plan(said)
    thirty.send()
    assert thirty.sweep().clean
    with thirty.ledger.reading() as hand:
        found = verify(hand.connection)
    assert (found.ok, found.unsealed) == (True, 0)
    with thirty.ledger.begin() as tx, without_guards(tx.hand.connection):
        tx.hand.connection.execute(
            update(t.record_entry).where(t.record_entry.c.kind == "deliveries.tried").values(body=b"{}")
        )
    with thirty.ledger.reading() as hand:
        assert verify(hand.connection).first_fault is not None


def test_the_pace_of_an_account_is_kept(thirty: World) -> None:
    with thirty.ledger.begin() as tx:
        tx.hand.connection.execute(update(t.account).values(per_second=20.0))
    said = thirty.announce()
    thirty.plan(said)
    thirty.send()
    assert thirty.states(said) == {"sent": 30}
    attempts = sorted(row.ended_at for row in thirty.rows(select(t.attempt.c.ended_at)))
    assert attempts[-1] - attempts[0] > timedelta(seconds=0.4)


def test_folding_the_counters_changes_no_count(thirty: World) -> None:
    said = thirty.announce()
    thirty.plan(said)
    thirty.send()
    before = thirty.tallies(said)
    thirty.sweep()
    assert thirty.tallies(said) == before == thirty.states(said)
    assert thirty.rows(select(t.tally_delta)) == []


def test_an_opt_out_told_by_the_provider_is_kept(thirty: World) -> None:
    """Twilio's 21610 says that the person replied STOP: the next announcement is refused by our own rule."""

    def stopped(message: object, to: object) -> object:
        raise AddressRejected("this person replied STOP", code="21610", opt_out=True)

    good, thirty.channels.texts.receive = thirty.channels.texts.receive, stopped  # type: ignore[method-assign,assignment]
    said = thirty.announce()
    thirty.plan(said)
    thirty.send()
    assert thirty.states(said) == {"rejected": 30}
    thirty.channels.texts.receive = good  # type: ignore[method-assign]
    again = thirty.announce()
    thirty.plan(again)
    thirty.send()
    assert thirty.states(again) == {"refused": 30}


@pytest.mark.parametrize(
    "order", list(permutations([Evidence.ACCEPTED, Evidence.BOUNCED, Evidence.DELIVERED]))
)
def test_callbacks_in_any_order_and_twice_end_the_same(thirty: World, order: tuple[Evidence, ...]) -> None:
    said = thirty.announce()
    thirty.plan(said)
    thirty.send()
    attempts = thirty.rows(
        select(t.attempt.c.id, t.attempt.c.provider_id, t.attempt.c.delivery_id, t.attempt.c.fence)
    )
    for evidence in (*order, order[0]):
        for row in attempts:
            token = thirty.ports.signer.sign("attempt", str(row.id))
            news = pretend_news(
                Key(row.delivery_id, row.id, row.fence, token), Receipt(row.provider_id), evidence
            )
            with thirty.ledger.begin() as tx:
                account = tx.accounts.named("texts")
                assert account is not None
                tx.receipts.append(account.id, news.url, news.headers, news.body)
        thirty.confirm()
    assert thirty.states(said) == {"delivered": 30}
    assert thirty.tallies(said) == {"delivered": 30}


def claim_and_die(world: World, *, start: bool = False) -> None:
    """A worker that claims (and starts) everything and is never heard of again."""
    with world.ledger.begin() as tx:
        account = tx.accounts.named("texts")
    assert account is not None
    taken = claim(
        world.ports,
        account,
        world.channels.open("texts"),
        Lane.ROUTINE,
        most=200,
        within=timedelta(seconds=1),
        lease=timedelta(seconds=60),
        actor=SYSTEM,
    ).taken
    assert len(taken) == 30
    if start:
        starts = [Started(one.delivery, one.fence, "0" * 64) for one in taken]
        with world.ledger.begin() as tx:
            begun = tx.deliveries.start(account, "texts", starts, margin=timedelta(seconds=1))
        assert len(begun) == 30
