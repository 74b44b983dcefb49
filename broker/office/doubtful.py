"""Addresses that somebody should look at, and saying that one is right."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from broker.actor import Actor
from broker.address import AddressKind
from broker.authority import operators
from broker.consent import optouts
from broker.errors import NotFound, Problem
from broker.ports import Ports, Transaction
from broker.record import Entry

CONFIRMED_FOR = timedelta(days=365)


class Doubt(StrEnum):
    """Why an address is listed. Confirming it answers all but `SHARED`, which is a fact and no doubt about a number."""

    FAILING = "failing"  # the last message to it was refused for good, or given up
    BOUNCED = "bounced"  # the last message to it was taken, and came back
    SHARED = "shared"  # by people who share no guardian: no names go there
    UNCONFIRMED = "unconfirmed"  # nobody has said for a year that it is right


DOUBTS = {
    Doubt.FAILING: "the last message was refused",
    Doubt.BOUNCED: "the last message came back",
    Doubt.SHARED: "shared by people who share no guardian",
    Doubt.UNCONFIRMED: "not confirmed for a year",
}


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody at the school who holds an address; `pupils` are those it would be about."""

    source_id: str
    name: str = field(repr=False)
    pupils: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class DoubtfulAddress:
    """An address with its doubts. `why` is what the provider said last, where that is the doubt."""

    id: int
    kind: AddressKind
    masked: str
    doubts: tuple[Doubt, ...]
    holders: tuple[Holder, ...]
    confirmed_at: datetime
    why: str = ""


def confirm(ports: Ports, address: int, *, actor: Actor) -> None:
    """Somebody has asked, and the address is right. Raises NotFound, NotAllowed."""

    def work(tx: Transaction) -> None:
        operators.must_have(tx, actor, operators.ACTS)
        if not tx.people.confirm_address(address):
            raise _unknown()
        tx.bounces.clear(address)
        tx.record.add([Entry("address.confirmed", actor, {"address": address})])

    ports.ledger.transact(work)


def stop(ports: Ports, address: int, *, why: str, actor: Actor) -> tuple[str, ...]:
    """Let nothing more go to an address by any channel that could, however many people hold it; those channels.

    It is an opt-out by the office, so it is lifted as one (`broker.consent.optouts.lift`). Raises NotFound.
    """

    def work(tx: Transaction) -> tuple[str, ...]:
        keyed, kind = tx.people.address_hash(address), tx.people.address_kind(address)
        if keyed is None or kind is None or not kind.of_people:
            raise _unknown()
        known = ports.channels.names()
        ways = tuple(name for name in known if ports.channels.traits(name).address_kind is kind)
        for channel in ways:
            if tx.opt_outs.of(keyed, channel) is None:
                optouts.stop(tx, [keyed], channel, source=f"the office: {why}", actor=actor)
        return ways

    return ports.ledger.transact(work)


def _unknown() -> NotFound:
    hint = "see: carillon people doubtful"
    return NotFound(Problem("unknown_address", "address", "there is no address of this number", hint))
