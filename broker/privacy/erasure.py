"""One person's data: shown in full with a reason, held for the law, erased, and let back.

Where the school has named operators, an admin does these; an author may look at a number in full.

Erasing leaves the record verifiable: it holds ids and commitments alone, and the keys of these are what goes. A stop
goes on to hold, for it is kept by a keyed hash. What cannot be undone is shown before it is done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from uuid import UUID

from broker.actor import Actor
from broker.authority.operators import must
from broker.errors import NotFound, NotToBeChanged, Problem
from broker.office import families
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.ports.office import PersonRow
from broker.ports.privacy import Footprint, HoldRow, Subject
from broker.record import Entry
from broker.values import StopKind


class Ground(StrEnum):
    """Why somebody is erased: UK GDPR art. 17(1), and nothing that would have to be typed and then kept."""

    REQUEST = "request"  # they asked, or somebody who may ask for them
    CONSENT = "consent"  # they took back the consent that it rested on
    OBJECTION = "objection"
    OVER = "over"  # not needed any more
    UNLAWFUL = "unlawful"  # it should never have been kept
    LAW = "law"  # a law demands it


@dataclass(frozen=True, slots=True)
class Revealed:
    """Somebody's addresses in full, as (kind, value)."""

    person: PersonRow
    addresses: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Erasing:
    """Whom an erasure is about, and what it takes; `hindered` is why it cannot be done now."""

    person: PersonRow
    footprint: Footprint
    hindered: Problem | None


def reveal(ports: Ports, who: str, *, why: str, actor: Actor) -> Revealed:
    """Show somebody's numbers and emails in full; that they were shown, to whom and why, is in the record."""

    def work(tx: Transaction) -> Revealed:
        must(tx, actor, OperatorRole.AUTHOR)
        person = families.the(tx, who, "who", gone=True)
        held = tx.privacy.addresses([person.id]).get(person.id, ())
        facts = {"person": person.id, "addresses": [one[0] for one in held]}
        tx.record.add([Entry("addresses.revealed", actor, facts, words=why, about=(person.id,))])
        return Revealed(person, tuple((kind, value) for _, kind, value in held))

    return ports.ledger.transact(work)


def reveal_deliveries(
    ports: Ports, deliveries: Sequence[int], *, why: str, actor: Actor
) -> Mapping[int, str]:
    """Delivery → its address in full; that they were shown, and why, is in the record. The public has none."""

    def work(tx: Transaction) -> Mapping[int, str]:
        must(tx, actor, OperatorRole.AUTHOR)
        addressed = tx.privacy.addressed(deliveries)
        facts = {
            "deliveries": sorted(addressed),
            "addresses": sorted({each for each, _ in addressed.values()}),
        }
        about = tuple(tx.privacy.people_of(sorted(addressed)))
        tx.record.add([Entry("addresses.revealed", actor, facts, words=why, about=about)])
        return {delivery: value for delivery, (_, value) in addressed.items()}

    return ports.ledger.transact(work)


def look(ports: Ports, who: str) -> Erasing:
    """What erasing somebody would take; nothing is changed. Raises NotFound."""
    with ports.ledger.look() as tx:
        person = families.the(tx, who, "who", gone=True)
        return _looked_at(tx, person, tx.privacy.subject(person.id))


def erase(
    ports: Ports,
    who: str,
    *,
    confirmed: str,
    ground: Ground,
    called: bool = False,
    shared: bool = False,
    actor: Actor,
) -> Erasing:
    """Erase one person, for good. `confirmed` is their id, typed. Raises NotFound, NotToBeChanged.

    `called`: their first names are struck out of wordings as well, where they may be words of the language. `shared`:
    answers from addresses that others hold too go as well; else with the last of them. No roster brings them back;
    providers are asked to forget what they got.
    """

    def work(tx: Transaction) -> Erasing:
        must(tx, actor, OperatorRole.ADMIN)
        tx.privacy.wait_for_imports()
        person = families.the(tx, who, "who", gone=True)
        if confirmed != person.source_id:
            raise NotToBeChanged(
                Problem(
                    "not_confirmed",
                    "confirm",
                    "this is not the id of this person",
                    "type the id that is shown",
                )
            )
        entry = Entry("person.erased", actor, {"ground": ground.value})
        return _erased(tx, person, entry, called=called, shared=shared, barred=True)

    return ports.ledger.transact(work)


def erase_leaver(tx: Transaction, person: PersonRow, *, actor: Actor) -> bool:
    """The same for one who left long ago, in the caller's transaction; False where something stands in its way.

    A roster may bring them back.
    """
    try:
        entry = Entry("person.erased", actor, {"ground": "age"})
        _erased(tx, person, entry, called=False, shared=False, barred=False)
    except NotToBeChanged:
        return False
    return True


def readmit(ports: Ports, source_id: str, *, actor: Actor) -> None:
    """Let the next roster bring an erased person back. Raises NotFound."""

    def work(tx: Transaction) -> None:
        must(tx, actor, OperatorRole.ADMIN)
        person = tx.privacy.readmit(source_id)
        if person is None:
            hint = "give the id exactly as the roster has it"
            raise NotFound(Problem("not_erased", "id", "nobody who was erased had this id", hint))
        tx.record.add([Entry("person.readmitted", actor, {"person": person})])

    ports.ledger.transact(work)


def hold(
    ports: Ports, *, who: str | None = None, announcement: UUID | None = None, why: str, actor: Actor
) -> int:
    """Hold a person or an announcement for the law: neither age nor a wish takes it away. Raises NotFound."""

    def work(tx: Transaction) -> int:
        must(tx, actor, OperatorRole.ADMIN)
        person = families.the(tx, who, "who", gone=True) if who is not None else None
        found = tx.announcements.by_public_id(announcement) if announcement is not None else None
        if person is None and found is None:
            raise _unknown_announcement()
        number = tx.privacy.hold(
            person=person.id if person else None,
            announcement=found.id if found else None,
            words=why,
            by=actor.id,
        )
        facts = {"hold": number, "person": person.id if person else None}
        tx.record.add([Entry("hold.placed", actor, facts, found.id if found else None)])
        return number

    return ports.ledger.transact(work)


def lift(ports: Ports, number: int, *, actor: Actor) -> None:
    """Lift a hold: from now on its subject goes as everything goes. Raises NotFound."""

    def work(tx: Transaction) -> None:
        must(tx, actor, OperatorRole.ADMIN)
        if not tx.privacy.lift(number, by=actor.id):
            hint = "list them with: carillon holds list"
            raise NotFound(Problem("no_hold", "hold", "no hold of this number stands", hint))
        tx.record.add([Entry("hold.lifted", actor, {"hold": number})])

    ports.ledger.transact(work)


def holds(ports: Ports, *, standing: bool = True) -> tuple[HoldRow, ...]:
    """What is held."""
    with ports.ledger.look() as tx:
        return tuple(tx.privacy.holds(standing=standing))


def _erased(
    tx: Transaction, person: PersonRow, entry: Entry, *, called: bool, shared: bool, barred: bool
) -> Erasing:
    subject = tx.privacy.subject(person.id, lock=True)
    looked = _looked_at(tx, person, subject)
    if looked.hindered is not None:
        raise NotToBeChanged(looked.hindered)
    if barred:
        tx.privacy.bar(subject)
    tx.privacy.carry_over_refusals(subject)
    asked = tx.privacy.forget_at_providers(subject, shared=shared)
    struck = tx.privacy.erase(subject, called=called, shared=shared)
    tx.stops.add(StopKind.PERSON, person.id)
    for address in subject.addresses:
        tx.stops.add(StopKind.ADDRESS, address)
    facts = {
        **entry.facts,
        "person": person.id,
        "addresses": list(subject.alone),
        "messages": len(subject.deliveries),
        "providers_asked": asked,
    }
    tx.record.add([Entry(entry.kind, entry.actor, facts)])
    tx.record.add(
        [
            Entry("announcement.struck", entry.actor, asdict(now), announcement)
            for announcement, now in struck.items()
        ]
    )
    return looked


def _looked_at(tx: Transaction, person: PersonRow, subject: Subject) -> Erasing:
    footprint = tx.privacy.footprint(subject)
    return Erasing(person, footprint, _hindrance(footprint))


def _hindrance(found: Footprint) -> Problem | None:
    """What stands in the way, the weightiest first."""
    if found.holds:
        message = "what is theirs, or names them, is held for the law"
        return Problem("held", "who", message, "see: carillon holds list")
    if found.concerns:
        message = "the safeguarding lead has not dealt with what they wrote, or what was written about them"
        return Problem(
            "open_concern", "who", message, "it belongs in the child protection file first (KCSIE)"
        )
    if found.blocks:
        message = "a court order keeps this person from hearing about a pupil, and erasing would forget it"
        return Problem(
            "blocked", "who", message, "unblock them first, when the order is over or the pupil has left"
        )
    if found.under_way:
        message = (
            f"{found.under_way} of their messages are under way, and nobody knows yet what becomes of them"
        )
        return Problem(
            "under_way", "who", message, "try again in some minutes; see: carillon deliveries --failed"
        )
    return None


def _unknown_announcement() -> NotFound:
    return NotFound(
        Problem("not_found", "id", "there is no such announcement", "copy its id from `carillon status`")
    )


def subject_of_copy(tx: Transaction, who: str, *, why: str, actor: Actor) -> tuple[PersonRow, Subject]:
    """Whom a copy is made of, in the caller's transaction; it is in the record. Raises NotFound, NotAllowed."""
    must(tx, actor, OperatorRole.ADMIN)
    person = families.the(tx, who, "who", gone=True)
    subject = tx.privacy.subject(person.id, orphans=False)
    facts = {"person": person.id, "messages": len(subject.deliveries)}
    tx.record.add([Entry("person.copied", actor, facts, words=why, about=(person.id,))])
    return person, subject
