"""Whose rows are whose: every number of ours by which rows about one person are found, and how many there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, TextClause, and_, exists, false, func, or_, select, text

from broker.delivery import State
from broker.ports.privacy import Footprint, Subject
from broker.privacy.strike import whole_names
from ledger import tables as t
from ledger.hand import Hand
from ledger.privacy import holds, striking
from ledger.privacy.registry import REGISTRY, Erasure, Whose
from ledger.privacy.striking import Mentions

_PER_STATEMENT = 5_000  # ids

Where = tuple[ColumnElement[bool] | TextClause, dict[str, Any]]


class Subjects:
    """Finds one person's rows in one transaction."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def subject(self, person: int, *, lock: bool = False, orphans: bool = True) -> Subject:
        """Everything by which their rows are found; `orphans`: with addresses that nobody holds any more."""
        run = self._hand.connection.execute
        one = select(t.person).where(t.person.c.id == person)
        row = run(one.with_for_update() if lock else one).one()
        held = self._held(person)
        about = self._about([person])
        former = self._orphans(self._about(self._theirs_alone(person))) if orphans else ()
        deliveries = {*about, *self._to([*(one.id for one in held), *(one.id for one in former)])}
        if lock:
            self._lock(deliveries)
        alone = [*self._alone(held), *former]
        firsts = dict.fromkeys(name for name in (row.preferred_name, row.given_name) if name)
        return Subject(
            person=person,
            addresses=tuple(one.id for one in held),
            alone=tuple(one.id for one in alone),
            alone_hashes=tuple(bytes(one.hash) for one in alone if one.hash),
            shared_hashes=tuple(bytes(one.hash) for one in held if one.hash and one not in alone),
            deliveries=tuple(sorted(deliveries)),
            values=tuple((one.kind, one.value) for one in alone),
            named=whole_names(row.given_name, row.family_name, row.preferred_name),
            called=tuple(firsts),
            titled=(row.family_name,) if row.family_name and (row.is_staff or row.is_guardian) else (),
            source_id=row.source_id,
        )

    def footprint(self, subject: Subject, found: Mentions) -> Footprint:
        """What an erasure would take, and what stands in its way; `found` is where they are named."""
        counted: dict[str, int] = {}
        for name, held in REGISTRY.items():
            if held.theirs and held.erasure in {Erasure.GONE, Erasure.EMPTIED}:
                table = t.metadata.tables[name]
                n = sum(
                    self._count(table, where)
                    for where in where_theirs(self._hand, name, held.theirs, subject)
                )
                if n:
                    counted[held.about] = n
        return Footprint(
            rows=counted,
            named=found.named,
            called=found.called,
            files=self._files(subject),
            shared=len(self._written(subject.shared_hashes)),
            under_way=self._under_way(subject),
            blocks=self._blocks(subject.person),
            concerns=self._concerns(subject, found.whole.get("answer", frozenset())),
            holds=self._holding(subject, found.whole),
            at_providers=self._at_providers(subject),
        )

    def _held(self, person: int) -> Sequence[Row[Any]]:
        return self._hand.connection.execute(
            select(t.address)
            .join(t.person_address, t.person_address.c.address_id == t.address.c.id)
            .where(t.person_address.c.person_id == person)
            .order_by(t.address.c.id)
        ).all()

    def _alone(self, held: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
        holders = self._hand.connection.execute(
            select(t.person_address.c.address_id)
            .where(t.person_address.c.address_id.in_([one.id for one in held]))
            .group_by(t.person_address.c.address_id)
            .having(func.count() == 1)
        )
        alone = set(holders.scalars())
        return [one for one in held if one.id in alone]

    def pupils(self, guardian: int) -> list[int]:
        """Whom this guardian looks after."""
        of = select(t.guardianship.c.pupil_id).where(t.guardianship.c.guardian_id == guardian)
        return list(self._hand.connection.execute(of).scalars())

    def _theirs_alone(self, person: int) -> list[int]:
        """About whom nobody else hears: they themselves, and the pupils whom they alone look after.

        An address of a message about anybody else may have been the other guardian's. Who is kept from hearing of a
        pupil lays no claim to what went about it.
        """
        g, other = t.guardianship.c, t.guardianship.alias("other")
        another = exists().where(
            other.c.pupil_id == g.pupil_id, other.c.guardian_id != person, ~other.c.blocked
        )
        of = select(g.pupil_id).where(g.guardian_id == person, ~g.blocked, ~another)
        looked_after = select(g.guardian_id).where(g.pupil_id == person).limit(1)
        run = self._hand.connection.execute
        themselves = [person] if run(looked_after).first() is None else []
        return [*themselves, *run(of).scalars()]

    def _about(self, people: Sequence[int]) -> Sequence[int]:
        """Deliveries about these people. By way of the announcements: duties have no index by person."""
        which = self._hand.dialect.any_of("du.person_id", "people")
        rows = self._hand.run(
            "SELECT DISTINCT dc.delivery_id FROM announcement an"
            f" JOIN duty du ON du.announcement_id = an.id AND {which}"
            " JOIN delivery_covers dc ON dc.duty_id = du.id",
            people=self._hand.dialect.ids(people),
        )
        return [row.delivery_id for row in rows]

    def _to(self, addresses: Sequence[int]) -> Sequence[int]:
        """Deliveries to these addresses. By way of the announcements, as the index that holds each once has it."""
        if not addresses:
            return []
        which = self._hand.dialect.any_of("coalesce(d.address_id, 0)", "addresses")
        rows = self._hand.run(
            "SELECT d.id FROM announcement an CROSS JOIN (SELECT DISTINCT channel FROM account) AS c"
            f" JOIN delivery d ON d.announcement_id = an.id AND d.channel = c.channel AND {which}",
            addresses=self._hand.dialect.ids(addresses),
        )
        return [row.id for row in rows]

    def _orphans(self, deliveries: Sequence[int]) -> Sequence[Row[Any]]:
        """Addresses of these deliveries that nobody holds any more: numbers that changed since."""
        found: list[Row[Any]] = []
        for some in chunks(deliveries):
            rows = self._hand.run(
                "SELECT DISTINCT ad.id, ad.kind, ad.value, ad.hash"
                " FROM delivery d JOIN address ad ON ad.id = d.address_id"
                f" WHERE {self._hand.dialect.any_of('d.id', 'ids')} AND NOT EXISTS"
                " (SELECT 1 FROM person_address pa WHERE pa.address_id = ad.id)",
                ids=self._hand.dialect.ids(some),
            )
            found += rows.all()
        return list({row.id: row for row in found}.values())

    def _lock(self, deliveries: Collection[int]) -> None:
        for some in chunks(sorted(deliveries)):
            self._hand.run(
                f"SELECT id FROM delivery WHERE {self._hand.dialect.any_of('id', 'ids')}"
                f" ORDER BY id {self._hand.dialect.lock}",
                ids=self._hand.dialect.ids(some),
            ).all()

    def _count(self, table: Table, where: Where) -> int:
        query = select(func.count()).select_from(table).where(where[0])
        return int(self._hand.connection.execute(query, where[1]).scalar_one())

    def _files(self, subject: Subject) -> int:
        found: set[int] = set()
        for some in chunks(subject.deliveries):
            rows = self._hand.run(
                "SELECT DISTINCT d.announcement_id AS id FROM delivery d JOIN content_attachment ca"
                f" ON ca.announcement_id = d.announcement_id WHERE {self._hand.dialect.any_of('d.id', 'ids')}",
                ids=self._hand.dialect.ids(some),
            )
            found |= {row.id for row in rows}
        if not found:
            return 0
        of = select(func.count()).where(t.content_attachment.c.announcement_id.in_(found))
        return int(self._hand.connection.execute(of).scalar_one())

    def _under_way(self, subject: Subject) -> int:
        counted = 0
        sending, uncertain = State.SENDING.value, State.UNCERTAIN.value
        for some in chunks(subject.deliveries):
            n: int = self._hand.run(
                f"SELECT count(*) AS n FROM delivery WHERE {self._hand.dialect.any_of('id', 'ids')}"
                " AND (state = :sending OR (state = :uncertain AND lookup_at IS NOT NULL))",
                ids=self._hand.dialect.ids(some),
                sending=sending,
                uncertain=uncertain,
            ).scalar_one()
            counted += n
        return counted

    def _blocks(self, person: int) -> int:
        here = and_(t.person.c.id == t.guardianship.c.pupil_id, t.person.c.active)
        of = (
            select(func.count())
            .select_from(t.guardianship.join(t.person, here))
            .where(t.guardianship.c.guardian_id == person, t.guardianship.c.blocked)
        )
        return int(self._hand.connection.execute(of).scalar_one())

    def _written(self, hashes: Sequence[bytes]) -> Sequence[int]:
        of = select(t.answer.c.id).where(t.answer.c.sender_hash.in_(hashes))
        return self._hand.connection.execute(of).scalars().all() if hashes else ()

    def _concerns(self, subject: Subject, named: Collection[int]) -> int:
        written = self._written([*subject.alone_hashes, *subject.shared_hashes])
        return len(striking.open_concerns(self._hand, {*written, *named}))

    def _holding(self, subject: Subject, named: Mapping[str, Collection[int]]) -> int:
        """They themselves, what they were told, what somebody who is held was told with them, and what names them."""
        hold = t.legal_hold.c
        standing = self._hand.connection.execute(
            select(hold.person_id, hold.announcement_id).where(hold.lifted_at.is_(None))
        ).all()
        if not standing:
            return 0
        held = len([one for one in standing if one.person_id == subject.person])
        announcements = {one.announcement_id for one in standing if one.announcement_id is not None}
        others = {one.person_id for one in standing if one.person_id is not None} - {subject.person}
        held += len(self._announced(subject) & announcements) if announcements else 0
        held += sum(not self._told(other).isdisjoint(subject.deliveries) for other in sorted(others))
        return held + sum(len(ids) for ids in holds.among(self._hand, named).values())

    def _announced(self, subject: Subject) -> set[int]:
        touched: set[int] = set()
        for some in chunks(subject.deliveries):
            rows = self._hand.run(
                f"SELECT DISTINCT announcement_id AS id FROM delivery WHERE {self._hand.dialect.any_of('id', 'ids')}",
                ids=self._hand.dialect.ids(some),
            )
            touched |= {row.id for row in rows}
        return touched

    def _told(self, person: int) -> set[int]:
        """Deliveries about somebody, or to an address of theirs."""
        return {*self._about([person]), *self._to([one.id for one in self._held(person)])}

    def _at_providers(self, subject: Subject) -> int:
        found = 0
        for some in chunks(subject.deliveries):
            n: int = self._hand.run(
                f"SELECT count(*) AS n FROM attempt WHERE {self._hand.dialect.any_of('delivery_id', 'ids')}"
                " AND provider_id IS NOT NULL",
                ids=self._hand.dialect.ids(some),
            ).scalar_one()
            found += n
        return found


def where_theirs(hand: Hand, name: str, columns: Mapping[str, Whose], subject: Subject) -> Iterator[Where]:
    """Conditions, each with its parameters, that together find a person's rows of a table."""
    table = t.metadata.tables[name]
    parts: list[ColumnElement[bool]] = []
    for column, whose in columns.items():
        if whose is Whose.DELIVERY:
            for some in chunks(subject.deliveries):
                yield text(hand.dialect.any_of(f"{name}.{column}", "ids")), {"ids": hand.dialect.ids(some)}
            continue
        values: Mapping[Whose, Sequence[Any]] = {
            Whose.PERSON: [subject.person],
            Whose.ADDRESS: subject.addresses,
            Whose.ALONE: subject.alone,
            Whose.ALONE_HASH: subject.alone_hashes,
            Whose.ADDRESS_HASH: (*subject.alone_hashes, *subject.shared_hashes),
        }
        parts.append(table.c[column].in_(list(values[whose])))
    if parts:
        found: ColumnElement[bool] = or_(false(), *parts)
        if table is t.remark:  # a remark about two goes when one of them does
            found = table.c.commitment.in_(select(t.remark.c.commitment).where(found))
        yield found, {}


def chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """As many ids as one statement takes."""
    for at in range(0, len(ids), _PER_STATEMENT):
        yield ids[at : at + _PER_STATEMENT]
