"""Where one can go: the pages by theme, for whoever may open them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broker.authority import operators
from broker.ports.approvals import OperatorRole as Role


@dataclass(frozen=True, slots=True)
class Place:
    """One page: its address below the root, what it is called, its icon, and who may open it (nobody named: all)."""

    address: str
    name: str
    icon: str
    roles: frozenset[Role] = frozenset()
    whole_school: bool = False  # not for somebody of one department

    def open_to(self, roles: frozenset[Role], department: str | None) -> bool:
        """Whether somebody may open it."""
        return (not self.roles or bool(self.roles & roles)) and not (self.whole_school and department)


@dataclass(frozen=True, slots=True)
class Section:
    """Pages of one theme."""

    name: str
    places: Sequence[Place]


# Whom a page is for, as it is listed here and as it asks itself.
WRITES = frozenset(operators.ACTS)
LOOKS = frozenset({Role.ADMIN, Role.AUDITOR})
READS = frozenset({Role.ADMIN, Role.AUDITOR, Role.APPROVER})
ALL: Sequence[Section] = (
    Section(
        "Today",
        (
            Place("watch", "Now", "bell"),
            Place("watch/write", "Write", "pen", WRITES),
            Place("watch/announcements", "Announcements", "list"),
            Place("watch/calendar", "Calendar", "calendar"),
            Place("watch/waiting", "Waiting for a yes", "hand"),
            Place("watch/answers", "Answers", "speech"),
            Place("watch/figures", "Figures", "chart"),
        ),
    ),
    Section(
        "People",
        (
            Place("watch/people", "People", "person"),
            Place("watch/families", "Families", "people"),
            Place("watch/groups", "Groups", "group"),
            Place("watch/consent", "Consent", "tick", whole_school=True),
            Place("watch/doubtful", "Doubtful addresses", "question", whole_school=True),
            Place("watch/import", "Import", "inbox", WRITES, whole_school=True),
        ),
    ),
    Section(
        "House",
        (
            Place("watch/accounts", "Accounts", "plug"),
            Place("watch/rules", "Rules", "scales"),
            Place("watch/budgets", "Budgets", "coins"),
            Place("watch/templates", "Templates", "page"),
            Place("watch/record", "Record", "book", READS, whole_school=True),
            Place("watch/staff", "Staff", "badge", LOOKS),
            Place("watch/school", "School", "house", LOOKS),
        ),
    ),
)


def sections(roles: frozenset[Role], department: str | None) -> Sequence[Section]:
    """What somebody with these roles may open."""
    found = []
    for section in ALL:
        places = [place for place in section.places if place.open_to(roles, department)]
        if places:
            found.append(Section(section.name, places))
    return found
