"""Who there is: groups by name, and the opt-outs that outlive a re-import."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, bindparam, select, update

from broker.address import AddressKind, fold_email
from broker.audience import Audience, fold, names
from broker.disclosure.names import NameIndex
from broker.ports import Signer
from broker.rosters.roster import GroupKind
from broker.values import GroupRow
from ledger import tables
from ledger.consent.consents import OptOuts
from ledger.erased import is_erased
from ledger.hand import Hand
from ledger.rosters.names import name_index
from ledger.tables import people_group

# Made once: every announcement asks it.
_HOLDERS = (
    select(tables.person.c.is_staff)
    .join(tables.person_address, tables.person_address.c.person_id == tables.person.c.id)
    .join(tables.address, tables.address.c.id == tables.person_address.c.address_id)
    .where(tables.address.c.hash == bindparam("keyed"), tables.address.c.kind == bindparam("of_kind"))
    .where(tables.person.c.active)
    .limit(2)
)


class People:
    """`broker.ports.People` over one transaction."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def unknown_groups(self, audience: Audience) -> Mapping[str, str]:
        """Group names in the expression that no active group has, each with the nearest known name or ""."""
        asked = {fold(name): name for name in names(audience)}
        query = select(people_group.c.folded_name, people_group.c.name).where(people_group.c.active)
        found = self._hand.connection.execute(query.where(people_group.c.folded_name.in_(list(asked))))
        missing = asked.keys() - {row.folded_name for row in found}
        if not missing:
            return {}
        known = {row.folded_name: row.name for row in self._hand.connection.execute(query)}
        return {asked[name]: _nearest(name, known) for name in sorted(missing)}

    def group(self, folded_name: str) -> GroupRow | None:
        """One active group by its folded name."""
        row = self._hand.connection.execute(
            _groups().where(people_group.c.folded_name == folded_name)
        ).one_or_none()
        return _group(row) if row else None

    def public_groups(self) -> Sequence[GroupRow]:
        """The active groups that have a feed, the oldest first."""
        rows = self._hand.connection.execute(
            _groups().where(people_group.c.public).order_by(people_group.c.id)
        )
        return [_group(row) for row in rows]

    def set_public(self, group: int, *, public: bool) -> None:
        """Give a group a feed, or take it away."""
        self._hand.connection.execute(
            update(people_group).where(people_group.c.id == group).values(public=public)
        )

    def suppress(self, address_hash: bytes, channel: str, *, source: str) -> Sequence[int]:
        """Keep an opt-out; returns the ids of addresses it concerns. Safe to repeat."""
        return OptOuts(self._hand).add([address_hash], channel, source=source)

    def address_hash(self, address: int) -> bytes | None:
        """The keyed hash of an address."""
        query = select(tables.address.c.hash).where(tables.address.c.id == address)
        found: bytes | None = self._hand.connection.execute(query).scalar_one_or_none()
        return found

    def address_kind(self, address: int) -> AddressKind | None:
        """What an address is."""
        query = select(tables.address.c.kind).where(tables.address.c.id == address)
        found = self._hand.connection.execute(query).scalar_one_or_none()
        return None if found is None else AddressKind(found)

    def names(self) -> NameIndex:
        """The names of everybody at the school, as they may stand in a text."""
        return name_index(self._hand)

    def holder_of(self, kind: AddressKind, value: str) -> str:
        """Which member of staff alone holds an address; one that several hold is the school's."""
        keyed = keyed_hash(self._hand.signer, kind, value)
        values = {"keyed": keyed, "of_kind": kind.value}
        found = self._hand.connection.execute(_HOLDERS, values).scalars().all()
        return "member of staff" if len(found) == 1 and found[0] else ""

    def copies_reached(self, announcement: int, kinds: Collection[AddressKind]) -> Sequence[tuple[str, str]]:
        """Given and family name of those who read an announcement too and have an address of one of these kinds."""
        copy, holds, p = tables.announcement_copy, tables.person_address, tables.person.c
        reached = (
            select(p.id, p.given_name, p.family_name)
            .distinct()
            .select_from(copy)
            .join(holds, holds.c.person_id == copy.c.person_id)
            .join(tables.address, tables.address.c.id == holds.c.address_id)
            .join(tables.person, tables.person.c.id == copy.c.person_id)
            .where(copy.c.announcement_id == announcement, tables.person.c.active, tables.person.c.is_staff)
            .where(tables.address.c.kind.in_([kind.value for kind in kinds]))
        )
        return [(row.given_name, row.family_name) for row in self._hand.connection.execute(reached)]

    def staff_unknown(self, ids: Collection[str]) -> Sequence[str]:
        """Which of these are the roster's ids of nobody on the staff."""
        person = tables.person
        known = select(person.c.source_id).where(
            person.c.source_id.in_(list(ids)), person.c.active, person.c.is_staff
        )
        return sorted(set(ids) - set(self._hand.connection.execute(known).scalars()))

    def confirm_address(self, address: int) -> bool:
        """Somebody says now that it is right; False when there is no such address."""
        query = update(tables.address).where(tables.address.c.id == address)
        return bool(self._hand.connection.execute(query.values(confirmed_at=self._hand.now)).rowcount)


def keyed_hash(signer: Signer, kind: AddressKind, value: str) -> bytes:
    """The hash that an address is found by: mails are compared without case, as nobody's differ by it."""
    return signer.hash_address(kind, fold_email(value) if kind is AddressKind.EMAIL else value)


def of_another_key(hand: Hand) -> int:
    """How many addresses are kept by another hash than the school's key makes now."""
    a = tables.address.c
    rows = hand.connection.execute(select(a.kind, a.value, a.hash).where(~is_erased(a.value)))
    return sum(bytes(row.hash) != keyed_hash(hand.signer, AddressKind(row.kind), row.value) for row in rows)


def _groups() -> Select[Any]:
    group, department = people_group.c, tables.department
    return (
        select(group.id, group.name, group.public, group.kind, department.c.slug)
        .outerjoin(department, department.c.id == group.department_id)
        .where(group.active)
    )


def _group(row: Row[Any]) -> GroupRow:
    kept = row.kind == GroupKind.KEPT.value
    return GroupRow(row.id, row.name, row.public, kept=kept, department=row.slug)


def _nearest(name: str, known: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return known[close[0]] if close else ""
