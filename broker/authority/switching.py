"""The kill switches: stop an account, a channel, a department or everything within a second, and let it go on (R22)."""

from __future__ import annotations

from collections.abc import Sequence

from broker import accounts
from broker.actor import Actor
from broker.authority import operators
from broker.errors import NotFound, Problem
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.record import Entry
from broker.rules.switches import Switch, SwitchKind

STOPPED = "stopped"  # the alarm, so that whoever watches sees at once why nothing leaves


def stop(ports: Ports, kind: SwitchKind, subject: str, why: str, *, actor: Actor) -> bool:
    """Nothing of it starts more than a second after this commits; what waits is kept. False when it was off already.

    Raises NotFound for a channel, a department or an account that there is not.
    """
    if kind is SwitchKind.ACCOUNT:
        accounts.pause(ports, subject, why, actor=actor)
        return True

    def work(tx: Transaction) -> bool:
        _must_be(ports, tx, kind, subject)
        thrown = tx.switches.switch_off(kind, subject, why, by=actor)
        if thrown:
            tx.sweeps.raise_alarm(STOPPED, f"{kind} {subject}".strip(), why)
            _tell(tx, "switch.off", kind, subject, why, actor)
        return thrown

    return ports.ledger.transact(work)


def go(ports: Ports, kind: SwitchKind, subject: str, why: str, *, actor: Actor) -> bool:
    """Let it go on: what waited for it is due at once. False when it was not off. Raises NotFound, NotAllowed.

    Whoever sees a fault may stop; to let go on is for those who answer for it.
    """
    if kind is SwitchKind.ACCOUNT:
        accounts.resume(ports, subject, actor=actor, why=why)
        return True

    def work(tx: Transaction) -> bool:
        operators.must(tx, actor, OperatorRole.ADMIN)
        _must_be(ports, tx, kind, subject)
        thrown = tx.switches.switch_on(kind, subject, by=actor)
        if thrown:
            tx.sweeps.clear_alarm(STOPPED, f"{kind} {subject}".strip())
            _tell(tx, "switch.on", kind, subject, why, actor)
        return thrown

    return ports.ledger.transact(work)


def stopped(ports: Ports) -> Sequence[Switch]:
    """Everything that is switched off, paused accounts among it."""
    with ports.ledger.look() as tx:
        return tx.switches.off()


def _must_be(ports: Ports, tx: Transaction, kind: SwitchKind, subject: str) -> None:
    if kind is SwitchKind.CHANNEL and subject not in ports.channels.names():
        raise _not_there(f"there is no channel {subject[:40]}", "see: carillon channels")
    if kind is SwitchKind.DEPARTMENT and not tx.announcements.department_exists(subject):
        raise _not_there(f"there is no department {subject[:40]}", "see: carillon doctor")


def _not_there(message: str, hint: str) -> NotFound:
    return NotFound(Problem("not_found", "name", message, hint))


def _tell(tx: Transaction, entry: str, kind: SwitchKind, subject: str, why: str, actor: Actor) -> None:
    tx.record.add([Entry(entry, actor, {"kind": kind.value, "subject": subject, "why": why})])
