"""Accounts: a person stops one or lets it go on; Carillon itself stops one that is broken, and tells of a shut one.

One that cannot be opened (its settings, its package) is not paused: nobody has to resume it when that is mended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from broker.actor import Actor
from broker.authority import operators
from broker.errors import NotFound, Problem, RuleBroken, SetupError
from broker.gateways import WELL, Health, Stand, held_out
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.ports.outside import GatewayAt
from broker.record import Entry
from broker.values import AccountRow, StopKind

CANNOT_OPEN = "cannot_open"
GATEWAY = "gateway"  # the alarm of one that failed


def channels_of(tx: Transaction, department: str) -> Sequence[str]:
    """The channels that a department has an account for, its own or the whole school's, each once."""
    return list(
        dict.fromkeys(one.channel for one in tx.accounts.all() if one.department in {None, department})
    )


def pause(ports: Ports, name: str, why: str, *, actor: Actor, alarm: str | None = None) -> None:
    """Stop an account within a second; its deliveries wait. `alarm` names a fault that somebody must look at.

    A fault that is met again while it is stopped is not told twice. Raises NotFound.
    """
    ports.ledger.transact(lambda tx: pause_in(tx, _the(tx, name), why, actor=actor, alarm=alarm))


def pause_in(
    tx: Transaction, account: AccountRow, why: str, *, actor: Actor, alarm: str | None = None
) -> None:
    """The same in a transaction that does more."""
    if alarm is not None:
        tx.sweeps.raise_alarm(alarm, account.name, why)
        if account.paused_at is not None:
            return
    tx.accounts.pause(account.id, why)
    tx.stops.add(StopKind.ACCOUNT, account.id)
    tx.record.add([Entry("account.paused", actor, {"account": account.name, "why": why})])


def resume(ports: Ports, name: str, *, actor: Actor, why: str = "") -> None:
    """Let an account go on: what waited for it is due at once. Raises NotFound, NotAllowed."""

    def work(tx: Transaction) -> None:
        operators.must(tx, actor, OperatorRole.ADMIN)
        account = _the(tx, name)
        tx.accounts.resume(account.id)
        for kind in ("policy_failed", "account_rejected"):
            tx.sweeps.clear_alarm(kind, account.name)
        _take_in(tx, account, actor)
        tx.record.add([Entry("account.resumed", actor, {"account": account.name, "why": why})])

    ports.ledger.transact(work)


def hold_out(ports: Ports, name: str, gateway: str, why: str, *, actor: Actor) -> None:
    """Hold one gateway of an account out: within a second nothing starts by it, and the others take over.

    Raises NotFound, NotAllowed, and RuleBroken for the last that is left: an account is paused instead.
    """
    order = _order(ports, name, gateway)

    def work(tx: Transaction) -> None:
        operators.must(tx, actor, OperatorRole.ADMIN)
        account = _the(tx, name)
        known = dict(tx.gateways.of(account.id, locked=True))
        if all(known.get(other, WELL).stand is Stand.OUT for other in order if other != gateway):
            hint = f"pause the account: carillon accounts pause {name}"
            raise RuleBroken(
                Problem("last_gateway", "gateway", "no other gateway of this account is left", hint)
            )
        _put(tx, account, gateway, held_out(why, actor.id, tx.now), actor)

    ports.ledger.transact(work)


def take_back(ports: Ports, name: str, gateway: str, *, actor: Actor, why: str = "") -> None:
    """Let a gateway be used again in its turn, whoever held it out. Raises NotFound, NotAllowed."""
    _order(ports, name, gateway)

    def work(tx: Transaction) -> None:
        operators.must(tx, actor, OperatorRole.ADMIN)
        account = _the(tx, name)
        if tx.gateways.of(account.id, locked=True).get(gateway, WELL).stand is not Stand.CLOSED:
            _put(tx, account, gateway, Health(since=tx.now, why=why), actor)

    ports.ledger.transact(work)


def _take_in(tx: Transaction, account: AccountRow, actor: Actor) -> None:
    """Take back the gateways whose provider refused the account; those that a person holds out stay out."""
    for gateway, health in tx.gateways.of(account.id, locked=True).items():
        if health.stand is Stand.OUT and not health.held_by:
            _put(tx, account, gateway, Health(since=tx.now), actor)


def tell(tx: Transaction, account: str, gateway: str, health: Health, *, actor: Actor) -> None:
    """The record says how a gateway stands from now on, and an alarm where nobody has decided it."""
    subject = f"{account} {gateway}"
    if health.stand is Stand.CLOSED or health.held_by:
        tx.sweeps.clear_alarm(GATEWAY, subject)
    else:
        what = "is passed over" if health.stand is Stand.OPEN else "is out, until somebody takes it back"
        tx.sweeps.raise_alarm(GATEWAY, subject, f"the gateway {gateway} of {account} {what}: {health.why}")
    facts = {"account": account, "gateway": gateway, "why": health.why}
    tx.record.add([Entry(f"gateway.{health.stand.value}", actor, facts)])


def _put(tx: Transaction, account: AccountRow, gateway: str, health: Health, actor: Actor) -> None:
    tx.gateways.keep(account.id, gateway, health)
    tell(tx, account.name, gateway, health, actor=actor)


def gateways_of(ports: Ports, name: str) -> Sequence[GatewayAt]:
    """The gateways of an account in order; none where it is not configured in this process."""
    try:
        return ports.channels.gateways(name)
    except SetupError:
        return ()


def _order(ports: Ports, name: str, gateway: str) -> Sequence[str]:
    """The gateways of an account, of which this must be one of several."""
    order = [each.name for each in gateways_of(ports, name)]
    if gateway not in order:
        hint = f"its gateways: {', '.join(order)}" if order else "list them with `carillon accounts`"
        raise NotFound(Problem("not_found", "gateway", "there is no such gateway of this account", hint))
    return order


def cannot_open(tx: Transaction, account: AccountRow, fault: SetupError) -> str:
    """Why nothing leaves by an account; an alarm says so until it opens."""
    why = f"the account {account.name} cannot be opened: {fault.problems[0].message}"
    tx.sweeps.raise_alarm(CANNOT_OPEN, account.name, why)
    return why


def cannot_ask(tx: Transaction, account: AccountRow, gateway: str, fault: SetupError) -> None:
    """An alarm for what is in doubt with a gateway that cannot be opened: no other can tell of it."""
    what = f"what is in doubt with the gateway {gateway} of {account.name} cannot be asked for"
    tx.sweeps.raise_alarm(CANNOT_OPEN, f"{account.name} {gateway}", f"{what}: {fault.problems[0].message}")


def see_what_opens(ports: Ports) -> int:
    """End the alarm of what could not be opened and can be now, or need not be any more; how many."""
    with ports.ledger.look() as tx:
        shut = tx.sweeps.alarmed_about(CANNOT_OPEN)
        there = {account.name: account.id for account in tx.accounts.all()} if shut else {}
        needed = [subject for subject in shut if _needed(tx, there, subject)]
    mended = [subject for subject in shut if subject not in needed or _opens(ports, subject)]
    for name in mended:
        ports.ledger.transact(lambda tx, one=name: tx.sweeps.clear_alarm(CANNOT_OPEN, one))  # type: ignore[misc]
    return len(mended)


def _needed(tx: Transaction, there: Mapping[str, int], subject: str) -> bool:
    """Whether the account is there still, and something is in doubt with the one gateway that the alarm is about."""
    name, _, gateway = subject.partition(" ")
    return name in there and (not gateway or tx.sweeps.asks(there[name], gateway))


def _opens(ports: Ports, subject: str) -> bool:
    name, _, one = subject.partition(" ")
    try:
        if one:
            ports.channels.through(name, one)
            return True
        for gateway in ports.channels.gateways(name):
            ports.channels.through(name, gateway.name)
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
