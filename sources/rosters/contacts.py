"""Guardians as a report's rows tell of them, again and again, and how they become people."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from broker.audience import fold
from broker.roster import Role, RosterPerson
from sources.rosters.gathering import Gathering
from sources.rosters.table import Row
from sources.rosters.values import Values

DERIVED = "guardian~"


@dataclass(frozen=True, slots=True)
class Contact:
    """One guardian of one pupil, as one row has them; `source_id` is empty where the report has no ids."""

    source_id: str
    pupil: str
    given_name: str = field(repr=False)
    family_name: str = field(repr=False)
    mobile: str | None = field(repr=False)
    email: str | None = field(repr=False)
    mobile_refused: bool
    email_refused: bool
    language: str
    rank: int
    parental_responsibility: bool | None
    lives_with: bool | None
    blocked: bool | None

    @property
    def name(self) -> str:
        """What tells them from others where no id does."""
        return fold(f"{self.given_name} {self.family_name}")


class Contacts:
    """Every guardian so far, and the rows that told of each."""

    def __init__(self, values: Values, gathering: Gathering) -> None:
        self._values = values
        self._gathering = gathering
        self._told: dict[str, list[tuple[Contact, Row]]] = {}  # by id
        self._unnumbered: list[tuple[Contact, Row]] = []
        self._cells: set[tuple[str, tuple[str, ...]]] = set()

    def knows(self, pupil: str, cells: tuple[str, ...]) -> bool:
        """Whether this pupil's row says of a guardian what another of the pupil's rows has said already."""
        key = (pupil, cells)
        known = key in self._cells
        self._cells.add(key)
        return known

    def add(self, contact: Contact, row: Row) -> None:
        """Another row about a guardian."""
        if contact.source_id:
            self._told.setdefault(contact.source_id, []).append((contact, row))
        else:
            self._unnumbered.append((contact, row))

    def settle(self) -> frozenset[str]:
        """Make people of them, joined to their pupils; returns the ids that had to be made up."""
        derived = {}
        for family in _families(self._unnumbered):
            derived[min(_made_up(contact) for contact, _ in family)] = family
        for source_id, rows in (self._told | derived).items():
            self._become(source_id, rows)
        return frozenset(derived)

    def _become(self, source_id: str, rows: list[tuple[Contact, Row]]) -> None:
        first, row = rows[0]
        contacts = [contact for contact, _ in rows]
        for contact, other in rows[1:]:
            if contact.name and first.name and contact.name != first.name:
                message = "Another row has another name under this guardian's id; the first one counts."
                self._values.note(other, "", "contradiction", message)
        mobiles = tuple(dict.fromkeys(one.mobile for one in contacts if one.mobile))
        emails = tuple(dict.fromkeys(one.email for one in contacts if one.email))
        named = next((one for one in contacts if one.name), first)
        person = RosterPerson(
            source_id,
            frozenset({Role.GUARDIAN}),
            named.given_name,
            named.family_name,
            mobiles=mobiles,
            emails=emails,
            language=next((one.language for one in contacts if one.language), ""),
            mobile_refused=not mobiles and any(one.mobile_refused for one in contacts),
            email_refused=not emails and any(one.email_refused for one in contacts),
        )
        self._gathering.add(person, row)
        for contact in contacts:
            self._gathering.guardian(
                person,
                self._gathering.people[contact.pupil],
                blocked=contact.blocked,
                rank=contact.rank,
                parental_responsibility=contact.parental_responsibility,
                lives_with=contact.lives_with,
            )


def _families(told: Iterable[tuple[Contact, Row]]) -> Iterable[list[tuple[Contact, Row]]]:
    """Those who are one person: of one name, and with the pupil, the number or the email in common."""
    families: dict[int, list[tuple[Contact, Row]]] = {}
    home: dict[tuple[str, str], int] = {}  # of a name with something of theirs: which family
    for n, (contact, row) in enumerate(told):
        theirs = [
            (contact.name, mark) for mark in (f"pupil {contact.pupil}", contact.mobile, contact.email) if mark
        ]
        met = dict.fromkeys(home[mark] for mark in theirs if mark in home)
        families[n] = [one for old in met for one in families.pop(old)] + [(contact, row)]
        for one, _ in families[n]:
            for mark in (f"pupil {one.pupil}", one.mobile, one.email):
                if mark:
                    home[one.name, mark] = n
    return families.values()


def _made_up(contact: Contact) -> str:
    """An id without a name in it: it outlives the erasure of the person."""
    told = f"{contact.pupil}\0{contact.name}".encode()
    return DERIVED + hashlib.sha256(told).hexdigest()[:24]
