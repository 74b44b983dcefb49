"""Who lives there, and who of them must be told: worked out here by itself, not by the ledger's own statements."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from broker.rosters.roster import Roster
from tests.support.school import SmallSchool

# Names, and words, that stand nowhere but in a message: found in a log, they have leaked.
FAMILY, FIRST, WORDS = "Quillfeather", "Zephyrine", "the marmalade coach leaves at eight"
EVERYBODY = "everyone"


@dataclass
class Town:
    """A school's families. `numbers` and `emails` say who is reached through which group."""

    area: int  # three digits after +447: each school's numbers are its own
    roster: Roster
    numbers: Mapping[str, frozenset[str]] = field(repr=False)
    emails: Mapping[str, frozenset[str]] = field(repr=False)

    @property
    def groups(self) -> list[str]:
        return sorted(self.numbers.keys() - {EVERYBODY})

    def expected(self, channel: str, group: str) -> frozenset[str]:
        """Every address that an announcement to this group must go to by this channel; "" is the public."""
        if channel in {"rss", "twitter"}:
            return frozenset({""})
        return (self.numbers if channel == "sms" else self.emails)[group]


def build(seed: int, area: int, families: int) -> Town:
    """Families of one to three children and one or two parents; a few without a number, a mail address or anybody."""
    chance = random.Random(f"{seed}/{area}")
    school = SmallSchool()
    numbers: dict[str, set[str]] = defaultdict(set)
    emails: dict[str, set[str]] = defaultdict(set)
    groups = ["Choir", "Band", "Chess", "Drama"]
    for family in range(families):
        joined: set[str] = set()
        pupils = []
        for child in range(chance.choice((1, 1, 2, 3))):
            chosen = chance.sample(groups, k=chance.choice((1, 1, 2)))
            if family < 5:
                chosen.append("Snow")  # who are told something urgent
            joined |= set(chosen)
            pupils.append(school.pupil(f"{FIRST}{area}x{family}x{child}", *chosen))
        if chance.random() < 0.03:
            continue  # nobody is on file for them
        for parent in range(chance.choice((1, 1, 2))):
            mobile = f"+447{area}{family:04d}{parent:02d}"
            email = f"parent{area}x{family}x{parent}@hearth.example.org"
            has = (chance.random() > 0.03, chance.random() > 0.03)
            school.guardian(
                f"Guardian{area}x{family}x{parent}",
                *pupils,
                mobiles=(mobile,) if has[0] else (),
                emails=(email,) if has[1] else (),
            )
            for group in (*joined, EVERYBODY):
                numbers[group] |= {mobile} if has[0] else set()
                emails[group] |= {email} if has[1] else set()
    school.people = {name: replace(person, family_name=FAMILY) for name, person in school.people.items()}
    frozen = ({name: frozenset(each[name]) for name in {*numbers, *emails}} for each in (numbers, emails))
    return Town(area, school.roster(), *frozen)
