"""Accounts: a person stops one or lets it go on; Carillon itself stops one that is broken, and tells of a shut one.

One that cannot be opened (its settings, its package) is not paused: nobody has to resume it when that is mended.
"""

from __future__ import annotations

from broker.actor import Actor
from broker.authority import operators
from broker.errors import NotFound, Problem, SetupError
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.record import Entry
from broker.values import AccountRow, StopKind

CANNOT_OPEN = "cannot_open"


def pause(ports: Ports, name: str, why: str, *, actor: Actor, alarm: str | None = None) -> None:
    """Stop an account within a second; its deliveries wait. `alarm` names a fault that somebody must look at.

    A fault that is met again while it is stopped is not told twice. Raises NotFound.
    """

    def work(tx: Transaction) -> None:
        account = _the(tx, name)
        if alarm is not None:
            tx.sweeps.raise_alarm(alarm, account.name, why)
            if account.paused_at is not None:
                return
        tx.accounts.pause(account.id, why)
        tx.stops.add(StopKind.ACCOUNT, account.id)
        tx.record.add([Entry("account.paused", actor, {"account": account.name, "why": why})])

    ports.ledger.transact(work)


def resume(ports: Ports, name: str, *, actor: Actor, why: str = "") -> None:
    """Let an account go on: what waited for it is due at once. Raises NotFound, NotAllowed."""

    def work(tx: Transaction) -> None:
        operators.must(tx, actor, OperatorRole.ADMIN)
        account = _the(tx, name)
        tx.accounts.resume(account.id)
        for kind in ("policy_failed", "account_rejected"):
            tx.sweeps.clear_alarm(kind, account.name)
        tx.record.add([Entry("account.resumed", actor, {"account": account.name, "why": why})])

    ports.ledger.transact(work)


def cannot_open(tx: Transaction, account: AccountRow, fault: SetupError) -> str:
    """Why nothing leaves by an account; an alarm says so until it opens."""
    why = f"the account {account.name} cannot be opened: {fault.problems[0].message}"
    tx.sweeps.raise_alarm(CANNOT_OPEN, account.name, why)
    return why


def see_what_opens(ports: Ports) -> int:
    """End the alarm of accounts that could not be opened and can be now, or are no more; how many."""
    with ports.ledger.look() as tx:
        shut = tx.sweeps.alarmed_about(CANNOT_OPEN)
        there = {account.name for account in tx.accounts.all()} if shut else set()
    mended = [name for name in shut if name not in there or _opens(ports, name)]
    for name in mended:
        ports.ledger.transact(lambda tx, one=name: tx.sweeps.clear_alarm(CANNOT_OPEN, one))  # type: ignore[misc]
    return len(mended)


def _opens(ports: Ports, name: str) -> bool:
    try:
        ports.channels.open(name)
    except SetupError:
        return False
    return True


def _the(tx: Transaction, name: str) -> AccountRow:
    account = tx.accounts.named(name)
    if account is None:
        raise NotFound(
            Problem("not_found", "name", "there is no such account", "list them with `carillon accounts`")
        )
    return account
