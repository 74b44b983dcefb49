"""Consent as a history of words, of which the newest stands; and the opt-outs, by keyed hash."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, and_, delete, func, insert, or_, select, text, tuple_

from broker.actor import Actor
from broker.address import AddressKind, mask
from broker.announcement import Purpose
from broker.ports.consents import ConsentRow, OptOutRow, Said
from ledger import tables
from ledger.dialect import Column
from ledger.hand import Hand
from ledger.tables import (
    address,
    consent_entry,
    guardianship,
    person,
    person_address,
    suppression,
)


class Consents:
    """See broker.ports.consents.Consents."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def say(self, entries: Sequence[Said], *, actor: Actor) -> None:
        """Append, and let what was said last stand."""
        if not entries:
            return
        now = self._hand.now
        rows = [
            {
                "person_id": one.person,
                "channel": one.channel,
                "purpose": one.purpose.value,
                "given": one.given,
                "guardian_id": one.guardian,
                "source": one.source,
                "evidence": one.evidence,
                "said_at": one.said_at,
                "actor_kind": actor.kind.value,
                "actor_id": actor.id,
                "at": now,
            }
            for one in entries
        ]
        self._hand.connection.execute(insert(consent_entry), rows)
        self._stand({one.person for one in entries})

    def history(
        self, *, person: int | None = None, after: int = 0, limit: int
    ) -> Sequence[tuple[int, ConsentRow]]:
        """(id, entry) in the order they were kept."""
        spoke, about = tables.person.alias("spoke"), tables.person.alias("about")
        newer = consent_entry.alias("newer")
        later = or_(
            newer.c.said_at > consent_entry.c.said_at,
            and_(newer.c.said_at == consent_entry.c.said_at, newer.c.id > consent_entry.c.id),
        )
        same = and_(
            newer.c.person_id == consent_entry.c.person_id,
            newer.c.channel == consent_entry.c.channel,
            newer.c.purpose == consent_entry.c.purpose,
        )
        query = (
            select(
                consent_entry,
                about.c.source_id,
                func.coalesce(about.c.preferred_name, about.c.given_name).label("given_name"),
                about.c.family_name,
                spoke.c.source_id.label("spoke"),
                select(newer.c.id).where(same, later).exists().label("overtaken"),
            )
            .join(about, about.c.id == consent_entry.c.person_id)
            .outerjoin(spoke, spoke.c.id == consent_entry.c.guardian_id)
            .where(consent_entry.c.id > after)
            .order_by(consent_entry.c.id)
            .limit(limit)
        )
        if person is not None:
            query = query.where(consent_entry.c.person_id == person)
        return [(row.id, _entry(row)) for row in self._hand.connection.execute(query)]

    def addresses_of(self, people: Collection[int], kind: AddressKind) -> Sequence[int]:
        """The addresses that these people hold."""
        if not people:
            return ()
        query = (
            select(person_address.c.address_id)
            .join(address, address.c.id == person_address.c.address_id)
            .where(address.c.kind == kind.value)
            .where(text(self._hand.dialect.any_of("person_address.person_id", "people")))
            .distinct()
            .order_by(person_address.c.address_id)
        )
        found = self._hand.connection.execute(query, {"people": self._hand.dialect.ids(sorted(people))})
        return list(found.scalars())

    def guardians_of(self, pupils: Collection[int]) -> Mapping[int, frozenset[int]]:
        """Pupil → the guardians who may speak for it."""
        if not pupils:
            return {}
        query = (
            select(guardianship.c.pupil_id, guardianship.c.guardian_id)
            .join(person, and_(person.c.id == guardianship.c.guardian_id, person.c.active))
            .where(~guardianship.c.blocked)
            .where(text(self._hand.dialect.any_of("guardianship.pupil_id", "pupils")))
        )
        found: dict[int, set[int]] = {}
        rows = self._hand.connection.execute(query, {"pupils": self._hand.dialect.ids(sorted(pupils))})
        for pupil, guardian in rows:
            found.setdefault(pupil, set()).add(guardian)
        return {pupil: frozenset(guardians) for pupil, guardians in found.items()}

    def _stand(self, people: Collection[int]) -> None:
        """What stands follows from the history alone, whatever the order in which forms are typed in."""
        theirs = self._hand.dialect.any_of("e.person_id", "people")
        self._hand.run(
            "INSERT INTO consent (person_id, channel, purpose, given, source, at, guardian_given)"
            " SELECT n.person_id, n.channel, n.purpose, n.given, n.source, n.said_at,"
            " (SELECT g.given FROM consent_entry g WHERE g.person_id = n.person_id AND g.channel = n.channel"
            "  AND g.purpose = n.purpose AND g.guardian_id IS NOT NULL ORDER BY g.said_at DESC, g.id DESC LIMIT 1)"
            " FROM (SELECT e.*, row_number() OVER (PARTITION BY e.person_id, e.channel, e.purpose"
            "  ORDER BY e.said_at DESC, e.id DESC) AS place FROM consent_entry e"
            f"  WHERE {theirs}) n WHERE n.place = 1"
            " ON CONFLICT (person_id, channel, purpose) DO UPDATE SET given = excluded.given,"
            " source = excluded.source, at = excluded.at, guardian_given = excluded.guardian_given",
            people=self._hand.dialect.ids(sorted(people)),
        )


def _entry(row: Row[Any]) -> ConsentRow:
    return ConsentRow(
        person=row.source_id,
        name=f"{row.given_name} {row.family_name}".strip(),
        channel=row.channel,
        purpose=Purpose(row.purpose),
        given=row.given,
        said_at=row.said_at,
        source=row.source,
        evidence=row.evidence,
        guardian=row.spoke or "",
        kept_at=row.at,
        kept_by=row.actor_id,
        stands=not row.overtaken,
    )


class OptOuts:
    """See broker.ports.consents.OptOuts."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def add(self, hashes: Sequence[bytes], channel: str, *, source: str) -> Sequence[int]:
        """Keep them; the ids of the addresses that are on file."""
        if not hashes:
            return ()
        hand = self._hand
        own = hand.dialect.parameters(hand.connection)
        hand.connection.execute(
            text(
                "INSERT INTO suppression (hash, channel, source, at)"
                f" VALUES (:hash, :channel, :source, {hand.dialect.now})"
                " ON CONFLICT (hash, channel) DO NOTHING"
            ),
            [{"hash": one, "channel": channel, "source": source, **own} for one in sorted(set(hashes))],
        )
        query = select(address.c.id).where(address.c.hash.in_(list(set(hashes)))).order_by(address.c.id)
        return list(hand.connection.execute(query).scalars())

    def on_file(self, kind: AddressKind, values: Collection[str]) -> Sequence[bytes]:
        """The hashes by which these addresses are kept."""
        query = select(address.c.hash).where(address.c.kind == kind.value, address.c.value.in_(list(values)))
        return [bytes(one) for one in self._hand.connection.execute(query).scalars()]

    def lift(self, hashes: Sequence[bytes], channel: str) -> Sequence[bytes]:
        """Forget them; those that were there."""
        gone = delete(suppression).where(
            suppression.c.hash.in_(list(set(hashes))), suppression.c.channel == channel
        )
        return list(self._hand.connection.execute(gone.returning(suppression.c.hash)).scalars())

    def of(self, address_hash: bytes, channel: str) -> OptOutRow | None:
        """One, if it is there."""
        query = _rows().where(suppression.c.hash == address_hash, suppression.c.channel == channel)
        row = self._hand.connection.execute(query).one_or_none()
        return _row(row) if row else None

    def listed(
        self, *, channel: str | None = None, after: tuple[bytes, str] | None = None, limit: int
    ) -> Sequence[OptOutRow]:
        """A page of them, in the order of their hashes."""
        query = _rows().order_by(suppression.c.hash, suppression.c.channel).limit(limit)
        if channel is not None:
            query = query.where(suppression.c.channel == channel)
        if after is not None:
            query = query.where(tuple_(suppression.c.hash, suppression.c.channel) > after)
        return [_row(row) for row in self._hand.connection.execute(query)]

    def beginning(self, prefix: bytes) -> Sequence[tuple[bytes, str]]:
        """(hash, mask) of all that are on file or opted out and begin so."""
        end = _after(prefix)
        found: dict[bytes, str] = {}
        for table in (suppression, address):
            shown = [address.c.kind, address.c.value] if table is address else []
            query = select(table.c.hash, *shown).where(table.c.hash >= prefix)
            query = query if end is None else query.where(table.c.hash < end)
            for row in self._hand.connection.execute(query.distinct()):
                known = mask(AddressKind(row.kind), row.value) if table is address else ""
                found[bytes(row.hash)] = known or found.get(bytes(row.hash), "")
        return list(found.items())

    def new_to_us(self, keys: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
        """Those that were never heard before; they are from now on."""
        if not keys:
            return set()
        columns: tuple[Column, ...] = (("account_id", "bigint"), ("key", "text"))
        rows = self._hand.run_rows(
            "INSERT INTO heard (account_id, key, at)"
            f" SELECT u.account_id, u.key, {self._hand.dialect.now} FROM {self._hand.dialect.rows(columns)}"
            " WHERE true ON CONFLICT (account_id, key) DO NOTHING RETURNING account_id, key",
            columns,
            sorted(set(keys)),
        )
        return {(row.account_id, row.key) for row in rows}


def _rows() -> Any:
    return select(suppression, address.c.kind, address.c.value).outerjoin(
        address, address.c.hash == suppression.c.hash
    )


def _row(row: Row[Any]) -> OptOutRow:
    shown = mask(AddressKind(row.kind), row.value) if row.value is not None else ""
    return OptOutRow(bytes(row.hash), row.channel, row.source, row.at, shown)


def _after(prefix: bytes) -> bytes | None:
    """The first that is behind everything that begins so; None where nothing is."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else None
