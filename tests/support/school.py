"""A small school to import, said in few words: who, with which number, looking after whom."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from broker.rosters.roster import (
    GroupKind,
    Role,
    Roster,
    RosterGroup,
    RosterGuardianship,
    RosterMembership,
    RosterPerson,
)


@dataclass
class SmallSchool:
    """People by id, groups by name. Change it and take `roster()` again for the next import."""

    people: dict[str, RosterPerson] = field(default_factory=dict)
    groups: dict[str, RosterGroup] = field(default_factory=dict)
    memberships: list[RosterMembership] = field(default_factory=list)
    guardianships: list[RosterGuardianship] = field(default_factory=list)

    def person(
        self,
        name: str,
        *roles: Role,
        mobiles: tuple[str, ...] = (),
        emails: tuple[str, ...] = (),
        groups: tuple[str, ...] = (),
    ) -> str:
        """Somebody, whose id is the name in lower case."""
        source_id = name.lower()
        held = frozenset(roles)
        self.people[source_id] = RosterPerson(source_id, held, name, "Bell", mobiles=mobiles, emails=emails)
        for group in groups:
            self.join(source_id, group, Role.STAFF if Role.STAFF in held else Role.PUPIL)
        return source_id

    def pupil(self, name: str, *groups: str, **more: tuple[str, ...]) -> str:
        return self.person(name, Role.PUPIL, groups=groups, **more)

    def guardian(
        self, name: str, *of: str, mobiles: tuple[str, ...] = (), emails: tuple[str, ...] = ()
    ) -> str:
        source_id = self.person(name, Role.GUARDIAN, mobiles=mobiles, emails=emails)
        for pupil in of:
            self.guardianships.append(RosterGuardianship(source_id, pupil, 1))
        return source_id

    def staff(self, name: str, *groups: str, **more: tuple[str, ...]) -> str:
        return self.person(name, Role.STAFF, groups=groups, **more)

    def join(
        self, person: str, group: str, role: Role, begins_on: date | None = None, ends_on: date | None = None
    ) -> None:
        if group not in self.groups:
            self.groups[group] = RosterGroup(f"g:{group}", group, GroupKind.CLASS)
        self.memberships.append(RosterMembership(f"g:{group}", person, role, begins_on, ends_on))

    def block(self, guardian: str, pupil: str) -> None:
        """A court order."""
        self.guardianships = [
            replace(held, blocked=True) if (held.guardian, held.pupil) == (guardian, pupil) else held
            for held in self.guardianships
        ]

    def leave(self, *people: str) -> None:
        """They are not in the next roster."""
        for one in people:
            del self.people[one]
        self.memberships = [held for held in self.memberships if held.person in self.people]
        self.guardianships = [
            held for held in self.guardianships if held.guardian in self.people and held.pupil in self.people
        ]

    def roster(self) -> Roster:
        return Roster(
            "a test's",
            tuple(self.people.values()),
            tuple(self.groups.values()),
            tuple(self.memberships),
            tuple(self.guardianships),
        )


def family() -> SmallSchool:
    """Four children, two parents with a number each, who share one mail address; and a pupil next door."""
    school = SmallSchool()
    children = [
        school.pupil("Ann", "Choir", "7B"),
        school.pupil("Ben", "Choir"),
        school.pupil("Cat", "Choir", "8A"),
        school.pupil("Dan", "Choir"),
    ]
    school.guardian("Mum", *children, mobiles=("+447911100001",), emails=("bells@example.org",))
    school.guardian("Dad", *children, mobiles=("+447911100002",), emails=("Bells@example.org",))
    school.pupil("Eve", "7B")
    school.guardian("Fay", "eve", mobiles=("+447911100003",))
    school.staff("Teacher", "Choir", mobiles=("+447911100004",))
    return school
