"""The sweep: once a second it does what nobody else is there to do; and `hint` finds what no hint told of.

`hint` is also the scheduler: an announcement whose time has come is due work like any other. Time never rides in a
queue (design §6.1). Look-ups wait on providers and have a turn of their own (`broker.reconcile`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from broker.accounts import see_what_opens
from broker.actor import Actor
from broker.authority.spending import warn_of_spend
from broker.confirm import drain_inbox
from broker.errors import RulesUnreadable
from broker.figures import count
from broker.ports import Ports, Transaction
from broker.recover import expired_leases, stranded
from broker.scrutiny.governors import mail_heads
from broker.values import Due, FanOutHint

MOST_HINTS = 100
UNREADABLE = "rules_unreadable"


@dataclass(slots=True)
class Report:
    """What one sweep did, by chore; `failed` names chores that raised, and what."""

    done: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether every chore ended well."""
        return not self.failed


def run(ports: Ports, *, actor: Actor) -> Report:
    """One sweep. Each chore stands alone: one that fails stands in the report and the others go on."""
    report = Report()
    chores: dict[str, Callable[[], int]] = {
        "recovered": lambda: expired_leases(ports, actor=actor),
        "rules": lambda: _read_rules(ports),
        "stranded": lambda: stranded(ports, actor=actor),
        "confirmed": lambda: drain_inbox(ports, actor=actor),
        "folded": lambda: ports.ledger.transact(_fold),
        "anchored": lambda: mail_heads(ports),
        "opened": lambda: see_what_opens(ports),
        "counted": lambda: warn_of_spend(ports),
        "figures": lambda: count(ports),
        "sealed": lambda: ports.ledger.transact(lambda tx: tx.record.seal()),
    }
    for name, chore in chores.items():
        try:
            report.done[name] = chore()
        except Exception as error:  # noqa: BLE001 - a chore may meet a database that is away: the next sweep tries again
            report.failed[name] = type(error).__name__
    return report


def start_alone(ports: Ports, *, actor: Actor) -> int:
    """For a database whose only worker has just begun: what is in hand was in dead hands; recover it at once."""
    expired = ports.ledger.transact(lambda tx: tx.sweeps.expire_all_leases())
    expired_leases(ports, actor=actor)
    return expired


def _read_rules(ports: Ports) -> int:
    """Whether the rules can be read; nothing leaves while they cannot, and somebody must know."""
    try:
        with ports.ledger.look() as tx:
            tx.cases.readable()
            told = tx.sweeps.alarmed(UNREADABLE)
    except RulesUnreadable as unreadable:
        why = unreadable.problem.message
        ports.ledger.transact(lambda tx: tx.sweeps.raise_alarm(UNREADABLE, "rules", why))
        raise
    if told:
        ports.ledger.transact(lambda tx: tx.sweeps.clear_alarm(UNREADABLE, "rules"))
    return 0


def hint(ports: Ports) -> int:
    """Hint at whatever is due; how many hints. It only reads, so it waits for no writer."""
    with ports.ledger.look() as tx:
        due: Due = tx.sweeps.due(limit=MOST_HINTS)
    for announcement in due.announcements:
        ports.hints.publish(FanOutHint(announcement))
    for hint in due.deliveries:
        ports.hints.publish(hint)
    return len(due.announcements) + len(due.deliveries)


def _fold(tx: Transaction) -> int:
    if not tx.sweeps.may_sweep():
        return 0
    tx.stops.prune()
    return tx.sweeps.fold_tallies()
