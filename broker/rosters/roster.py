"""A roster is the school as a file told it: who there is, in which groups, and who looks after whom.

Sources produce one, the ledger swaps it in whole. It is checked already: every address is in its one
spelling, every link joins two people or a person and a group that stand in the roster, and what had to be
dropped on the way is told in `problems`. Ids are the source's own, which are what the next import of the same
school is matched by.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from broker.errors import Problem, RuleBroken


class Role(StrEnum):
    """What somebody is to the school; one person may be several (a teacher whose child is a pupil)."""

    PUPIL = "pupil"
    GUARDIAN = "guardian"
    STAFF = "staff"


EVERYBODY = frozenset(Role)
_LAST = "\U0010ffff"


class GroupKind(StrEnum):
    """Where a group comes from."""

    CLASS = "class"  # taught together
    YEAR = "year"  # "Year 7"
    FORM = "form"  # registered together: "7B"
    CLUB = "club"  # named by the file: a choir, a team, a trip
    KEPT = "kept"  # kept by hand in the ledger; no source produces it


class TermKind(StrEnum):
    """How long a stretch of the school's calendar is; a longer one holds shorter ones."""

    SCHOOL_YEAR = "school_year"
    SEMESTER = "semester"
    TERM = "term"
    GRADING_PERIOD = "grading_period"


@dataclass(frozen=True, slots=True)
class RosterPerson:
    """One person. `roles` is empty when the file's could not be read: kept, and reached by nobody."""

    source_id: str
    roles: frozenset[Role]
    given_name: str = field(repr=False)
    family_name: str = field(repr=False)
    preferred_name: str | None = field(default=None, repr=False)  # the given name that is used
    mobiles: tuple[str, ...] = field(default=(), repr=False)  # E.164
    emails: tuple[str, ...] = field(default=(), repr=False)  # as `broker.address.parse_email` spells them
    year: str | None = None  # pupils only: "7", "R" for Reception
    form: str | None = None  # pupils only: "7B"
    born: date | None = field(default=None, repr=False)
    language: str = ""  # BCP 47, or empty for the school's own
    mobile_refused: bool = False  # the file had something there that no text can go to
    email_refused: bool = False


@dataclass(frozen=True, slots=True)
class RosterGroup:
    """One group; `name` is what an audience expression calls it, and no two groups of a roster share one."""

    source_id: str
    name: str
    kind: GroupKind
    department: str | None = None


@dataclass(frozen=True, slots=True)
class RosterMembership:
    """A person in a group, as what they are there; both days are included, None is open."""

    group: str
    person: str
    role: Role
    begins_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class RosterGuardianship:
    """A guardian of a pupil. `blocked`: this guardian must not hear about this pupil (a court order).

    None is a file that cannot say: a block in the ledger then stays. Only an explicit False lifts one.
    """

    guardian: str
    pupil: str
    priority: int  # 1 is asked first
    parental_responsibility: bool | None = None  # None: the file does not say
    lives_with: bool | None = None
    blocked: bool | None = None


@dataclass(frozen=True, slots=True)
class RosterTerm:
    """A stretch of the school's calendar, both days included; `parent` is the longer one that it is part of."""

    source_id: str
    name: str
    kind: TermKind
    begins_on: date
    ends_on: date
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class RosterProblem:
    """A value or a link that was dropped, and where it stands; the message never repeats the value."""

    file: str
    row: int  # as a spreadsheet counts them: the headers are row 1; 0 is the file itself
    column: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody of the roles it speaks for, at once: who of them is not in it is no longer there.

    A report of the staff says nothing of the pupils, who then stay as they are.

    `derived` are ids of guardians that the reader made up, for a file that has none of its own: who they are is
    found again in the ledger by their name and their pupils.
    """

    source: str  # "oneroster 1.1", "people.csv"
    people: tuple[RosterPerson, ...]
    groups: tuple[RosterGroup, ...] = ()
    memberships: tuple[RosterMembership, ...] = ()
    guardianships: tuple[RosterGuardianship, ...] = ()
    terms: tuple[RosterTerm, ...] | None = None  # None: the file does not speak of them, and they stay
    problems: tuple[RosterProblem, ...] = ()
    derived: frozenset[str] = frozenset()
    speaks_for: frozenset[Role] = EVERYBODY


def in_words(roles: Collection[Role]) -> str:
    """Several roles, as a sentence names those who hold them."""
    named = {Role.PUPIL: "pupils", Role.GUARDIAN: "guardians", Role.STAFF: "staff"}
    return " and ".join(word for role, word in named.items() if role in roles)


def as_listed(name: str) -> tuple[tuple[int, str], ...]:
    """What forms and groups are sorted by, as a school lists them: 7B before 10A, then words, and nothing last."""
    pieces = re.findall(r"\d+|\D+", name.casefold()) or [_LAST]
    return tuple((int(piece), "") if piece.isdecimal() else (sys.maxsize, piece) for piece in pieces)


def speaking_for(roster: Roster, roles: Collection[Role]) -> Roster:
    """The roster as one of these roles alone, for a file that cannot say so itself.

    Raises RuleBroken where it holds somebody who is none of them, or guardians without the pupils they belong to.
    """
    wanted = frozenset(roles)
    if Role.GUARDIAN in wanted and Role.PUPIL not in wanted:
        hint = "say --only pupil as well"
        raise RuleBroken(Problem("guardians_alone", "only", "guardians come with their pupils", hint))
    others = {role for one in roster.people if not one.roles & wanted for role in one.roles}
    if others:
        found = in_words(others)
        hint = "leave --only out, or say the other roles as well"
        raise RuleBroken(Problem("others_in_it", "only", f"this roster holds {found} as well", hint))
    people = tuple(replace(one, roles=one.roles & wanted) for one in roster.people)
    return replace(roster, people=people, speaks_for=roster.speaks_for & wanted)
