"""Redact: providers are asked to forget what they sent to somebody who was erased.

Asked while no transaction is open, then noted. A worker that dies between the two asks once more, and what is gone
counts as forgotten. A channel that cannot ask (a mail server keeps nothing that could be taken back) has nothing to
do.
"""

from __future__ import annotations

import logging
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

from broker.actor import Actor
from broker.capabilities import Redacts
from broker.channel import Receipt
from broker.errors import BrokerError, DeliveryFailure, RateLimited, Uncertain
from broker.ports import Ports, Transaction
from broker.ports.privacy import Redaction
from broker.record import Entry
from broker.retry import RetryPolicy

log = logging.getLogger(__name__)
CHUNK = 200
HANDS = 4
IN_HAND = timedelta(minutes=10)  # nobody else asks for so long; a worker that died is followed after it
PATIENCE = RetryPolicy(first=timedelta(minutes=1), most=timedelta(hours=6))
ALARM = "redaction"
ALARM_AFTER = timedelta(days=3)
GIVEN_UP_AFTER = timedelta(days=30)  # the month in which a request has to be answered (UK GDPR art. 12(3))


def forget_due(ports: Ports, *, actor: Actor) -> int:
    """Ask for what is due; returns how many messages their providers have forgotten."""
    with ports.ledger.look() as seen:
        if not seen.redactions.is_due():
            return 0
    due = ports.ledger.transact(lambda tx: tx.redactions.due(limit=CHUNK, again_in=IN_HAND))
    with ThreadPoolExecutor(HANDS, thread_name_prefix="carillon-redact") as hands:
        asked = list(hands.map(partial(_ask, ports), due))
    told = list(zip(due, asked, strict=True))
    return ports.ledger.transact(lambda tx: _note(tx, told, actor))


def _ask(ports: Ports, one: Redaction) -> bool | DeliveryFailure:
    """Whether the provider has forgotten it; False where its channel cannot ask."""
    try:
        channels = ports.channels
        names = [one.gateway] if one.gateway else [each.name for each in channels.gateways(one.account)]
        opened = [channels.through(one.account, name) for name in names]
        asked = [channel for channel in opened if isinstance(channel, Redacts)]
        for channel in asked:
            channel.redact(Receipt(one.provider_id))
    except DeliveryFailure as failure:
        return failure
    except BrokerError:  # the settings name the account no more, or wrongly
        return Uncertain("its account is not set up any more")
    except Exception as error:  # noqa: BLE001 - a channel's own code: what it breaks on leaves the message where it is
        return Uncertain(f"the channel failed with {type(error).__name__}", code="unforeseen")
    return bool(asked)


def _note(tx: Transaction, told: list[tuple[Redaction, bool | DeliveryFailure]], actor: Actor) -> int:
    forgotten: dict[str, int] = {}
    over = []
    for one, answer in told:
        if isinstance(answer, DeliveryFailure):
            if _failed(tx, one, answer, now=tx.now):
                over.append(one.id)
            continue
        over.append(one.id)
        if answer:
            forgotten[one.account] = forgotten.get(one.account, 0) + 1
    tx.redactions.drop(over)
    if forgotten:
        tx.record.add([Entry("providers.forgot", actor, {"messages": forgotten})])
        for account in forgotten:
            tx.sweeps.clear_alarm(ALARM, account)
    return sum(forgotten.values())


def _failed(tx: Transaction, one: Redaction, failure: DeliveryFailure, *, now: datetime) -> bool:
    """Later again; True when it has been tried for long enough, and somebody must do it by hand."""
    waited = now - one.wanted_at
    if waited > ALARM_AFTER:
        told = (
            f"{one.account}'s provider has not forgotten messages to somebody who was erased: {failure.why}"
        )
        tx.sweeps.raise_alarm(ALARM, one.account, f"{told}; delete them there by hand")
    if waited > GIVEN_UP_AFTER:
        return True
    wait = PATIENCE.wait(one.failures + 1, random.random())
    if isinstance(failure, RateLimited) and failure.retry_after is not None:
        wait = max(wait, failure.retry_after)
    tx.redactions.put_off(one.id, failures=min(one.failures + 1, 1_000), by=wait)
    log.warning("what %s sent is not forgotten yet: %s", one.account, failure.why)
    return False
