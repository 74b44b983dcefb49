"""A school with one bell: real ledger, real verbs, a plug-in channel whose truth is a file."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from broker import intake
from broker.actor import SYSTEM
from broker.announcement import Announcement, Draft, Part, People, Step, Urgency
from broker.rosters.imports import import_roster
from config.assembly import House
from config.settings import Settings
from ledger import tables as t
from tests.support.school import SmallSchool


@dataclass
class Tower:
    """A school with one bell, as its settings say it; any process that is given `environ` is the same school's."""

    environ: dict[str, str]
    truth: Path
    settings: Settings
    house: House

    def bring(self, people: int) -> None:
        """A guardian with a number for each of so many pupils; three of them play brass."""
        school = SmallSchool()
        for n in range(people):
            pupil = school.pupil(f"Pupil{n}", *(["Choir", "Brass"] if n < 3 else ["Choir"]))
            school.guardian(f"Parent{n}", pupil, mobiles=(f"+4479{11000000 + n:08d}",))
        import_roster(self.house.ports, school.roster(), actor=SYSTEM, expect_leaving=None)

    def announce(self, urgency: Urgency = Urgency.ROUTINE, audience: str = "everyone") -> Announcement:
        draft = Draft(
            department="office",
            audience=audience,
            people=People.GUARDIANS,
            ways=(Step(("bell",)),),
            parts={Part.SHORT: "The coach leaves at eight."},
            urgency=urgency,
        )
        return intake.accept(self.house.ports, draft, actor=SYSTEM).announcement

    def states(self, announcement: Announcement) -> dict[str, int]:
        with self.house.ledger.reading() as hand:
            query = select(t.delivery.c.state).where(t.delivery.c.announcement_id == announcement.id)
            return dict(Counter(row.state for row in hand.connection.execute(query)))

    def accepted(self) -> Counter[str]:
        """The truth: how often each number was told."""
        return Counter(self.truth.read_text().split()) if self.truth.exists() else Counter()


def within(seconds: float, fact: Callable[[], bool]) -> bool:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if fact():
            return True
        time.sleep(0.02)
    return fact()


MakeTower = Callable[..., Tower]
