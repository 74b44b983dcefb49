"""Somebody was faster: a lease that ran out, a person who decided, an answer that comes too late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from broker import recover
from broker.actor import SYSTEM
from broker.announcement import Step
from broker.capabilities import PastAttempt
from broker.channel import Message, Receipt, Recipient
from broker.claim import claim
from broker.duty import DutyState
from broker.errors import AddressRejected
from broker.render import Renderer
from broker.testing.channel_bench import Fault
from broker.values import AccountRow, Lane, Picked
from ledger import tables as t
from ledger.reads import duties
from tests.support.broker_world import World
from tests.support.school import SmallSchool


def one_family(world: World, way: str = "mobiles") -> None:
    school = SmallSchool()
    addresses = {"mobiles": ("+447911123456",), "emails": ("bell@example.org",)}
    school.guardian("Mother", school.pupil("Amy", "Choir"), **{way: addresses[way]})
    world.bring(school)


def texts(world: World) -> AccountRow:
    with world.ledger.begin() as tx:
        account = tx.accounts.named("texts")
    assert account is not None
    return account


def claimed(world: World) -> Sequence[Picked]:
    second = timedelta(seconds=1)
    return claim(
        world.ports,
        texts(world),
        world.channels.open("texts"),
        Lane.ROUTINE,
        most=200,
        within=second,
        lease=60 * second,
        actor=SYSTEM,
    ).taken


def the_delivery(world: World) -> int:
    return int(world.rows(select(t.delivery.c.id))[0].id)


def test_what_cannot_be_rendered_is_held_only_by_the_worker_that_still_has_it(world: World) -> None:
    """Held by one that has lost it, it would be taken out of the hands of another that is just sending it."""
    one_family(world)
    world.plan(world.announce())
    overtaken = claimed(world)
    world.pass_time(timedelta(minutes=2))
    world.sweep()
    newer = claimed(world)
    assert [one.fence for one in newer] == [one.fence + 1 for one in overtaken]
    renderer = Renderer(world.ports, world.channels.open("texts"))
    renderer.hold(overtaken, texts(world), actor=SYSTEM)
    assert world.states() == {"sending": 1}
    renderer.hold(newer, texts(world), actor=SYSTEM)
    assert world.states() == {"queued": 1}


def test_absent_says_nothing_of_a_try_that_was_made_while_the_provider_thought(world: World) -> None:
    one_family(world)
    provider = world.channels.texts
    provider.silence = timedelta(0)
    provider.order(Fault.TIMEOUT_BEFORE, times=1)
    world.plan(world.announce())
    world.send()
    world.pass_time(timedelta(minutes=2))
    world.sweep()  # absent once

    channel = world.channels.open("texts")

    def slowly(attempt: PastAttempt) -> Receipt | None:
        """Meanwhile a person tries again, and that answer is lost too, though the text was taken."""
        del channel.find  # type: ignore[attr-defined]
        recover.requeue(world.ports, attempt.key.delivery, actor=SYSTEM)
        provider.order(Fault.LOST_AFTER_ACCEPT, times=1)
        world.send()
        return None

    channel.find = slowly  # type: ignore[attr-defined]
    world.pass_time(timedelta(minutes=2))
    world.sweep()
    assert world.states() == {"uncertain": 1}, "sent again now, it would go twice"
    world.pass_time(timedelta(minutes=2))
    world.sweep()
    assert world.states() == {"sent": 1}
    assert len(provider.truth) == 1


def test_what_a_person_settled_while_the_provider_thought_is_not_sent_again(world: World) -> None:
    one_family(world)
    world.channels.texts.silence = timedelta(0)
    world.channels.texts.order(Fault.TIMEOUT_BEFORE, times=1)
    world.plan(world.announce())
    world.send()
    world.pass_time(timedelta(minutes=2))
    world.sweep()

    def slowly(attempt: PastAttempt) -> Receipt | None:
        recover.settle(world.ports, attempt.key.delivery, actor=SYSTEM)
        return None

    world.channels.open("texts").find = slowly  # type: ignore[attr-defined]
    world.pass_time(timedelta(minutes=2))
    world.sweep()
    assert world.states() == {"uncertain": 1}
    assert world.rows(select(t.delivery.c.lookup_at)) == [(None,)]


def test_what_was_settled_and_tried_again_is_doubtful_anew_when_it_is_lost_anew(world: World) -> None:
    one_family(world, "emails")
    world.channels.mails.silence = timedelta(0)
    world.channels.mails.order(Fault.LOST_AFTER_ACCEPT)
    said = world.announce(ways=(Step(("email",)),))
    world.plan(said)
    world.send("mails")
    recover.settle(world.ports, the_delivery(world), actor=SYSTEM)
    assert open_duties(world) == 0
    recover.requeue(world.ports, the_delivery(world), actor=SYSTEM)
    world.send("mails")
    assert world.states() == {"uncertain": 1}
    assert world.rows(select(t.delivery.c.settled_by, t.delivery.c.settled_at)) == [(None, None)]
    assert open_duties(world) == 1, "nobody has decided about this try yet"


def open_duties(world: World) -> int:
    with world.ledger.begin() as tx:
        announcement = tx.announcements.by_id(1)
        return duties.count(tx.hand, announcement)[DutyState.OPEN]


def test_a_no_that_comes_too_late_is_told_with_its_reason(world: World) -> None:
    one_family(world)
    world.plan(world.announce())

    def overtaken(message: Message, to: Recipient) -> Receipt:
        world.pass_time(timedelta(minutes=5))
        recover.expired_leases(world.ports, actor=SYSTEM)
        raise AddressRejected("this is a landline", code="21635")

    world.channels.texts.receive = overtaken  # type: ignore[method-assign]
    world.send()
    found = world.rows(select(t.delivery.c.state, t.delivery.c.code, t.delivery.c.why))
    assert found == [("rejected", "21635", "this is a landline")]
