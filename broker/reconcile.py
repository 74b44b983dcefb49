"""Reconcile: a lost answer is asked for, twice, after a grace longer than the slowest accept (design §6.3)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from broker.actor import Actor
from broker.channel import Channel, Receipt, Reconciles
from broker.confirm import apply_news
from broker.delivery import Event, State, step
from broker.errors import DeliveryFailure
from broker.ports import AccountRow, LookUp, Move, News, Ports, Transaction
from broker.record import Entry

log = logging.getLogger(__name__)
CHUNK = 50
TIMES = 2  # absent twice is absent


def look_up(ports: Ports, account: str, *, actor: Actor) -> int:
    """Ask about uncertain deliveries of one account whose look-up is due; returns how many were asked about.

    No transaction is open while the provider is asked. Found → sent; absent twice → queued again; a provider
    that cannot tell is asked again later, and that counts for nothing.
    """
    with ports.ledger.begin() as tx:
        row = tx.accounts.named(account)
    if row is None:
        return 0
    channel = ports.channels.open(account)
    provider = channel if isinstance(channel, Reconciles) else None
    if provider is None and not channel.traits.duplicates_harmless:
        return 0
    asked = 0
    while due := ports.ledger.transact(
        lambda tx: tx.moves.due_lookups(row, limit=CHUNK, again_in=channel.traits.grace)
    ):
        asked += len(due)
        if not _ask(ports, row, channel, provider, due, actor):
            return asked
    return asked


def _ask(
    ports: Ports,
    account: AccountRow,
    channel: Channel,
    provider: Reconciles | None,
    due: Sequence[LookUp],
    actor: Actor,
) -> bool:
    """Ask one by one, write each answer at once; False when the provider cannot be asked now."""
    for one in due:
        try:
            # Where nobody can be asked a second one does no harm: it counts as absent.
            receipt = provider.find(one.attempt) if provider is not None else None
        except DeliveryFailure as failure:
            log.warning("look-ups on %s wait: %s", account.name, failure.why)
            return False
        except Exception as error:  # noqa: BLE001 - a look-up that breaks leaves the delivery uncertain, as it was
            log.error("a look-up on %s failed: %s", account.name, type(error).__name__)
            return False
        ports.ledger.transact(lambda tx, o=one, r=receipt: _write(tx, account, channel, o, r, actor))  # type: ignore[misc]
    return True


def _write(
    tx: Transaction, account: AccountRow, channel: Channel, one: LookUp, receipt: Receipt | None, actor: Actor
) -> None:
    if receipt is not None:
        news = News(
            receipt.evidence, one.attempt.key.attempt, receipt.provider_id, why="found at the provider"
        )
        apply_news(tx, [news], actor=actor)
        return
    known = tx.moves.by_id(one.delivery)
    if known is None or known.state is not State.UNCERTAIN:
        return  # evidence came while we asked
    times = one.lookups + 1
    absent = times >= TIMES
    move = Move(
        delivery=one.delivery,
        announcement=one.announcement,
        channel=account.channel,
        before=known.state,
        event=Event.REQUEUE if absent else "look-up",
        state=step(known.state, Event.REQUEUE) if absent else known.state,
        requeue=absent,
        code="absent" if absent else "looked_up",
        why="the provider does not have it" if absent else "the provider does not have it yet",
        due_at=tx.now if absent else None,
        lookup_at=None if absent else tx.now + channel.traits.grace,
        lookups=0 if absent else times,
    )
    tx.moves.move([move])
    facts = {"account": account.name, "delivery": one.delivery, "absent": times}
    tx.record.add([Entry("delivery.looked_up", actor, facts, one.announcement)])
