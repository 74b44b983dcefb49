"""Retract: what the public was told by an announcement withdrawn since is taken back where it was posted.

A post is deleted while no transaction is open, then its delivery is moved. A worker that dies between the two deletes
once more, and what is gone counts as deleted.
"""

from __future__ import annotations

import logging
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

from broker.actor import Actor
from broker.capabilities import Withdraws
from broker.channel import Receipt
from broker.delivery import REACHED, Event, step
from broker.errors import BrokerError, DeliveryFailure, RateLimited, Uncertain
from broker.ports import Ports, Transaction
from broker.record import Entry
from broker.retry import RetryPolicy
from broker.values import Move, Retraction

log = logging.getLogger(__name__)
CHUNK = 50
HANDS = 4  # at a time: one provider's silence must not keep another's posts up
IN_HAND = timedelta(minutes=3)  # nobody else tries for so long; a worker that died is followed after it
PATIENCE = RetryPolicy(first=timedelta(seconds=10), most=timedelta(minutes=15))  # and no end of attempts
ALARM = "retraction"
ALARM_AFTER = 3  # failures: some two minutes of a post that should not be there


def take_back_due(ports: Ports, *, actor: Actor) -> int:
    """Take back what is due; returns how many deliveries were retracted.

    What fails is tried again with growing waits and no end, for a post stands until it is deleted; an alarm says so
    after the third time.
    """
    with ports.ledger.look() as seen:
        if not seen.retractions.is_due():
            return 0
    due = ports.ledger.transact(lambda tx: tx.retractions.due(limit=CHUNK, again_in=IN_HAND))
    with ThreadPoolExecutor(HANDS, thread_name_prefix="carillon-retract") as hands:
        return sum(hands.map(partial(_take_back, ports, actor), due))


def _take_back(ports: Ports, actor: Actor, one: Retraction) -> bool:
    try:
        deleted = _delete(ports, one)
    except DeliveryFailure as failure:
        ports.ledger.transact(lambda tx, why=failure: _failed(tx, one, why))  # type: ignore[misc]
        return False
    return ports.ledger.transact(lambda tx: _retracted(tx, one, deleted, actor))


def _delete(ports: Ports, one: Retraction) -> bool:
    """Delete every post of a delivery; False when its channel cannot take anything back. Raises DeliveryFailure."""
    try:
        if not isinstance(ports.channels.open(one.account), Withdraws):
            return False
        if not one.posts:
            raise Uncertain("nobody knows under which id it was posted")
        for gateway, provider_id in one.posts:
            channel = ports.channels.through(one.account, gateway)
            if isinstance(channel, Withdraws):
                channel.withdraw(Receipt(provider_id))
    except DeliveryFailure:
        raise
    except BrokerError:  # the settings name the account no more, or wrongly
        raise Uncertain("its account is not set up any more") from None
    except Exception as error:  # noqa: BLE001 - a channel's own code: what it breaks on leaves the post where it is
        raise Uncertain(f"the channel failed with {type(error).__name__}", code="unforeseen") from None
    return True


def _retracted(tx: Transaction, one: Retraction, deleted: bool, actor: Actor) -> bool:
    known = tx.moves.by_id(one.delivery)
    if known is None or known.state not in REACHED:
        return False  # moved by evidence while we talked; should it be called sent again, it is deleted again
    facts = {"delivery": one.delivery, "account": one.account, "before": known.state.value}
    if deleted:
        move = Move(
            delivery=known.delivery,
            announcement=known.announcement,
            channel=known.channel,
            before=known.state,
            event=Event.RETRACT,
            state=step(known.state, Event.RETRACT),
            code="withdrawn",
            why="it was withdrawn or corrected, and this was taken back",
        )
        tx.moves.move([move])
    kind = "delivery.retracted" if deleted else "delivery.cannot_be_retracted"
    tx.record.add([Entry(kind, actor, facts, one.announcement)])
    tx.retractions.drop(one.delivery)
    tx.sweeps.clear_alarm(ALARM, _subject(one))
    return deleted


def _failed(tx: Transaction, one: Retraction, failure: DeliveryFailure) -> None:
    failures = one.failures + 1
    wait = PATIENCE.wait(failures, random.random())
    if isinstance(failure, RateLimited) and failure.retry_after is not None:
        wait = max(wait, failure.retry_after)
    tx.retractions.put_off(one.delivery, failures=failures, by=wait)
    log.warning("what %s posted is still there: %s", one.account, failure.why)
    if failures >= ALARM_AFTER:
        told = f"it is withdrawn, and its post by {one.account} is still there: {failure.why}"
        tx.sweeps.raise_alarm(ALARM, _subject(one), f"{told}; it is tried on, or delete it there by hand")


def _subject(one: Retraction) -> str:
    return f"{one.public_id} {one.account}"
