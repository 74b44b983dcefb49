"""Whose hands a delivery is in: leases that run out, workers that come back late, a brake that cannot read."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import select

from broker import recover
from broker.actor import SYSTEM
from broker.channel import Message, Receipt, Recipient
from broker.claim import claim
from broker.dispatch import Process, Tempo, deliver
from broker.testing.channel_bench import Fault
from broker.values import Lane, Started
from ledger import tables as t
from tests.support.broker_world import World


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
