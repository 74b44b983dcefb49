"""Who an operator is at a provider (Google Workspace, Microsoft Entra): linked by an admin, or mapped by its groups.

What comes here was checked (`config/identity.py`). Nobody is made an operator whom no mapping of the school's names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from broker.actor import SYSTEM, Actor
from broker.audience import fold
from broker.authority.operators import leave_an_admin, must, name_fault, same, the
from broker.authority.signin import Came, SignedIn, begin
from broker.errors import NotProved, NotToBeChanged, Problem
from broker.ports import Ports, Transaction, Vault
from broker.ports.approvals import OperatorRole
from broker.record import Entry

LONG_AGO = timedelta(days=365)  # a proof of which nothing is known is none


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
    proved_at: datetime | None = None  # when they last proved there who they are; None: it does not tell


def by_identity(ports: Ports, vault: Vault, claimed: Claimed, *, came: Came) -> SignedIn:
    """Begin a session for whoever this is here. Raises NotProved for somebody whom nothing maps to an operator."""
    subject = _digest(vault, f"subject:{claimed.issuer}:{claimed.subject}")
    address = _digest(vault, f"address:{claimed.address.casefold()}")

    def work(tx: Transaction) -> SignedIn | None:
        known = tx.proofs.identity(claimed.provider, subject)
        if known is None and (expected := tx.proofs.identity(claimed.provider, address)) is not None:
            # From now on the subject counts, which is never given again.
            known = (expected[0], False)
            tx.proofs.drop_identity(claimed.provider, address)
            tx.proofs.add_identity(claimed.provider, subject, known[0], mapped=False)
        if known is None and tx.proofs.was_removed(claimed.provider, subject):
            raise taken_away()
        operator = _made(ports, tx, claimed, subject) if known is None else known[0]
        if known is not None and known[1] and not _followed(tx, operator, claimed):
            return None
        return begin(tx, operator, claimed.provider, came, proved_at=_proved(tx, claimed))

    begun = ports.ledger.transact(work)
    if begun is None:
        raise nobody()
    return begun


def link(ports: Ports, vault: Vault, name: str, provider: str, address: str, *, actor: Actor) -> None:
    """Say by which address an operator will sign in at a provider. Raises NotFound, NotAllowed."""

    def work(tx: Transaction) -> None:
        must(tx, actor, OperatorRole.ADMIN)
        found = the(tx, name)
        digest = _digest(vault, f"address:{address.casefold()}")
        tx.proofs.add_identity(provider, digest, found.name, mapped=False)
        tx.record.add([Entry("identity.linked", actor, {"operator": found.name, "provider": provider})])

    ports.ledger.transact(work)


def _proved(tx: Transaction, claimed: Claimed) -> datetime:
    return tx.now - LONG_AGO if claimed.proved_at is None else min(claimed.proved_at, tx.now)


def _made(ports: Ports, tx: Transaction, claimed: Claimed, subject: bytes) -> str:
    """A new operator, of what the school's mapping gives.

    Named by the address's first part, which the school gives: a name that people may choose for themselves could be
    that of whoever watches an inbox.
    """
    if claimed.granted is None:
        raise nobody()
    name = claimed.address.partition("@")[0]
    watchers = (one for box in (*ports.answering.inboxes, ports.answering.lead) for one in box.watchers)
    if name_fault(tx, name) is not None or any(same(name, one) for one in watchers):
        message = "somebody of this name is here already, who is not known by this account"
        hint = "an admin links the two: carillon operators link NAME PROVIDER ADDRESS"
        raise NotProved(Problem("name_taken", "name", message, hint))
    granted = claimed.granted
    tx.operators.add(name, sorted(granted.roles), granted.department, by=SYSTEM.id)
    tx.proofs.add_identity(claimed.provider, subject, name, mapped=True)
    facts = {"operator": name, "roles": sorted(granted.roles), "department": granted.department}
    tx.record.add([Entry("operator.added", SYSTEM, {**facts, "provider": claimed.provider})])
    return name


def _followed(tx: Transaction, operator: str, claimed: Claimed) -> bool:
    """Whoever was made by the mapping has what it gives now; False once they are in none of its groups.

    Then they are out wherever they are signed in: they may have left the school.
    """
    found = tx.operators.named(fold(operator))
    if found is None:
        return False
    if claimed.granted is None:
        ended = tx.sessions.end_all(operator)
        tx.record.add([Entry("session.all_ended", SYSTEM, {"whose": operator, "sessions": ended})])
        return False
    granted = claimed.granted
    if (found.roles, found.department) == (granted.roles, granted.department):
        return True
    if OperatorRole.ADMIN not in granted.roles:
        try:
            leave_an_admin(tx, found)
        except NotToBeChanged as last:
            raise NotProved(last.problem) from None
    tx.operators.set_roles(fold(operator), sorted(granted.roles))
    tx.operators.set_department(fold(operator), granted.department)
    facts = {"operator": operator, "roles": sorted(granted.roles), "before": sorted(found.roles)}
    tx.record.add([Entry("operator.roles_changed", SYSTEM, {**facts, "department": granted.department})])
    return True


def nobody() -> NotProved:
    """Vouched for, and no operator here."""
    hint = "an admin names you: carillon operators add, then carillon operators link"
    return NotProved(Problem("no_operator", "", "this account may not use Carillon", hint))


def taken_away() -> NotProved:
    """Of somebody whom an admin has taken away: a group at the provider does not bring them back."""
    message = "an admin has taken this account's rights here away"
    return NotProved(
        Problem("taken_away", "", message, "an admin names you anew: carillon operators add, then link")
    )


def _digest(vault: Vault, value: str) -> bytes:
    return vault.digest("identity", value)
