"""The guards of "nothing twice" and "nothing late", each by itself: `make mutants` takes them out one by one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from broker import intake, recover
from broker.actor import SYSTEM
from broker.announcement import Urgency
from broker.channel import Key, Message, NotStarted, Outcome, Receipt, Recipient
from broker.claim import claim
from broker.confirm import apply_news
from broker.delivery import Evidence
from broker.errors import AddressRejected, Uncertain
from broker.outcomes import Tried, result_of
from broker.render import Renderer
from broker.testing.channel_bench import Fault
from broker.values import AccountRow, Lane, News, Picked, Started, Starts
from broker.write_back import write_back_and_start
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.school import SmallSchool

MINUTE = timedelta(minutes=1)


@pytest.fixture
def family(world: World) -> World:
    """One pupil, one mother with one number."""
    school = SmallSchool()
    school.guardian("Mother", school.pupil("Amy", "Choir"), mobiles=("+447911123456",))
    world.bring(school)
    return world


def texts(world: World) -> AccountRow:
    with world.ledger.begin() as tx:
        account = tx.accounts.named("texts")
    assert account is not None
    return account


def in_hand(world: World) -> Sequence[Tried]:
    """What a worker has claimed and started, and is talking to the provider about."""
    account, channel = texts(world), world.channels.open("texts")
    taken = claim(
        world.ports, account, channel, Lane.ROUTINE, most=200, within=MINUTE, lease=MINUTE, actor=SYSTEM
    ).taken
    made = {one.delivery: Renderer(world.ports, channel).render(one) for one in taken}
    starts = [
        Started(one.delivery, one.fence, rendered.message.digest)
        for one in taken
        if (rendered := made[one.delivery])
    ]
    with world.ledger.begin() as tx:
        attempts = tx.deliveries.start(account, "texts", starts, margin=timedelta(seconds=1))
    return [Tried(one, Key(one.delivery, attempts[one.delivery], one.fence)) for one in taken]


def answered(world: World, tried: Tried, outcome: Outcome) -> None:
    """The worker writes what it heard."""
    channel, account = world.channels.open("texts"), texts(world)
    now = tried.picked.case.now
    result = result_of(tried, outcome, retry=channel.retry, traits=channel.traits, now=now, spread=0.5)
    nothing = Starts("texts", timedelta(seconds=1), [])
    told = [(tried, outcome)]
    write_back_and_start(world.ports, account, [result], told, nothing, now=now, actor=SYSTEM)


def begun(world: World, one: Picked, *, margin: timedelta = timedelta(seconds=1)) -> bool:
    """Whether the worker that claimed it may begin."""
    starts = Starts("texts", margin, [Started(one.delivery, one.fence, "0" * 64)])
    now = one.case.now
    return bool(write_back_and_start(world.ports, texts(world), (), (), starts, now=now, actor=SYSTEM))


def lost_and_found_absent(world: World) -> None:
    """The worker is given up, the provider asked twice, and what it does not have goes out anew."""
    for _ in range(3):
        world.pass_time(2 * MINUTE)
        world.sweep()
    assert world.states() == {"queued": 1}


def test_a_provider_that_accepts_within_the_grace_is_given_no_second_text(family: World) -> None:
    """It is asked once the grace is over, and not before: what it had not taken by then might yet be on its way in."""
    provider, on_its_way = family.channels.texts, list[tuple[Message, Recipient]]()
    accept = provider.receive

    def slowly(message: Message, to: Recipient, token: str = "") -> Receipt:
        on_its_way.append((message, to))
        raise Uncertain("no answer in time", code="timeout")

    provider.receive = slowly  # type: ignore[method-assign]
    family.plan(family.announce())
    family.send()
    for _ in range(3):  # the sweep looks as soon and as often as it likes
        family.sweep()
    assert family.states() == {"uncertain": 1}
    provider.receive = accept  # type: ignore[method-assign]
    for message, to in on_its_way:
        provider.accept(message, to)
    for _ in range(3):
        family.pass_time(MINUTE)
        family.sweep()
        family.send()
    assert len(provider.truth) == 1
    assert family.states() == {"sent": 1}


def test_a_killed_workers_text_is_asked_for_after_the_grace_too(family: World) -> None:
    family.plan(family.announce())
    in_hand(family)
    family.pass_time(2 * MINUTE)
    for _ in range(3):
        family.sweep()
    assert family.states() == {"uncertain": 1}, "its provider may be slow to list it"


def test_an_answer_under_an_old_fence_leaves_the_newer_try_alone(family: World) -> None:
    """Its no is about a try of its own; the other is with the provider at this moment, and may be taken."""
    family.plan(family.announce())
    [older] = in_hand(family)
    lost_and_found_absent(family)
    [newer] = in_hand(family)
    assert newer.key.fence > older.key.fence
    answered(family, older, AddressRejected("this is a landline", code="21635"))
    assert family.states() == {"sending": 1}
    answered(family, newer, Receipt("P00000001"))
    assert family.states() == {"sent": 1}


def test_a_try_under_an_old_fence_is_not_begun(family: World) -> None:
    family.plan(family.announce())
    account, channel = texts(family), family.channels.open("texts")
    [older] = claim(
        family.ports, account, channel, Lane.ROUTINE, most=1, within=MINUTE, lease=MINUTE, actor=SYSTEM
    ).taken
    family.pass_time(2 * MINUTE)
    family.sweep()
    [newer] = claim(
        family.ports, account, channel, Lane.ROUTINE, most=1, within=MINUTE, lease=MINUTE, actor=SYSTEM
    ).taken
    assert not begun(family, older)
    assert begun(family, newer)


def test_a_try_whose_lease_may_end_in_mid_call_is_not_begun(family: World) -> None:
    family.plan(family.announce())
    account, channel = texts(family), family.channels.open("texts")
    [one] = claim(
        family.ports, account, channel, Lane.ROUTINE, most=1, within=MINUTE, lease=MINUTE, actor=SYSTEM
    ).taken
    assert not begun(family, one, margin=2 * MINUTE)
    assert begun(family, one)


def test_the_database_takes_one_delivery_for_an_announcement_and_an_address(family: World) -> None:
    family.plan(family.announce())
    [row] = family.rows(select(t.delivery))
    copy = {name: value for name, value in row._mapping.items() if name != "id"}
    with pytest.raises(IntegrityError), family.ledger.begin() as tx:
        tx.hand.connection.execute(insert(t.delivery).values(copy))


def test_a_planner_that_forgot_where_it_was_plans_nobody_twice(thirty: World) -> None:
    said = thirty.announce()
    thirty.plan(said)
    with thirty.ledger.begin() as tx:
        tx.hand.connection.execute(t.fanout_cursor.delete())
        tx.hand.connection.execute(t.announcement.update().values(fanned_out_at=None))
    thirty.plan(said)
    thirty.send()
    assert thirty.states(said) == {"sent": 30}
    assert len({kept.address for kept in thirty.channels.texts.truth}) == len(thirty.channels.texts.truth)


def test_what_expires_behind_a_slow_provider_is_not_begun_any_more(thirty: World) -> None:
    """It was claimed in time; its turn came too late."""
    provider = thirty.channels.texts
    provider.answer_in = timedelta(seconds=0.3)
    said = thirty.announce()
    thirty.plan(said)
    with thirty.ledger.begin() as tx:
        expires = tx.now + timedelta(seconds=1)
        tx.hand.connection.execute(t.delivery.update().values(expires_at=expires))
    thirty.send()
    thirty.pass_time(timedelta(seconds=2))
    thirty.send()
    states = thirty.states(said)
    assert states.get("refused", 0) >= 10, "thirty take two seconds and more"
    assert set(states) <= {"sent", "refused"}
    assert len(provider.truth) == states.get("sent", 0)


def test_a_withdrawal_in_mid_send_stops_what_has_not_begun(thirty: World) -> None:
    provider = thirty.channels.texts
    provider.answer_in = timedelta(seconds=0.5)
    said = thirty.announce()
    thirty.plan(said)
    receive = provider.receive

    def withdrawn_meanwhile(message: Message, to: Recipient, token: str = "") -> Receipt:
        provider.receive = receive  # type: ignore[method-assign]
        intake.withdraw(thirty.ports, said.public_id, actor=SYSTEM)
        return receive(message, to)

    provider.receive = withdrawn_meanwhile  # type: ignore[method-assign]
    thirty.send()
    thirty.send()  # what was not begun is due again, and judged with the fact
    states = thirty.states(said)
    assert states.get("withdrawn", 0) >= 10, "thirty take three seconds and more"
    assert len(provider.truth) == states["sent"] == 30 - states["withdrawn"]


def test_a_start_is_in_the_ledger_before_its_message_leaves(thirty: World) -> None:
    provider, seen = thirty.channels.texts, list[int]()
    receive = provider.receive

    def look(message: Message, to: Recipient, token: str = "") -> Receipt:
        started = select(t.attempt.c.id).join(t.delivery, t.delivery.c.id == t.attempt.c.delivery_id)
        mine = started.join(t.address, t.address.c.id == t.delivery.c.address_id)
        seen.append(len(thirty.rows(mine.where(t.address.c.value == to.address))))
        return receive(message, to)

    provider.receive = look  # type: ignore[method-assign]
    thirty.plan(thirty.announce(urgency=Urgency.URGENT))
    thirty.send(lane=Lane.URGENT)
    assert seen == [1] * 30


def test_news_of_an_older_try_does_not_overrule_a_persons_decision(family: World) -> None:
    """Tried again by a person, it waits; that the first try bounced is known already, however often it is told."""
    family.channels.texts.order(Fault.REJECTED_ADDRESS, times=1)
    family.plan(family.announce())
    family.send()
    assert family.states() == {"rejected": 1}
    [first] = family.rows(select(t.attempt.c.id, t.attempt.c.delivery_id))
    recover.requeue(family.ports, first.delivery_id, actor=SYSTEM)
    with family.ledger.begin() as tx:
        apply_news(tx, [News(Evidence.BOUNCED, first.id)], actor=SYSTEM)
    assert family.states() == {"queued": 1}
    family.send()
    assert family.states() == {"sent": 1}


def test_what_was_not_begun_is_due_again_and_burned_nothing(family: World) -> None:
    family.plan(family.announce())
    [tried] = in_hand(family)
    answered(family, tried, NotStarted())
    assert family.states() == {"queued": 1}
    assert family.rows(select(t.delivery.c.burned)) == [(0,)]
