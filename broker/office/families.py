"""Families: a court order kept by hand, and whom a word means that somebody typed.

A block keeps one guardian from hearing about one child, urgent messages included, and leaves the sibling as it was.
Set here, no roster lifts it: it goes as it came, by somebody who gives a reason.
"""

from __future__ import annotations

from dataclasses import dataclass

from broker.actor import Actor
from broker.authority.operators import must
from broker.errors import NotFound, NotToBeChanged, Problem
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.ports.office import PersonRow
from broker.record import Entry
from broker.rosters.roster import Role
from broker.values import StopKind

MOST_NAMED = 5
LONGEST_WORD = 200


@dataclass(frozen=True, slots=True)
class Blocked:
    """A guardian and a pupil, and whether the one is kept from hearing about the other; `changed` just now."""

    guardian: PersonRow
    pupil: PersonRow
    blocked: bool
    changed: bool


def block(ports: Ports, guardian: str, pupil: str, *, why: str, actor: Actor) -> Blocked:
    """Keep a guardian from hearing about a pupil from this moment; safe to repeat.

    Nothing about the pupil starts to any address of the guardian's a second after this, whoever shares the address.
    Raises NotFound, NotToBeChanged.
    """

    def work(tx: Transaction) -> Blocked:
        adult, child = _both(tx, guardian, pupil)
        known = tx.families.guardianship(adult.id, child.id)
        if known is not None and known.blocked and known.by_hand:
            return Blocked(adult, child, blocked=True, changed=False)
        tx.families.set_block(adult.id, child.id, blocked=True)
        tx.stops.add(StopKind.PERSON, child.id)
        tx.record.add([_entry("guardianship.blocked", adult, child, why, actor)])
        return Blocked(adult, child, blocked=True, changed=True)

    return ports.ledger.transact(work)


def unblock(ports: Ports, guardian: str, pupil: str, *, why: str, actor: Actor) -> Blocked:
    """Lift a block, whoever set it; safe to repeat. Raises NotFound, NotToBeChanged, NotAllowed."""

    def work(tx: Transaction) -> Blocked:
        must(tx, actor, OperatorRole.ADMIN)
        adult, child = _both(tx, guardian, pupil)
        known = tx.families.guardianship(adult.id, child.id)
        if known is None or not known.blocked:
            return Blocked(adult, child, blocked=False, changed=False)
        tx.families.set_block(adult.id, child.id, blocked=False)
        tx.record.add([_entry("guardianship.unblocked", adult, child, why, actor)])
        return Blocked(adult, child, blocked=False, changed=True)

    return ports.ledger.transact(work)


def the(tx: Transaction, word: str, field: str, *, gone: bool = False) -> PersonRow:
    """The one person whom a word means: an id, or a name that nobody else has. Raises NotFound.

    `gone`: those who left the school count too.
    """
    known = 0 < len(word) <= LONGEST_WORD and word.isprintable()
    found = tx.families.find(word.strip(), limit=MOST_NAMED + 1, gone=gone) if known else ()
    if len(found) == 1:
        return found[0]
    if not found:
        hint = "give the id that the school's own system has, or the whole name"
        raise NotFound(Problem("unknown_person", field, "nobody at the school is called this", hint))
    ids = ", ".join(one.source_id for one in found[:MOST_NAMED])
    more = " and more" if len(found) > MOST_NAMED else ""
    raise NotFound(
        Problem("several_people", field, "several people are called this", f"give one of the ids {ids}{more}")
    )


def _both(tx: Transaction, guardian: str, pupil: str) -> tuple[PersonRow, PersonRow]:
    adult, child = the(tx, guardian, "guardian"), the(tx, pupil, "pupil")
    if Role.PUPIL not in child.roles:
        raise NotToBeChanged(
            Problem("not_a_pupil", "pupil", "this is no pupil", "name the guardian first, then the pupil")
        )
    if adult.id == child.id:
        message = "nobody is kept from hearing about themselves"
        raise NotToBeChanged(Problem("same_person", "guardian", message, "name a guardian and a pupil"))
    return adult, child


def _entry(kind: str, adult: PersonRow, child: PersonRow, why: str, actor: Actor) -> Entry:
    facts = {"guardian": adult.id, "pupil": child.id}
    return Entry(kind, actor, facts, words=why, about=(adult.id, child.id))
