"""Who an operator is at a provider (Google Workspace, Microsoft Entra): linked by an admin, or mapped by its groups.

What comes here was checked (`config/identity.py`). Nobody is made an operator whom no mapping of the school's names.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from broker.actor import SYSTEM, Actor
from broker.audience import fold
from broker.authority.operators import leave_an_admin, must, same
from broker.authority.signin import Came, SignedIn, begin, unknown_operator
from broker.errors import NotProved, NotToBeChanged, Problem
from broker.ports import Ports, Transaction, Vault
from broker.ports.approvals import OperatorRole
from broker.record import Entry


@dataclass(frozen=True, slots=True)
class Granted:
    """What a school's mapping gives: roles, for one department or the whole school."""

    roles: frozenset[OperatorRole]
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """Somebody whom a provider vouches for. `address` is one that belongs to the school there, and to nobody else."""

    provider: str
    issuer: str
    subject: str = field(repr=False)
    address: str = field(repr=False)
    granted: Granted | None = None


def by_identity(ports: Ports, vault: Vault, claimed: Claimed, *, came: Came) -> SignedIn:
    """Begin a session for whoever this is here. Raises NotProved for somebody whom nothing maps to an operator."""
    subject = _digest(vault, f"subject:{claimed.issuer}:{claimed.subject}")
    address = _digest(vault, f"address:{claimed.address.casefold()}")

    def work(tx: Transaction) -> SignedIn:
        known = tx.proofs.identity(claimed.provider, subject)
        if known is None and (expected := tx.proofs.identity(claimed.provider, address)) is not None:
            known = (expected[0], False)
            tx.proofs.drop_identity(
                claimed.provider, address
            )  # from now on the subject, which is never given again
            tx.proofs.add_identity(claimed.provider, subject, known[0], mapped=False)
        operator = _made(ports, tx, claimed, subject) if known is None else known[0]
        if known is not None and known[1]:
            _follow(tx, operator, claimed)
        return begin(tx, operator, claimed.provider, came)

    return ports.ledger.transact(work)


def link(ports: Ports, vault: Vault, name: str, provider: str, address: str, *, actor: Actor) -> None:
    """Say by which address an operator will sign in at a provider. Raises NotFound, NotAllowed."""

    def work(tx: Transaction) -> None:
        must(tx, actor, OperatorRole.ADMIN)
        found = tx.operators.named(fold(name))
        if found is None:
            raise unknown_operator()
        digest = _digest(vault, f"address:{address.casefold()}")
        tx.proofs.add_identity(provider, digest, found.name, mapped=False)
        tx.record.add([Entry("identity.linked", actor, {"operator": found.name, "provider": provider})])

    ports.ledger.transact(work)


def _made(ports: Ports, tx: Transaction, claimed: Claimed, subject: bytes) -> str:
    """A new operator, of what the school's mapping gives.

    Named by the address's first part, which the school gives: a name that people may choose for themselves could be
    that of whoever watches an inbox.
    """
    if claimed.granted is None:
        raise nobody()
    name = claimed.address.partition("@")[0]
    watchers = (one for box in (*ports.answering.inboxes, ports.answering.lead) for one in box.watchers)
    if tx.operators.named(fold(name)) is not None or any(same(name, one) for one in watchers):
        message = "there is an operator of this name already, who is not known by this account"
        hint = "an admin links the two: carillon operators link NAME PROVIDER ADDRESS"
        raise NotProved(Problem("name_taken", "name", message, hint))
    granted = claimed.granted
    tx.operators.add(name, sorted(granted.roles), granted.department, by=SYSTEM.id)
    tx.proofs.add_identity(claimed.provider, subject, name, mapped=True)
    facts = {"operator": name, "roles": sorted(granted.roles), "department": granted.department}
    tx.record.add([Entry("operator.added", SYSTEM, {**facts, "provider": claimed.provider})])
    return name


def _follow(tx: Transaction, operator: str, claimed: Claimed) -> None:
    """Whoever was made by the mapping has what it gives now: nothing, once they are in none of its groups."""
    found = tx.operators.named(fold(operator))
    if claimed.granted is None or found is None:
        raise nobody()
    granted = claimed.granted
    if (found.roles, found.department) == (granted.roles, granted.department):
        return
    if OperatorRole.ADMIN not in granted.roles:
        try:
            leave_an_admin(tx, found)
        except NotToBeChanged as last:
            raise NotProved(last.problem) from None
    tx.operators.set_roles(fold(operator), sorted(granted.roles))
    tx.proofs.set_department(operator, granted.department)
    facts = {"operator": operator, "roles": sorted(granted.roles), "before": sorted(found.roles)}
    tx.record.add([Entry("operator.roles_changed", SYSTEM, {**facts, "department": granted.department})])


def nobody() -> NotProved:
    """Vouched for, and no operator here."""
    hint = "an admin names you: carillon operators add, then carillon operators link"
    return NotProved(Problem("no_operator", "", "this account may not use Carillon", hint))


def _digest(vault: Vault, value: str) -> bytes:
    return vault.digest("identity", value)
