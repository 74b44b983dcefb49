"""“I have seen this”: a signed link in each message; looking at it changes nothing, the button counts once a duty.

Safe for scanners, which open every link, and safe to repeat. A forged link is known before the ledger is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from broker.actor import Actor
from broker.address import AddressKind
from broker.announcement import Announcement, People
from broker.authority.operators import must
from broker.corrections.law import AGAIN
from broker.errors import NotFound, NotToBeChanged, Problem
from broker.ladders.ladder import seen_by_enough
from broker.ladders.links import delivery_of
from broker.office.reach import kinds_of
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.ports.ladders import LinkTold
from broker.record import Entry
from broker.rules.ladders import ALL_GUARDIANS

AT_THE_OFFICE = 0


@dataclass(frozen=True, slots=True)
class Link:
    """What a link stands for now: the announcement, and whether this address has said so, or all of it is known."""

    announcement: Announcement
    title: str = field(repr=False)
    said: bool  # by this very address, for everybody the message tells of
    known: bool  # every duty of it is acknowledged
    over: bool


def look(ports: Ports, tx: Transaction, token: str) -> Link | None:
    """What a link stands for; None for one that was never made here, or tells of nobody any more. Reads only."""
    told = _told(ports, tx, token)
    return None if told is None else _link(tx, told)


def by_link(ports: Ports, tx: Transaction, token: str, *, actor: Actor) -> Link | None:
    """Whoever holds a link says that it was seen; safe to repeat, and changes nothing once it is over."""
    told = _told(ports, tx, token)
    if told is None:
        return None
    locked = tx.announcements.by_public_id(told.announcement.public_id, lock=True)
    if locked is not None and not tx.ladders.is_over(locked):
        new = set(told.duties) - set(told.said)
        if new:
            tx.ladders.say_seen(new, told.address)
            _count(ports, tx, locked, new, actor=actor)
    now = _told(ports, tx, token)
    return None if now is None else _link(tx, now)


def at_the_office(ports: Ports, public_id: UUID, person: int, *, why: str, actor: Actor) -> bool:
    """Somebody told the office that a person knows: acknowledged, whatever the rule; whether it was not before.

    Raises NotFound, NotAllowed, NotToBeChanged.
    """

    def work(tx: Transaction) -> bool:
        announcement = tx.announcements.by_public_id(public_id, lock=True)
        if announcement is None:
            raise _not_found("id", "there is no such announcement")
        must(tx, actor, OperatorRole.AUTHOR, announcement.department)
        if announcement.follow_up in AGAIN and announcement.corrects is not None:
            announcement = tx.announcements.by_id(announcement.corrects)  # whose duties it tells of
        duty = tx.ladders.duty_of(announcement.id, person)
        if duty is None:
            raise _not_found("person", "this announcement is not about this person")
        if announcement.withdrawn_at is not None:
            raise NotToBeChanged(Problem("over", "id", "it was withdrawn", "nobody needs to have seen it"))
        if announcement.corrected_at is not None and announcement.corrected_by is not None:
            right = tx.announcements.by_id(announcement.corrected_by).public_id
            raise NotToBeChanged(
                Problem("corrected", "id", "it has been corrected", f"say it of what is right: {right}")
            )
        tx.ladders.say_seen([duty], AT_THE_OFFICE)
        changed = tx.ladders.acknowledge([duty]) > 0
        if changed:
            facts = {"duties": [duty], "by": "the office", "why": why}
            tx.record.add([Entry("duties.acknowledged", actor, facts, announcement.id)])
        return changed

    return ports.ledger.transact(work)


def _told(ports: Ports, tx: Transaction, token: str) -> LinkTold | None:
    delivery = delivery_of(ports.signer, token)
    return None if delivery is None else tx.ladders.by_delivery(delivery)


def _count(
    ports: Ports, tx: Transaction, announcement: Announcement, duties: Collection[int], *, actor: Actor
) -> None:
    everybody = tx.rules.current().yes(ALL_GUARDIANS) and announcement.people in {
        People.GUARDIANS,
        People.BOTH,
    }
    kinds: Collection[AddressKind] = set(kinds_of(ports.channels, announcement).values())
    asked: Mapping[int, set[int]] = tx.ladders.guardians_asked(duties, kinds) if everybody else {}
    said = tx.ladders.have_said(duties)
    enough = [
        duty
        for duty in sorted(duties)
        if seen_by_enough(said.get(duty, set()), asked.get(duty, set()), all_guardians=everybody)
    ]
    tx.ladders.acknowledge(enough)
    facts = {"said": sorted(duties), "acknowledged": enough}
    tx.record.add([Entry("duties.acknowledged", actor, facts, announcement.id)])


def _link(tx: Transaction, told: LinkTold) -> Link:
    newest = tx.announcements.content(told.announcement.id, 1)
    title = newest[0].title if newest else ""
    said = set(told.duties) <= set(told.said)
    return Link(told.announcement, title, said, not told.open, told.over)


def _not_found(field: str, message: str) -> NotFound:
    return NotFound(Problem("not_found", field, message, "copy it from `carillon ladder`"))
