"""Subscribers: browsers that ask, by a private link, to be told what its group is told; no account, no number (R16).

Nobody knows whose browser it is. What is kept is where it is reached, and by which link it asked; it goes when whoever
subscribed ends it, when the link is taken back, and when the browser's push service says that it is gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from broker.actor import Actor, ActorKind
from broker.capabilities import TakesSubscribers
from broker.errors import NotFound, NotToBeChanged, Problem, SetupError
from broker.office import private_links
from broker.ports import Ports, Transaction
from broker.ports.links import OpenLink
from broker.record import Entry
from broker.values import AccountRow, StopKind

MOST = 2_000  # by one link: a year's families, each on several devices
ACTOR = Actor(ActorKind.PERSON, "whoever subscribed")


@dataclass(frozen=True, slots=True)
class Offer:
    """What a link offers to a browser: to be told what a group is told, by an account under its public key."""

    group: str
    link: int
    account: AccountRow
    channel: TakesSubscribers

    @property
    def key(self) -> str:
        """The account's public key, in base64url."""
        return self.channel.offered()


def offer(ports: Ports, secret: str) -> Offer | None:
    """What a link offers; None where it opens nothing, or no account of its department takes subscribers."""
    with ports.ledger.look() as tx:
        link = private_links.link_behind(tx, secret)
        account = _account(ports, tx, link) if link is not None else None
    if link is None or account is None:
        return None
    try:
        channel = ports.channels.open(account.name)
    except SetupError:  # its alarm tells of it
        return None
    return Offer(link.group, link.id, account, channel) if isinstance(channel, TakesSubscribers) else None


def begin(ports: Ports, secret: str, told: Mapping[str, Any]) -> None:
    """A browser is told from now on; safe to repeat. Blocks: its push service is looked up.

    Raises NotFound where the link offers nothing, NotToBeChanged where it has too many, RuleBroken for what is no
    browser's subscription.
    """
    offered = _the(ports, secret)
    value = offered.channel.address_of(told)
    offered.channel.must_be_reachable(value)

    def work(tx: Transaction) -> None:
        link = private_links.link_behind(tx, secret)
        if link is None:  # taken back meanwhile
            raise _nothing()
        if tx.subscribers.count(link.id) >= MOST:
            hint = "tell the school, which can make another link"
            raise NotToBeChanged(Problem("too_many", "subscription", "too many have subscribed by it", hint))
        address = tx.subscribers.add(link.id, offered.account.id, value)
        if address is not None:
            tx.record.add([Entry("subscriber.began", ACTOR, {"address": address, "link": link.id})])

    ports.ledger.transact(work)


def end(ports: Ports, secret: str, told: Mapping[str, Any]) -> None:
    """A browser is told nothing more, and forgotten; safe to repeat. Raises NotFound, RuleBroken."""
    value = _the(ports, secret).channel.address_of(told)
    ports.ledger.transact(lambda tx: _end_one(tx, tx.subscribers.address_of(value)))


def is_subscribed(ports: Ports, secret: str, told: Mapping[str, Any]) -> bool:
    """Whether a browser is told by this link. Raises NotFound, RuleBroken."""
    offered = _the(ports, secret)
    value = offered.channel.address_of(told)
    with ports.ledger.look() as tx:
        address = tx.subscribers.address_of(value)
        return address is not None and tx.subscribers.link_of(address) == offered.link


def forget(tx: Transaction, addresses: Sequence[int], *, why: str, actor: Actor) -> int:
    """End those of these addresses that subscribed, and brake what is in hand for them; how many they were."""
    ended = tx.subscribers.end(addresses) if addresses else ()
    tx.stops.add_all(StopKind.ADDRESS, ended)
    tx.record.add([Entry("subscriber.ended", actor, {"address": address, "why": why}) for address in ended])
    return len(ended)


def _end_one(tx: Transaction, address: int | None) -> None:
    if address is not None:
        forget(tx, [address], why="the page", actor=ACTOR)


def _account(ports: Ports, tx: Transaction, link: OpenLink) -> AccountRow | None:
    """The account that a group's subscribers are told by: of its department's, or the school's."""
    for name in ports.channels.names():
        try:
            if not ports.channels.traits(name).subscribed:
                continue
        except SetupError:
            continue
        account = tx.accounts.for_channel(name, link.department or "")
        if account is not None:
            return account
    return None


def _the(ports: Ports, secret: str) -> Offer:
    found = offer(ports, secret)
    if found is None:
        raise _nothing()
    return found


def _nothing() -> NotFound:
    return NotFound(Problem("not_found", "link", "there is nothing here", "ask the school for another link"))
