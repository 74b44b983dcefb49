"""Recover: what a dead worker held, and what a person decides about deliveries that cannot go on by themselves."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from broker.actor import Actor
from broker.announcement import Announcement
from broker.authority import operators
from broker.channel import Traits
from broker.corrections.binding import there
from broker.delivery import REQUEUEABLE, Event, State, describe, step
from broker.errors import IllegalTransition, NotFound, Problem, RuleBroken, SetupError
from broker.ports import Ports, Transaction
from broker.record import Entry, entries
from broker.values import AccountRow, KnownDelivery, Move

CHUNK = 500
MOST_REQUEUED = 5_000  # at once: each of them is named in the record, which takes its time


def expired_leases(ports: Ports, *, actor: Actor) -> int:
    """Take back what ran out of lease: not started → queued, started → uncertain, never queued (design §6.3)."""
    recovered = 0
    while count := ports.ledger.transact(lambda tx: _recover_chunk(ports, tx, actor)):
        recovered += count
    return recovered


def stranded(ports: Ports, *, actor: Actor) -> int:
    """End what waits for an account that the settings name no more: expired → refused, a look-up → for a person."""
    with ports.ledger.look() as seen:  # each second, and hardly ever is there anything to lock for
        if not seen.accounts.any_gone():
            return 0
    ended = 0
    while count := ports.ledger.transact(lambda tx: _end_stranded(tx, actor)):
        ended += count
    return ended


def requeue(
    ports: Ports, delivery: int, *, actor: Actor, why: str = "", expected: State | None = None
) -> None:
    """A person decides that a delivery shall be tried again; it is judged anew.

    `expected`: the state in which they saw it; where it is in another one by now, nothing is done: what was refused
    reached nobody, and what is uncertain may have. Raises NotFound, NotAllowed, RuleBroken, IllegalTransition.
    """

    def work(tx: Transaction) -> None:
        known = _the(tx, delivery)
        announcement = tx.announcements.by_id(known.announcement)
        operators.must_have(tx, actor, operators.ACTS, announcement.department)
        if known.state not in REQUEUEABLE:
            raise _illegal(known, "tried again", "only refused, rejected, given up or uncertain ones can be")
        if expected not in {None, known.state}:
            message = f"it is {describe(known.state)} by now"
            raise RuleBroken(Problem("changed_since", "id", message, "look at it once more, then decide"))
        may_be_tried_again(announcement, tx.now)
        _requeue(tx, [known], actor, why)

    ports.ledger.transact(work)


def requeue_all(
    ports: Ports,
    public_id: UUID,
    channel: str,
    states: Collection[State],
    *,
    expected: int,
    actor: Actor,
    why: str = "",
) -> int:
    """The same for every delivery of an announcement by one way that is in one of these states; how many there were.

    `expected`: how many somebody was shown. Where it is another number now, nothing is done. What moves by itself
    meanwhile is left alone. Raises NotFound, NotAllowed, RuleBroken.
    """
    with ports.ledger.look() as tx:
        announcement = there(tx, public_id)
        operators.must_have(tx, actor, operators.ACTS, announcement.department)
        may_be_tried_again(announcement, tx.now)
        found = tx.moves.of(announcement.id, channel, REQUEUEABLE & set(states), limit=MOST_REQUEUED + 1)
    if len(found) > MOST_REQUEUED:
        message = f"this is more than {MOST_REQUEUED:,} at once"
        raise RuleBroken(Problem("too_many", "expected", message, "say it again to those not reached"))
    if len(found) != expected:
        message = f"there are {len(found):,} of them now, not {expected:,}"
        raise RuleBroken(Problem("changed_since", "expected", message, "look at them once more"))
    chunks = [found[at : at + CHUNK] for at in range(0, len(found), CHUNK)]
    again = partial(_requeue_chunk, states=states, actor=actor, why=why)
    return sum(ports.ledger.transact(partial(again, deliveries=chunk)) for chunk in chunks)


def may_be_tried_again(announcement: Announcement, now: datetime) -> None:
    """Whether anything of an announcement may be tried again. Raises RuleBroken."""
    if announcement.withdrawn_at is not None or announcement.expires_at <= now:
        message = "its announcement is withdrawn or expired"
        raise RuleBroken(Problem("announcement_over", "id", message, "announce it again instead"))
    if announcement.corrected_by is not None:
        hint = "the correction goes to whom it did not reach"
        raise RuleBroken(Problem("corrected", "id", "its announcement has been corrected", hint))


def settle(ports: Ports, delivery: int, *, actor: Actor, why: str = "") -> None:
    """A person decides to leave an uncertain delivery as it is. Raises NotFound, NotAllowed, IllegalTransition."""

    def work(tx: Transaction) -> None:
        known = _the(tx, delivery)
        whose = tx.announcements.by_id(known.announcement).department
        operators.must_have(tx, actor, operators.ACTS, whose)
        if known.state is not State.UNCERTAIN:
            raise _illegal(known, "settled", "only uncertain deliveries wait for a person")
        move = Move(
            delivery=known.delivery,
            announcement=known.announcement,
            channel=known.channel,
            before=known.state,
            event=Event.SETTLE,
            state=step(known.state, Event.SETTLE),
            code="settled",
            why=why or "a person settled it",
            settled_by=actor.id,
        )
        tx.moves.move([move])
        tx.record.add([_entry(tx, "delivery.settled", known, actor, why)])

    ports.ledger.transact(work)


def _requeue_chunk(
    tx: Transaction, deliveries: Sequence[int], states: Collection[State], actor: Actor, why: str
) -> int:
    known = tx.moves.by_ids(deliveries).values()
    still = [one for one in known if one.state in REQUEUEABLE and one.state in states]
    if still:
        may_be_tried_again(tx.announcements.by_id(still[0].announcement), tx.now)
        _requeue(tx, still, actor, why)
    return len(still)


def _requeue(tx: Transaction, these: Sequence[KnownDelivery], actor: Actor, why: str) -> None:
    tx.moves.move([_requeued(known, tx, why or "a person decided to try again") for known in these])
    tx.record.add([_entry(tx, "delivery.requeued", known, actor, why) for known in these])


def _recover_chunk(ports: Ports, tx: Transaction, actor: Actor) -> int:
    expired = tx.moves.expired_leases(limit=CHUNK)
    if not expired:
        return 0
    accounts = {account.id: account for account in tx.accounts.all()}
    moves = [_recovered(ports, tx, known, started, accounts.get(known.account)) for known, started in expired]
    tx.moves.move(moves)
    told = ((m.announcement, [m.delivery, m.before.value, m.state.value, m.code]) for m in moves)
    tx.record.add(entries("deliveries.recovered", actor, "moves", told))
    return len(moves)


def _end_stranded(tx: Transaction, actor: Actor) -> int:
    moves = [_ended(known) for known in tx.moves.stranded(limit=CHUNK)]
    tx.moves.move(moves)
    told = ((m.announcement, [m.delivery, m.before.value, m.state.value, m.code]) for m in moves)
    tx.record.add(entries("deliveries.stranded", actor, "moves", told))
    return len(moves)


def _ended(known: KnownDelivery) -> Move:
    waited = known.state is State.QUEUED
    return Move(
        delivery=known.delivery,
        announcement=known.announcement,
        channel=known.channel,
        before=known.state,
        event=Event.REFUSE if waited else "look-up",
        state=step(known.state, Event.REFUSE) if waited else known.state,
        code="no_account",
        why="its account was taken out of the settings, and its time passed"
        if waited
        else "its account was taken out of the settings, so nobody can be asked",
    )


def _recovered(
    ports: Ports, tx: Transaction, known: KnownDelivery, started: bool, account: AccountRow | None
) -> Move:
    # An account that the settings no longer name cannot be asked; a person decides about what it left uncertain.
    traits = _traits(ports, known, account)
    lookup_at = tx.now + traits.grace if started and traits.settles_itself and account else None
    return Move(
        delivery=known.delivery,
        announcement=known.announcement,
        channel=known.channel,
        before=known.state,
        event=Event.LOSE if started else Event.RELEASE,
        state=State.UNCERTAIN if started else State.QUEUED,
        code="worker_lost",
        why="its worker stopped before it answered" if started else "its worker stopped before it began",
        due_at=None if started else tx.now,
        lookup_at=lookup_at,
        lookups=0,
    )


def _traits(ports: Ports, known: KnownDelivery, account: AccountRow | None) -> Traits:
    try:
        if account is not None:
            newest = known.attempts[-1] if known.attempts else None
            opened = ports.channels
            return (
                opened.through(account.name, newest.gateway) if newest else opened.open(account.name)
            ).traits
    except SetupError:  # what it holds is recovered all the same, for whoever can open it
        pass
    return ports.channels.traits(known.channel)


def _requeued(known: KnownDelivery, tx: Transaction, why: str) -> Move:
    return Move(
        delivery=known.delivery,
        announcement=known.announcement,
        channel=known.channel,
        before=known.state,
        event=Event.REQUEUE,
        state=step(known.state, Event.REQUEUE),
        requeue=True,
        code="requeued",
        why=why,
        due_at=tx.now,
        lookups=0,
    )


def _entry(tx: Transaction, kind: str, known: KnownDelivery, actor: Actor, why: str) -> Entry:
    """What is said of a message to somebody may name them: it is kept beside the record, that of a public one in it."""
    facts = {"delivery": known.delivery, "before": known.state.value}
    if about := tuple(tx.privacy.people_of([known.delivery])):
        return Entry(kind, actor, facts, known.announcement, words=why, about=about)
    return Entry(kind, actor, {**facts, "why": why}, known.announcement)


def _the(tx: Transaction, delivery: int) -> KnownDelivery:
    known = tx.moves.by_id(delivery)
    if known is None:
        raise NotFound(
            Problem(
                "not_found", "id", "there is no such delivery", "copy its number from `carillon deliveries`"
            )
        )
    return known


def _illegal(known: KnownDelivery, what: str, hint: str) -> IllegalTransition:
    return IllegalTransition(
        Problem(
            "illegal_transition", "id", f"this delivery is {describe(known.state)} and cannot be {what}", hint
        )
    )
