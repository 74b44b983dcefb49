"""Reconcile: a lost answer is asked for, twice, after a grace longer than the slowest accept (design §6.3)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from broker.accounts import cannot_ask, cannot_open
from broker.actor import Actor
from broker.capabilities import PastAttempt, Reconciles
from broker.channel import Channel, Receipt
from broker.confirm import apply_news
from broker.delivery import Event, State, step
from broker.errors import DeliveryFailure, SetupError
from broker.ports import Ports, Transaction
from broker.record import entries
from broker.values import AccountRow, KnownDelivery, LookUp, Move, News

log = logging.getLogger(__name__)
CHUNK = 50
TIMES = 2  # absent twice is absent
ASKERS = 8  # asked at a time: a lost connection leaves hundreds to ask about, at a provider's leisure


def look_up_due(ports: Ports, *, actor: Actor) -> int:
    """Look up what is due on every account; returns how many deliveries were asked about."""
    with ports.ledger.look() as tx:
        accounts = tx.sweeps.due_lookups()
    return sum(look_up(ports, account, actor=actor) for account in accounts)


def look_up(ports: Ports, account: str, *, actor: Actor) -> int:
    """Ask about uncertain deliveries of one account whose look-up is due; returns how many were asked about.

    No transaction is open while the provider is asked. Found → sent; absent twice → queued again; a provider
    that cannot tell is asked again later, and that counts for nothing.
    """
    with ports.ledger.look() as tx:
        row = tx.accounts.named(account)
    if row is None:
        return 0
    try:
        channel = ports.channels.open(account)
    except SetupError as fault:  # asked when it opens; the other accounts are asked meanwhile
        shut = fault
        ports.ledger.transact(lambda tx: cannot_open(tx, row, shut))
        return 0
    asked, can_tell = 0, True
    while can_tell and (
        due := ports.ledger.transact(
            lambda tx: tx.moves.due_lookups(row, limit=CHUNK, again_in=channel.traits.grace)
        )
    ):
        asked += len(due)
        # Each is asked of the gateway that its attempt names: no other can say that it is absent there.
        for gateway, theirs in _by_gateway(due).items():
            can_tell = _look_up_at(ports, row, gateway, theirs, actor) and can_tell
    return asked


def _by_gateway(due: Sequence[LookUp]) -> Mapping[str, Sequence[LookUp]]:
    found: dict[str, list[LookUp]] = {}
    for one in due:
        found.setdefault(one.gateway, []).append(one)
    return found


def _look_up_at(ports: Ports, account: AccountRow, gateway: str, due: Sequence[LookUp], actor: Actor) -> bool:
    """Ask one gateway; whether it could tell of all."""
    try:
        channel = ports.channels.through(account.name, gateway)
    except SetupError as fault:  # asked when it opens, or by somebody else, or never: it stays uncertain
        shut = fault
        ports.ledger.transact(lambda tx: cannot_ask(tx, account, gateway, shut))
        return False
    provider = channel if isinstance(channel, Reconciles) else None
    if provider is None and not channel.traits.duplicates_harmless:
        return True
    answers = _ask(ports, account, provider, due)
    ports.ledger.transact(lambda tx: _write(tx, account, channel, answers, actor))
    return len(answers) == len(due)


def _ask(
    ports: Ports, account: AccountRow, provider: Reconciles | None, due: Sequence[LookUp]
) -> Sequence[tuple[LookUp, Receipt | None]]:
    """What the provider says of each, several asked at a time; those of which it could not tell are left out."""
    if provider is None:  # nobody can be asked, and a second one does no harm: it counts as absent
        return [(one, None) for one in due]

    def ask(one: LookUp) -> tuple[LookUp, Receipt | None] | None:
        try:
            return one, provider.find(_with_token(ports, one.attempt))
        except DeliveryFailure as failure:
            log.warning("a look-up on %s waits: %s", account.name, failure.why)
        except Exception as error:  # noqa: BLE001 - a look-up that breaks leaves the delivery uncertain, as it was
            log.error("a look-up on %s failed: %s", account.name, type(error).__name__)
        return None

    with ThreadPoolExecutor(ASKERS, thread_name_prefix="carillon-look-up") as askers:
        return [answer for answer in askers.map(ask, due) if answer is not None]


def _with_token(ports: Ports, attempt: PastAttempt) -> PastAttempt:
    """With the token that went out with it: a provider that takes our reference knows it by that."""
    token = ports.signer.sign("attempt", str(attempt.key.attempt))
    return replace(attempt, key=replace(attempt.key, token=token))


def _write(
    tx: Transaction,
    account: AccountRow,
    channel: Channel,
    answers: Sequence[tuple[LookUp, Receipt | None]],
    actor: Actor,
) -> None:
    found = _not_bound_elsewhere(tx, account, [(one, r) for one, r in answers if r is not None])
    apply_news(tx, found, actor=actor)
    moves: list[Move] = []
    proven: list[int] = []
    for one, receipt in answers:
        known = tx.moves.by_id(one.delivery) if receipt is None else None
        if known is not None and _still_asked(known, one):
            moves.append(_absent(tx, channel, one))
            if moves[-1].requeue:
                proven.append(one.attempt.key.attempt)
    tx.moves.move(moves)
    tx.money.give_back(proven)
    told = ((m.announcement, [m.delivery, m.state.value]) for m in moves)
    tx.record.add(entries("deliveries.looked_up", actor, "absent", told, account=account.name))


def _not_bound_elsewhere(
    tx: Transaction, account: AccountRow, found: Sequence[tuple[LookUp, Receipt]]
) -> list[News]:
    """One message of the provider's proves one attempt: two with the same text to one address share none."""
    asked = [
        News(r.evidence, provider_id=r.provider_id, account=account.id, gateway=one.gateway)
        for one, r in found
    ]
    bound = {asked[place].provider_id: attempt for place, (_, attempt) in tx.moves.known(asked).items()}
    news: list[News] = []
    for one, receipt in found:
        attempt = one.attempt.key.attempt
        if bound.setdefault(receipt.provider_id, attempt) == attempt:
            news.append(News(receipt.evidence, attempt, receipt.provider_id, why="found at the provider"))
    return news


def _still_asked(known: KnownDelivery, one: LookUp) -> bool:
    """Whether the question still stands: evidence, a person or a new try may have come while the provider thought."""
    newest = known.attempts[-1].attempt if known.attempts else None
    return known.state is State.UNCERTAIN and not known.settled and newest == one.attempt.key.attempt


def _absent(tx: Transaction, channel: Channel, one: LookUp) -> Move:
    """Absent once is asked again; absent for the last time is proven, and goes out anew."""
    times = one.lookups + 1
    proven = times >= TIMES
    return Move(
        delivery=one.delivery,
        announcement=one.announcement,
        channel=channel.name,
        before=State.UNCERTAIN,
        event=Event.REQUEUE if proven else "look-up",
        state=step(State.UNCERTAIN, Event.REQUEUE) if proven else State.UNCERTAIN,
        requeue=proven,
        code="absent" if proven else "looked_up",
        why="the provider does not have it" if proven else "the provider does not have it yet",
        due_at=tx.now if proven else None,
        lookup_at=None if proven else tx.now + channel.traits.grace,
        lookups=0 if proven else times,
    )
