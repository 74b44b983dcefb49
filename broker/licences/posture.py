"""Posture: what an account looks like at its provider, read outside any transaction and kept for the rules (R6, R21).

Rules are pure and may not ask a provider. So whoever is about to send looks first, when the last look is old; the facts
go into the ledger, and from there into every Case.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from broker import accounts
from broker.actor import Actor
from broker.capabilities import Inspects, Posture
from broker.channel import Channel
from broker.errors import AccountRejected, DeliveryFailure
from broker.ports import Ports, Transaction
from broker.record import Entry
from broker.values import AccountRow, StopKind

log = logging.getLogger(__name__)
LOOK_AGAIN = timedelta(minutes=10)
ALARM = "posture"


def look_if_old(
    ports: Ports, account: AccountRow, channel: Channel, *, actor: Actor, after: timedelta = LOOK_AGAIN
) -> None:
    """Look at the account when nobody did for ten minutes, or `after`. Never raises for a provider that cannot tell.

    The rules then see an old look, and wait.
    """
    if not isinstance(channel, Inspects) or account.paused_at is not None:
        return
    with ports.ledger.look() as tx:
        known = tx.accounts.named(account.name)
        old = known is None or known.posture_at is None or tx.now - known.posture_at >= after
    if not old:
        return
    try:
        inspect(ports, account, channel, actor=actor)
    except AccountRejected as refused:
        accounts.pause(ports, account.name, refused.why, actor=actor, alarm="account_rejected")
    except DeliveryFailure as failure:
        log.warning("account %s cannot be looked at: %s", account.name, failure.why)
    except Exception as error:  # noqa: BLE001 - a channel's own code: what it breaks on leaves the account unseen
        log.error("a look at account %s failed: %s", account.name, type(error).__name__)


def inspect(ports: Ports, account: AccountRow, channel: Inspects, *, actor: Actor) -> Posture:
    """Look at the account now and keep what was seen; an alarm stands while something is wrong with it.

    Raises DeliveryFailure when the provider cannot tell.
    """
    seen = channel.posture()

    def work(tx: Transaction) -> None:
        before = tx.accounts.named(account.name)
        tx.accounts.keep_posture(account.id, seen.facts)
        if seen.problems:
            tx.sweeps.raise_alarm(ALARM, account.name, "; ".join(p.message for p in seen.problems))
        else:
            tx.sweeps.clear_alarm(ALARM, account.name)
        if before is None or before.posture != dict(seen.facts):
            if seen.problems:  # what is in hand was allowed by another look: it is judged anew
                tx.stops.add(StopKind.ACCOUNT, account.id)
            facts = {"account": account.name, "posture": dict(seen.facts)}
            tx.record.add([Entry("account.inspected", actor, facts)])

    ports.ledger.transact(work)
    return seen
