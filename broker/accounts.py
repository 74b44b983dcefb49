"""Accounts: a person stops one or lets it go on; Carillon itself stops one that is broken."""

from __future__ import annotations

from broker.actor import Actor
from broker.authority import operators
from broker.errors import NotFound, Problem
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.record import Entry
from broker.values import AccountRow, StopKind


def pause(ports: Ports, name: str, why: str, *, actor: Actor, alarm: str | None = None) -> None:
    """Stop an account within a second; its deliveries wait. `alarm` names a fault that somebody must look at.

    Raises NotFound.
    """

    def work(tx: Transaction) -> None:
        account = _the(tx, name)
        tx.accounts.pause(account.id, why)
        tx.stops.add(StopKind.ACCOUNT, account.id)
        if alarm is not None:
            tx.sweeps.raise_alarm(alarm, account.name, why)
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


def _the(tx: Transaction, name: str) -> AccountRow:
    account = tx.accounts.named(name)
    if account is None:
        raise NotFound(
            Problem("not_found", "name", "there is no such account", "list them with `carillon accounts`")
        )
    return account
