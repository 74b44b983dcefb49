"""Guardians as a report's rows tell of them, again and again, and how they become people."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from broker.audience import fold
from broker.rosters.roster import Role, RosterPerson
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

    @property
    def marks(self) -> Sequence[tuple[str, str]]:
        """By any of which another row is known to be about the same person."""
        theirs = (f"pupil {self.pupil}", self.mobile, self.email)
        return [(self.name, mark) for mark in theirs if mark]


class Contacts:
    """Every row about a guardian so far."""

    def __init__(self, values: Values, gathering: Gathering) -> None:
        self._values = values
        self._gathering = gathering
        self._told: list[tuple[Contact, Row]] = []
        self._cells: set[tuple[str, tuple[str, ...]]] = set()

    def knows(self, pupil: str, cells: tuple[str, ...]) -> bool:
        """Whether this pupil's row says of a guardian what another of the pupil's rows has said already."""
        key = (pupil, cells)
        known = key in self._cells
        self._cells.add(key)
        return known

    def add(self, contact: Contact, row: Row) -> None:
        """Another row about a guardian."""
        self._told.append((contact, row))

    def settle(self) -> frozenset[str]:
        """Make people of them, joined to their pupils in the order told; returns the ids that had to be made up."""
        by_id: dict[str, list[int]] = {}
        for place, (contact, _) in enumerate(self._told):
            if contact.source_id:
                by_id.setdefault(contact.source_id, []).append(place)
        derived = {
            min(_made_up(self._told[place][0]) for place in family): family for family in self._families()
        }
        whose = {
            place: person
            for source_id, places in (by_id | derived).items()
            for person in [self._person(source_id, places)]
            for place in places
        }
        for place, (contact, _) in enumerate(self._told):
            self._join(whose[place], contact)
        return frozenset(derived)

    def _person(self, source_id: str, places: Sequence[int]) -> RosterPerson:
        rows = [self._told[place] for place in places]
        contacts = [contact for contact, _ in rows]
        named = next((one for one in contacts if one.name), contacts[0])
        for contact, row in rows:
            if contact.name and contact.name != named.name:
                message = "Another row has another name under this guardian's id; the first one counts."
                self._values.note(row, "", "contradiction", message)
        mobiles = tuple(dict.fromkeys(one.mobile for one in contacts if one.mobile))
        emails = tuple(dict.fromkeys(one.email for one in contacts if one.email))
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
        self._gathering.add(person, rows[0][1])
        return person

    def _join(self, person: RosterPerson, contact: Contact) -> None:
        self._gathering.guardian(
            person,
            self._gathering.people[contact.pupil],
            blocked=contact.blocked,
            rank=contact.rank,
            parental_responsibility=contact.parental_responsibility,
            lives_with=contact.lives_with,
        )

    def _families(self) -> Iterable[Sequence[int]]:
        """Those without an id who are one person: of one name, and with a pupil, the number or the email in common."""
        leader: dict[int, int] = {}
        home: dict[tuple[str, str], int] = {}  # of a name with something of theirs: where it was told first
        for place, (contact, _) in enumerate(self._told):
            if not contact.source_id:
                leader[place] = place
                for mark in contact.marks:
                    leader[_led(leader, place)] = _led(leader, home.setdefault(mark, place))
        families: dict[int, list[int]] = {}
        for place in leader:
            families.setdefault(_led(leader, place), []).append(place)
        return families.values()


def _led(leader: dict[int, int], place: int) -> int:
    """Who leads the family that this one belongs to; the way there is shortened for the next who asks."""
    while leader[place] != place:
        leader[place] = leader[leader[place]]
        place = leader[place]
    return place


def _made_up(contact: Contact) -> str:
    """An id without a name in it: it outlives the erasure of the person."""
    told = f"{contact.pupil}\0{contact.name}".encode()
    return DERIVED + hashlib.sha256(told).hexdigest()[:24]
