"""What a reader gathers on its way through the files, and how it becomes one roster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from broker.audience import fold
from broker.rosters.roster import (
    EVERYBODY,
    GroupKind,
    Role,
    Roster,
    RosterGroup,
    RosterGuardianship,
    RosterMembership,
    RosterPerson,
    RosterProblem,
    RosterTerm,
)
from sources.rosters.errors import refuse
from sources.rosters.limits import LIMITS, Limits
from sources.rosters.table import Row
from sources.rosters.values import Values, year_name

UNRANKED = 100  # behind everybody to whom the file gives a number
_DERIVED = (GroupKind.YEAR, GroupKind.FORM)


class Gathering:
    """People, groups and links so far.

    Ids are interned here: 400,000 enrolments name 50,000 people, and every link holds the person's own
    string.
    """

    def __init__(self, source: str, values: Values, limits: Limits = LIMITS) -> None:
        self.people: dict[str, RosterPerson] = {}
        self._most = limits.people
        self._source = source
        self._values = values
        self._groups: dict[str, RosterGroup] = {}
        self._apart: dict[str, str] = {}
        self._memberships: dict[RosterMembership, None] = {}
        self._guardianships: dict[tuple[str, str], RosterGuardianship] = {}
        self._guardians: dict[str, tuple[str, int]] = {}  # where each stands: file and row

    def add(self, person: RosterPerson, row: Row) -> None:
        """Add a person, whose id the caller has found to be new."""
        if len(self.people) >= self._most:
            refuse(
                "too_many_people",
                f"{row.file}:{row.number}",
                f"There are more than {self._most:,} people in this roster: it is no school's.",
                "Check that it is the right file.",
            )
        self.people[person.source_id] = person
        if Role.GUARDIAN in person.roles:
            self._guardians[person.source_id] = (row.file, row.number)

    def group(
        self, source_id: str, name: str, kind: GroupKind, *, department: str | None = None, apart: str = ""
    ) -> str:
        """Add a group unless it is there; `apart` tells it from others of its name. Returns its id."""
        group = self._groups.get(source_id)
        if group is None:
            group = self._groups[source_id] = RosterGroup(source_id, name, kind, department)
            self._apart[source_id] = apart
        return group.source_id

    def has_group(self, source_id: str) -> bool:
        """Whether this group was added."""
        return source_id in self._groups

    def form_name(self, source_id: str) -> str | None:
        """What a form is called, or None for another kind of group."""
        group = self._groups[source_id]
        return group.name if group.kind is GroupKind.FORM else None

    def year(self, person: RosterPerson, year: str, role: Role) -> None:
        """Put a person in the group of a year."""
        self.member(self.group(f"year:{year.casefold()}", year_name(year), GroupKind.YEAR), person, role)

    def form(self, person: RosterPerson, form: str, role: Role) -> None:
        """Put a person in the group of a form."""
        self.member(self.group(f"form:{form.casefold()}", form, GroupKind.FORM), person, role)

    def member(
        self,
        group: str,
        person: RosterPerson,
        role: Role,
        begins_on: date | None = None,
        ends_on: date | None = None,
    ) -> None:
        """Put a person in a group; the same again changes nothing."""
        held = self._groups[group].source_id
        self._memberships[RosterMembership(held, person.source_id, role, begins_on, ends_on)] = None

    def guardian(
        self,
        guardian: RosterPerson,
        pupil: RosterPerson,
        *,
        blocked: bool | None,
        rank: int = UNRANKED,
        parental_responsibility: bool | None = None,
        lives_with: bool | None = None,
    ) -> None:
        """Join a guardian to a pupil; they are asked by rank, and then in the order of the calls. A block stays."""
        pair = (guardian.source_id, pupil.source_id)
        held = self._guardianships.get(pair) or RosterGuardianship(*pair, rank)
        self._guardianships[pair] = RosterGuardianship(
            *pair,
            min(held.priority, rank),
            _either(parental_responsibility, held.parental_responsibility),
            _either(lives_with, held.lives_with),
            _either(blocked, held.blocked),
        )

    def roster(
        self,
        terms: tuple[RosterTerm, ...] | None = None,
        derived: frozenset[str] = frozenset(),
        speaks_for: frozenset[Role] = EVERYBODY,
    ) -> Roster:
        """The whole. Refuses one without people: swapped in, it would empty the school."""
        if not self.people:
            refuse(
                "nobody",
                self._source,
                "There is nobody in this roster.",
                "Check that it is the whole export.",
            )
        self._note_lone_guardians()
        return Roster(
            source=self._source,
            people=tuple(self.people.values()),
            groups=tuple(_told_apart(self._groups.values(), self._apart)),
            memberships=tuple(self._memberships),
            guardianships=tuple(self._in_order()),
            terms=terms,
            problems=tuple(self._values.problems),
            derived=derived,
            speaks_for=speaks_for,
        )

    def _note_lone_guardians(self) -> None:
        looking_after = {guardian for guardian, _ in self._guardianships}
        for guardian, (file, row) in self._guardians.items():
            if guardian not in looking_after:
                message = "No pupil is joined to this guardian, who will hear nothing."
                self._values.problems.append(RosterProblem(file, row, "", "guardian_of_nobody", message))

    def _in_order(self) -> Iterable[RosterGuardianship]:
        """Numbered 1, 2, 3 for each pupil, whatever the ranks were."""
        asked: Counter[str] = Counter()
        for held in sorted(self._guardianships.values(), key=lambda one: one.priority):
            asked[held.pupil] += 1
            yield replace(held, priority=asked[held.pupil])


def _either(one: bool | None, other: bool | None) -> bool | None:
    """Yes where either says so, else no where either does, else nothing."""
    return True if True in (one, other) else (False if False in (one, other) else None)


def _told_apart(groups: Iterable[RosterGroup], apart: dict[str, str]) -> Iterable[RosterGroup]:
    """Groups under names of their own: "Maths" three times over would text the wrong class.

    A year or a form keeps its plain name; of the others that share one, each gets its code, or else its id.
    """
    groups = sorted(groups, key=lambda group: group.kind not in _DERIVED)
    sharing = Counter(fold(group.name) for group in groups)
    taken: set[str] = set()
    for group in groups:
        name = group.name
        if sharing[fold(name)] > 1 and (group.kind not in _DERIVED or fold(name) in taken):
            name = f"{name} ({apart[group.source_id] or group.source_id})"
        while fold(name) in taken:
            name = f"{name} ({group.source_id})"
        taken.add(fold(name))
        yield (
            group if name == group.name else RosterGroup(group.source_id, name, group.kind, group.department)
        )
