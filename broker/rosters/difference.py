"""What an import would change: told before it happens, kept in the record when it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from broker.rosters.roster import EVERYBODY, Role, RosterProblem


@dataclass(frozen=True, slots=True)
class Counts:
    """How many are new, changed, leaving, back again after having left, and as they were."""

    new: int = 0
    changed: int = 0
    leaving: int = 0
    returning: int = 0
    unchanged: int = 0

    @property
    def any(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.new or self.changed or self.leaving or self.returning)


@dataclass(frozen=True, slots=True)
class ImportDifference:
    """A roster against the ledger. `before` is how many of those it speaks for are at the school now."""

    source: str
    before: int
    people: Counts
    groups: Counts
    memberships: Counts
    guardianships: Counts
    addresses: Counts  # who holds which address
    terms: Counts = Counts()
    # The members of each group that would change.
    by_group: Mapping[str, Counts] = field(default_factory=dict)
    problems: tuple[RosterProblem, ...] = ()  # the roster's
    speaks_for: frozenset[Role] = EVERYBODY

    @property
    def any(self) -> bool:
        """Whether the import would change anything."""
        return any(counts.any for counts in self.counts().values())

    def counts(self) -> dict[str, Counts]:
        """All counts by what they count."""
        return {
            "people": self.people,
            "groups": self.groups,
            "memberships": self.memberships,
            "guardianships": self.guardianships,
            "addresses": self.addresses,
            "terms": self.terms,
        }


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """Somebody whom an import would change: by name, what they are, and what of them changes."""

    name: str = field(repr=False)
    what: str = ""  # "pupil, 7B"
    changes: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Some:
    """How many there are, and the first of them by name."""

    count: int = 0
    people: tuple[NamedPerson, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportNames:
    """Whom an import would change, by name, as far as a page shows them. Addresses are masked.

    `silenced` have a number or an email now and would have none; `unreached` are pupils of whom no guardian would.
    """

    new: Some = Some()
    changed: Some = Some()
    leaving: Some = Some()
    returning: Some = Some()
    addresses: Some = Some()
    silenced: Some = Some()
    unreached: Some = Some()


@dataclass(frozen=True, slots=True)
class Brakes:
    """Whom an import took a way from: what is in hand about these pupils and to these addresses must stop.

    Ids. A guardian who was blocked or is gone, an address that lost a holder or turned out to be shared by
    strangers: whatever waits is judged anew, only what a worker holds needs the brake.
    """

    pupils: tuple[int, ...] = ()
    addresses: tuple[int, ...] = ()
