"""The life of a delivery, through the real verbs, a real ledger and a provider that does as it should."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import select, update

from broker import accounts, intake
from broker.actor import SYSTEM
from broker.announcement import Part, Purpose, Step, Urgency
from broker.channel import Key, Receipt
from broker.delivery import Evidence
from broker.errors import AddressRejected, KeyConflict
from broker.testing.channel_bench import Fault
from broker.testing.provider import pretend_news
from broker.values import Lane
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
