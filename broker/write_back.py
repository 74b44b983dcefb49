"""Write back: what a window of tries came to, with the starts of the next; never lost while this process lives."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeGuard

from broker.actor import Actor
from broker.channel import Outcome
from broker.confirm import apply_news, suppress
from broker.delivery import Event, State
from broker.errors import AddressRejected
from broker.office import subscribers
from broker.outcomes import Tried
from broker.ports import Ports, Transaction
from broker.record import Entry, entries
from broker.values import AccountRow, Move, News, Result, Starts

log = logging.getLogger(__name__)
PATIENCE = timedelta(minutes=10)  # with a ledger that is away; the lease has run out long before
LONGEST_WAIT = 5.0  # seconds between two tries
_MAY_BE_CHARGED = frozenset({Event.ACCEPT, Event.LOSE})
_PROVES_ABSENCE = frozenset({Event.RETRY, Event.EXHAUST, Event.NOT_SENT})


def write_back_and_start(  # noqa: PLR0913 - what one commit holds, each by its name
    ports: Ports,
    account: AccountRow,
    results: Sequence[Result],
    batch: Sequence[tuple[Tried, Outcome]],
    starts: Starts,
    *,
    now: datetime,
    actor: Actor,
    ahead: bool = False,
    beside: Callable[[Transaction], None] | None = None,
) -> Mapping[int, int]:
    """Both in one commit; delivery → attempt of what was started. Either of them may be nothing.

    `beside`: what else is to be written with it, which may be lost where the commit has to be tried anew.

    Should it fail, what is known only here goes first and alone, with patience. Raises what the start raises.
    """

    def start(tx: Transaction) -> Mapping[int, int]:
        if not starts.each:
            return {}
        return tx.deliveries.start(account, starts.gateway, starts.each, margin=starts.margin)

    def both(tx: Transaction) -> Mapping[int, int]:
        if results:
            write_in(tx, account, results, batch, actor)
        if beside is not None:
            beside(tx)
        return start(tx)

    def in_one() -> Mapping[int, int]:
        told = _told(account, results, actor)
        started = None
        simple = beside is None and not any(_opts_out(outcome) for _, outcome in batch)
        if simple and not _to_give_back(results):
            started = ports.ledger.exchange(account, results, told, starts, now=now)
        return ports.ledger.transact(both, ahead=ahead) if started is None else started

    if not results:
        return in_one()
    try:
        return in_one()
    except Exception as error:  # noqa: BLE001 - whatever it was, the outcomes must not be lost by it
        log.warning("outcomes are written on their own: %s", type(error).__name__)
    write_back(ports, account, results, batch, actor=actor)
    return ports.ledger.transact(start, ahead=ahead) if starts.each else {}


def write_back(
    ports: Ports,
    account: AccountRow,
    results: Sequence[Result],
    batch: Sequence[tuple[Tried, Outcome]],
    *,
    actor: Actor,
) -> None:
    """Write outcomes; while the ledger is away, try again for `PATIENCE`, for this is known nowhere else yet.

    Raises the last error when patience ends: the leases have run out, and what was started is uncertain.
    """
    wait, until = 0.1, time.monotonic() + PATIENCE.total_seconds()
    while True:
        try:
            return ports.ledger.transact(lambda tx: write_in(tx, account, results, batch, actor))
        except Exception as error:
            if time.monotonic() >= until:
                raise
            log.warning("outcomes wait for the ledger: %s", type(error).__name__)
        time.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT)


def write_in(
    tx: Transaction,
    account: AccountRow,
    results: Sequence[Result],
    batch: Sequence[tuple[Tried, Outcome]],
    actor: Actor,
) -> None:
    """The same in a transaction that does more."""
    matched = tx.deliveries.write_back(account, results)
    tx.money.give_back(_to_give_back(results))
    late = [r for r in results if r.delivery not in matched]
    if late:
        _enter_late(tx, late, actor)
    for tried, outcome in batch:
        if _opts_out(outcome) and tried.picked.address_id is not None:
            source = f"provider {outcome.code}"
            # Of a subscriber that is gone nothing is kept, not even that it is.
            if not subscribers.forget(tx, [tried.picked.address_id], why=source, actor=actor):
                suppress(tx, tried.picked.address_id, account.channel, source=source, actor=actor)
    tx.record.add(_told(account, [r for r in results if r.delivery in matched], actor))


def _to_give_back(results: Sequence[Result]) -> list[int]:
    """Attempts that were counted as spent and are proven not to have left; money is given back even to a late one."""
    return [r.attempt for r in results if r.cost and r.event not in _MAY_BE_CHARGED]


def _opts_out(outcome: Outcome) -> TypeGuard[AddressRejected]:
    return isinstance(outcome, AddressRejected) and outcome.opt_out


def _told(account: AccountRow, results: Sequence[Result], actor: Actor) -> list[Entry]:
    told = (
        (
            r.announcement,
            # Its state last where the event does not say it: a receipt that proves arrival at once.
            [r.delivery, r.attempt, r.event.value, r.code, r.commitment]
            + ([r.state.value] if r.state is State.DELIVERED else []),
        )
        for r in results
    )
    return entries("deliveries.tried", actor, "tries", told, account=account.name)


def _enter_late(tx: Transaction, late: Sequence[Result], actor: Actor) -> None:
    """A stale fence changes no state by its outcome; what it proves enters as evidence (design §5)."""
    news = [
        News(r.evidence, r.attempt, r.provider_id, code=r.code, why=r.why)
        for r in late
        if r.evidence is not None
    ]
    apply_news(tx, news, actor=actor)
    moves: list[Move] = []
    for r in late:
        if r.event not in _PROVES_ABSENCE:
            continue
        known = tx.moves.by_id(r.delivery)
        newest = known.attempts[-1].attempt if known and known.attempts else None
        if known is not None and known.state is State.UNCERTAIN and newest == r.attempt:
            # The sender itself knows that nothing left: as good as a provider that says so.
            moves.append(
                Move(
                    delivery=r.delivery,
                    announcement=r.announcement,
                    channel=known.channel,
                    before=known.state,
                    event=Event.REQUEUE,
                    state=State.QUEUED,
                    requeue=True,
                    code="retry",
                    why=r.why,
                    due_at=r.due_at or tx.now,
                )
            )
    tx.moves.move(moves)
    moved = ((m.announcement, [m.delivery, m.before.value, m.state.value, m.code]) for m in moves)
    tx.record.add(entries("deliveries.moved", actor, "moves", moved, why="it proved that it had not left"))
