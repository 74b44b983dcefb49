"""A staged roster against the ledger by name: who comes, goes and changes, whose addresses do, whom nothing reaches.

Bounded: a page shows the first thousand of each and how many there are. Addresses are masked as they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, false, func, not_, or_, select, true

from broker.address import AddressKind, mask
from broker.rosters.difference import ImportNames, NamedPerson, Some
from broker.rosters.roster import EVERYBODY, Role
from ledger.hand import Hand
from ledger.rosters import parts
from ledger.rosters.links import Links
from ledger.rosters.staging import staged_address, staged_guardianship, staged_holding, staged_person
from ledger.tables import address, guardianship, person, person_address

MOST = 1_000  # names of each kind: more is nothing that somebody reads, and their number stands beside
# What a changed field is called beside a name; those that a school cannot see are left out.
CALLED = {
    "given_name": "given name",
    "family_name": "family name",
    "preferred_name": "name that is used",
    "year": "year",
    "form": "form",
    "born": "day of birth",
    "language": "language",
    "is_pupil": "pupil",
    "is_guardian": "guardian",
    "is_staff": "staff",
}
SAID = ("form", "year", "language")  # whose old and new value are told, too
_COLUMNS = (
    "given_name",
    "family_name",
    "preferred_name",
    "form",
    "year",
    "is_pupil",
    "is_guardian",
    "is_staff",
)


class Names:
    """Whom one import would change."""

    def __init__(
        self,
        hand: Hand,
        speaks_for: frozenset[Role],
        links: Links,
        *,
        leaving: ColumnElement[bool],
        differs: ColumnElement[bool],
    ) -> None:
        self._hand = hand
        self._speaks_for = speaks_for
        self._links = links
        self._leaving = leaving
        self._differs = differs

    def all(self) -> ImportNames:
        """Everybody, by what becomes of them."""
        known = staged_person.c.person_id == person.c.id
        return ImportNames(
            new=self._some(_people(staged_person).where(staged_person.c.person_id.is_(None)), staged_person),
            changed=self._changed(known),
            leaving=self._some(_people(person).where(self._leaving), person),
            returning=self._some(_people(person).where(known, not_(person.c.active)), person),
            addresses=self._addresses(),
            silenced=self._some(_people(person).where(known, person.c.active, *self._silenced()), person),
            unreached=self._unreached(known),
        )

    def _some(
        self,
        query: Select[Any],
        of: Any,
        told: Callable[[Row[Any]], NamedPerson] | None = None,
    ) -> Some:
        count = select(func.count()).select_from(query.subquery("counted"))
        ordered = query.order_by(of.c.family_name, of.c.given_name, of.c.source_id).limit(MOST)
        run = self._hand.connection.execute
        number = run(count).scalar_one()
        rows = run(ordered).all() if number else ()
        return Some(number, tuple((told or _named)(row) for row in rows))

    def _changed(self, known: ColumnElement[bool]) -> Some:
        now = [staged_person.c[name].label(f"now_{name}") for name in CALLED]
        was = [person.c[name].label(f"was_{name}") for name in CALLED]
        query = _people(staged_person, *now, *was).where(known, person.c.active, self._differs)
        return self._some(query, staged_person, lambda row: _named(row, _changes(row)))

    def _addresses(self) -> Some:
        """Of those who stay: which numbers and emails go, and which come."""
        link = self._links.holding
        gone = (
            select(person_address.c.person_id, address.c.kind, address.c.value, false().label("comes"))
            .join(address, address.c.id == person_address.c.address_id)
            .join(person, person.c.id == person_address.c.person_id)
            .where(link.is_gone, person.c.active)
        )
        held = exists().where(
            person_address.c.person_id == staged_person.c.person_id,
            person_address.c.address_id == staged_address.c.address_id,
        )
        comes = (
            select(staged_person.c.person_id, staged_address.c.kind, staged_address.c.value, true())
            .select_from(staged_holding)
            .join(staged_person, staged_person.c.n == staged_holding.c.person_n)
            .join(staged_address, staged_address.c.n == staged_holding.c.address_n)
            .join(person, and_(person.c.id == staged_person.c.person_id, person.c.active))
            .where(not_(held))
        )
        moved = gone.union_all(comes).subquery("moved")
        run = self._hand.connection.execute
        count = run(select(func.count(func.distinct(moved.c.person_id)))).scalar_one()
        if not count:
            return Some()
        first = (
            select(*(person.c[name] for name in _COLUMNS), person.c.id, person.c.source_id)
            .where(person.c.id.in_(select(moved.c.person_id)))
            .order_by(person.c.family_name, person.c.given_name, person.c.source_id)
            .limit(MOST)
        )
        people: list[Row[Any]] = list(run(first))
        theirs: dict[int, list[Row[Any]]] = {row.id: [] for row in people}
        for row in run(select(moved).order_by(moved.c.comes, moved.c.kind, moved.c.value)):
            if row.person_id in theirs:
                theirs[row.person_id].append(row)
        return Some(count, tuple(_named(row, _moves(theirs[row.id])) for row in people))

    def _silenced(self) -> Sequence[ColumnElement[bool]]:
        """Of somebody who stays: had a number or an email, and would have none."""
        had = exists().where(person_address.c.person_id == person.c.id)
        told = exists().where(staged_holding.c.person_n == staged_person.c.n)
        return had, not_(told), self._all_theirs()

    def _all_theirs(self) -> ColumnElement[bool]:
        """Of a person: this roster speaks for all their addresses."""
        if self._speaks_for == EVERYBODY:
            return true()
        others = EVERYBODY - self._speaks_for
        return not_(or_(false(), *(person.c[parts.IS[role]] for role in sorted(others))))

    def _unreached(self, known: ColumnElement[bool]) -> Some:
        """Pupils who stay: some guardian had a number or an email, and none would."""
        if not {Role.PUPIL, Role.GUARDIAN} <= self._speaks_for:
            return Some()
        guardian = person.alias("guardian")
        had = exists().where(
            guardianship.c.pupil_id == person.c.id,
            not_(guardianship.c.blocked),
            guardian.c.id == guardianship.c.guardian_id,
            guardian.c.active,
            person_address.c.person_id == guardian.c.id,
        )
        comes, held = staged_person.alias("comes"), guardianship.alias("held")
        kept_blocked = exists().where(
            held.c.pupil_id == staged_person.c.person_id,
            held.c.guardian_id == comes.c.person_id,
            held.c.blocked,
            or_(held.c.by_hand, staged_guardianship.c.blocked.is_(None)),
        )
        would = exists().where(
            staged_guardianship.c.pupil_n == staged_person.c.n,
            not_(func.coalesce(staged_guardianship.c.blocked, false())),
            comes.c.n == staged_guardianship.c.guardian_n,
            staged_holding.c.person_n == comes.c.n,
            not_(kept_blocked),
        )
        return self._some(
            _people(person).where(known, person.c.active, staged_person.c.is_pupil, had, not_(would)), person
        )


def _people(of: Any, *more: Any) -> Select[Any]:
    return select(*(of.c[name] for name in _COLUMNS), of.c.source_id, *more)


def _named(row: Row[Any], changes: Sequence[str] = ()) -> NamedPerson:
    name = f"{row.preferred_name or row.given_name} {row.family_name}".strip() or "without a name"
    roles = [
        f"pupil, {row.form or f'Year {row.year}'}" if row.is_pupil and (row.form or row.year) else "",
        "pupil" if row.is_pupil and not (row.form or row.year) else "",
        "staff" if row.is_staff else "",
        "guardian" if row.is_guardian else "",
    ]
    return NamedPerson(name, "; ".join(filter(None, roles)), tuple(changes))


def _changes(row: Row[Any]) -> Sequence[str]:
    told = []
    values = row._mapping
    for field, called in CALLED.items():
        was, now = values[f"was_{field}"], values[f"now_{field}"]
        if was == now:
            continue
        if field.startswith("is_"):
            told.append(f"{called} now" if now else f"{called} no more")
        elif field in SAID:
            told.append(f"{called} {was or 'none'} → {now or 'none'}")
        else:
            told.append(called)
    return told or ["what is known of an unusable number or email"]


def _moves(rows: Sequence[Row[Any]]) -> Sequence[str]:
    return [
        f"{'comes' if row.comes else 'goes'}: {mask(AddressKind(row.kind), row.value)}"
        for row in sorted(rows, key=lambda row: (row.kind, bool(row.comes)))
    ]
