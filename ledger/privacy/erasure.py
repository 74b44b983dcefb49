"""One person's data: showing, holding, and taking it away, table by table as the registry says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, String, Table, Uuid, delete, insert, literal, select, text, update
from uuid6 import uuid7

from broker.announcement import Purpose
from broker.ports.privacy import Footprint, HoldRow, Struck, Subject
from broker.privacy.strike import ERASED
from ledger import tables as t
from ledger.consent.consents import OptOuts
from ledger.erased import erased_mark
from ledger.hand import Hand
from ledger.office.families import person_row
from ledger.privacy import barred, striking
from ledger.privacy.registry import REGISTRY, Empty, Erasure, Held
from ledger.privacy.striking import Mentions
from ledger.privacy.subjects import Subjects, chunks, where_theirs
from ledger.rosters.staged import forget_all

SOURCE = "erasure"


class Privacy:
    """See broker.ports.Privacy."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self._find = Subjects(hand)
        self._mentions: dict[int, Mentions] = {}

    def subject(self, person: int, *, lock: bool = False, orphans: bool = True) -> Subject:
        """Everything by which their rows are found."""
        return self._find.subject(person, lock=lock, orphans=orphans)

    def footprint(self, subject: Subject) -> Footprint:
        """What an erasure would take, and what stands in its way."""
        return self._find.footprint(subject, self._named(subject))

    def _named(self, subject: Subject) -> Mentions:
        """Where they are named: every wording there is, looked through once a transaction."""
        if subject.person not in self._mentions:
            self._mentions[subject.person] = striking.mentions(self._hand, subject)
        return self._mentions[subject.person]

    def addresses(self, people: Collection[int]) -> Mapping[int, Sequence[tuple[int, str, str]]]:
        """(id, kind, value) of each address that these people hold."""
        rows = self._hand.connection.execute(
            select(t.person_address.c.person_id, t.address.c.id, t.address.c.kind, t.address.c.value)
            .join(t.address, t.address.c.id == t.person_address.c.address_id)
            .where(t.person_address.c.person_id.in_(list(people)))
            .order_by(t.address.c.kind, t.person_address.c.position)
        )
        found: dict[int, list[tuple[int, str, str]]] = defaultdict(list)
        for row in rows:
            found[row.person_id].append((row.id, row.kind, row.value))
        return found

    def addressed(self, deliveries: Sequence[int]) -> Mapping[int, tuple[int, str]]:
        """Delivery → (address, value)."""
        rows = self._hand.connection.execute(
            select(t.delivery.c.id, t.address.c.id.label("address_id"), t.address.c.value)
            .join(t.address, t.address.c.id == t.delivery.c.address_id)
            .where(t.delivery.c.id.in_(list(deliveries)))
        )
        return {row.id: (row.address_id, row.value) for row in rows}

    def forget_at_providers(self, subject: Subject, *, shared: bool) -> int:
        """A row for each message that a provider has: what went to them or about them, and what they wrote."""
        now = literal(self._hand.now, t.redaction.c.wanted_at.type)
        wanted = 0
        for some in chunks(subject.deliveries):
            theirs = text(self._hand.dialect.any_of("attempt.delivery_id", "ids"))
            sent = select(t.attempt.c.account_id, t.attempt.c.gateway, t.attempt.c.provider_id, now, now)
            wanted += self._wanted(sent.where(theirs, t.attempt.c.provider_id.is_not(None)), some)
        written = select(t.answer.c.account_id, literal("", String()), t.answer.c.key, now, now)
        hashes = (*subject.alone_hashes, *(subject.shared_hashes if shared else ()))
        by_them = t.answer.c.sender_hash.in_(hashes), t.answer.c.account_id.is_not(None)
        return wanted + self._wanted(written.where(*by_them))

    def _wanted(self, chosen: Any, ids: Sequence[int] = ()) -> int:
        columns = ["account_id", "gateway", "provider_id", "wanted_at", "due_at"]
        values = {"ids": self._hand.dialect.ids(ids)} if ids else {}
        made = insert(t.redaction).from_select(columns, chosen)
        return self._hand.connection.execute(made, values).rowcount

    def carry_over_refusals(self, subject: Subject) -> None:
        """Consent goes with the person; what they refused holds on, by the keyed hash of the addresses that go."""
        refused = self._hand.connection.execute(
            select(t.consent.c.channel)
            .distinct()
            .where(t.consent.c.person_id == subject.person, t.consent.c.given.is_(False))
            .where(t.consent.c.purpose == Purpose.SERVICE.value)
        ).scalars()
        for channel in list(refused):
            OptOuts(self._hand).add(subject.alone_hashes, channel, source=SOURCE)

    def erase(self, subject: Subject, *, called: bool, shared: bool) -> Mapping[int, Struck]:
        """By the registry, table by table; the rows that others point to come last."""
        self._hand.dialect.overwrite(self._hand.connection)
        forget_all(self._hand)  # they may stand in any roster that waits, by a name that nobody looks for
        if shared:
            self._hand.connection.execute(
                delete(t.answer).where(t.answer.c.sender_hash.in_(subject.shared_hashes))
            )
        struck = striking.strike(self._hand, subject, self._named(subject), called=called)
        for name, held in _in_order():
            table = t.metadata.tables[name]
            for where, values in where_theirs(self._hand, name, held.theirs, subject):
                if held.erasure is Erasure.GONE:
                    self._hand.connection.execute(delete(table).where(where), values)
                elif held.erasure is Erasure.EMPTIED:
                    emptied = update(table).where(where).values(_emptied(table, held))
                    self._hand.connection.execute(emptied, values)
        return struck

    def wait_for_imports(self) -> None:
        """First of all in its transaction: after the import in hand, and before the next one looks who is barred."""
        self._hand.run(f"SELECT id FROM {t.school.name} {self._hand.dialect.lock}")

    def bar(self, subject: Subject) -> None:
        """By the school's id, and a guardian without one by name and pupil as well."""
        pupils = select(t.person.c.source_id).where(t.person.c.id.in_(self._find.pupils(subject.person)))
        theirs = self._hand.connection.execute(pupils).scalars().all()
        barred.bar(self._hand, subject.person, subject.source_id, subject.named, theirs)

    def readmit(self, source_id: str) -> int | None:
        """Every hash of whoever is barred by this id goes."""
        return barred.readmit(self._hand, source_id)

    def hold(self, *, person: int | None, announcement: int | None, words: str, by: str) -> int:
        """Hold something for the law."""
        row = {
            "person_id": person,
            "announcement_id": announcement,
            "words": words,
            "held_by": by,
            "held_at": self._hand.now,
        }
        made = insert(t.legal_hold).values(row).returning(t.legal_hold.c.id)
        return int(self._hand.connection.execute(made).scalar_one())

    def lift(self, hold: int, *, by: str) -> bool:
        """Lift it, once."""
        lifted = self._hand.connection.execute(
            update(t.legal_hold)
            .where(t.legal_hold.c.id == hold, t.legal_hold.c.lifted_at.is_(None))
            .values(lifted_at=self._hand.now, lifted_by=by)
        )
        return lifted.rowcount > 0

    def holds(self, *, standing: bool = True) -> Sequence[HoldRow]:
        """What is held, the newest first."""
        query = (
            select(t.legal_hold, t.announcement.c.public_id)
            .outerjoin(t.announcement, t.announcement.c.id == t.legal_hold.c.announcement_id)
            .order_by(t.legal_hold.c.id.desc())
        )
        if standing:
            query = query.where(t.legal_hold.c.lifted_at.is_(None))
        rows = self._hand.connection.execute(query).all()
        people = {
            row.id: person_row(row)
            for row in self._hand.connection.execute(
                select(t.person).where(t.person.c.id.in_([row.person_id for row in rows if row.person_id]))
            )
        }
        return [
            HoldRow(
                row.id,
                people.get(row.person_id),
                row.public_id,
                row.words,
                row.held_by,
                row.held_at,
                row.lifted_by,
                row.lifted_at,
            )
            for row in rows
        ]

    def people_of(self, deliveries: Sequence[int]) -> Sequence[int]:
        """Whom deliveries are about."""
        return list(
            self._hand.connection.execute(
                select(t.duty.c.person_id)
                .distinct()
                .join(t.delivery_covers, t.delivery_covers.c.duty_id == t.duty.c.id)
                .where(t.delivery_covers.c.delivery_id.in_(list(deliveries)))
                .order_by(t.duty.c.person_id)
            ).scalars()
        )


def _in_order() -> Sequence[tuple[str, Held]]:
    """Rows that point at others before those others."""
    place = {table.name: n for n, table in enumerate(t.metadata.sorted_tables)}
    theirs = [(name, held) for name, held in REGISTRY.items() if held.theirs]
    return sorted(theirs, key=lambda one: -place[one[0]])


def _emptied(table: Table, held: Held) -> dict[str, Any]:
    return {column: _empty(table, column, empty) for column, empty in held.emptied.items()}


def _empty(table: Table, column: str, empty: Empty) -> Any:
    if empty is Empty.OWN:
        return erased_mark(table.c.id)
    made: dict[Empty, Callable[[], Any]] = {
        Empty.NULL: lambda: None,
        Empty.BLANK: lambda: b"" if isinstance(table.c[column].type, LargeBinary) else "",
        Empty.FALSE: lambda: False,
        Empty.FRESH: lambda: UUID(int=uuid7().int) if isinstance(table.c[column].type, Uuid) else uuid7().hex,
        Empty.ERASED: lambda: ERASED,
    }
    return made[empty]()
